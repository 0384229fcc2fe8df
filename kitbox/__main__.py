"""`python -m kitbox`, which a launcher of several processes can start."""

from kitbox.cli import main

if __name__ == "__main__":
    main()
