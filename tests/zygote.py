"""Runs `kitbox` again and again from a process that has loaded what a run needs.

A start costs seconds, most of them for torch: tests that kill dozens of runs fork them
instead. Each line of standard input is a JSON list: the file for what the command says,
and its arguments. The answers are the process's number, and later its exit status, -9
where it was killed.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main() -> None:
    """Load, then fork a run a line."""
    import kitbox.runner  # noqa: F401  what a run loads

    for name in LOADED:
        __import__(name)
    answer("ready")
    for line in sys.stdin:
        said, *arguments = json.loads(line)
        if (child := os.fork()) == 0:
            become(arguments, Path(said))
        answer(child)
        _, status = os.waitpid(child, 0)
        answer(os.waitstatus_to_exitcode(status))


LOADED = ("albumentations", "sklearn.metrics", "timm", "segmentation_models_pytorch", "cv2")


def answer(value: object) -> None:
    """Write a line to standard output."""
    sys.stdout.write(f"{value}\n")
    sys.stdout.flush()


def become(arguments: list[str], said: Path) -> None:
    """Run the command in this process, and end it."""
    from kitbox.cli import main as cli

    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    sys.argv = ["kitbox", *arguments]
    status = 1
    try:
        cli()
        status = 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
