"""`python -m kitbox`."""

import subprocess
import sys

import kitbox


def test_it_is_the_command_line() -> None:
    command = [sys.executable, "-m", "kitbox", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == kitbox.__version__
