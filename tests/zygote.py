"""Runs `kitbox` again and again from a process that has loaded what a run needs.

A start costs seconds, most of them for torch: tests that kill dozens of runs fork them
instead. Each line of standard input is a JSON list: the file for what the command says,
and its arguments. The answers are the process's number, and later its exit status, -9
where it was killed. Where there is a `room.json` in the working folder, a run finds a disk
as small as it says.
"""

from __future__ import annotations

import contextlib
import errno
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
    if (room := Path("room.json")).exists():
        shrink(**json.loads(room.read_text()))
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


def shrink(folder: str, most: int) -> None:
    """Write whole files below a folder as if its disk held `most` bytes: as far as they fit."""
    real = Path.write_bytes

    def write_bytes(path: Path, data: bytes) -> int:
        if not path.is_relative_to(folder):
            return real(path, data)
        used = 0
        for other in Path(folder).rglob("*"):
            with contextlib.suppress(OSError):  # another thread's, and gone
                used += other.stat().st_size if other != path and other.is_file() else 0
        if real(path, data[: max(0, most - used)]) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return len(data)

    Path.write_bytes = write_bytes  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    main()
