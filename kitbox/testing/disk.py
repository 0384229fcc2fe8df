"""What lies in a folder, and disks that fail."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_watches: list[Watch] = []


class Watch:
    """What files below a folder were opened for, and which writing is refused."""

    def __init__(self, folder: Path, fail_at: int | None = None) -> None:
        self.folder, self.fail_at = os.path.realpath(folder), fail_at
        self.read: list[str] = []
        self.written: list[str] = []


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if event != "open" or not _watches:
        return
    path, flags = arguments[0], arguments[2]
    if not isinstance(path, str | bytes | os.PathLike) or not isinstance(flags, int):
        return
    name = os.path.realpath(os.fsdecode(path))
    for watch in _watches:
        if not name.startswith(watch.folder.rstrip(os.sep) + os.sep):
            continue
        if not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            watch.read.append(name)
        elif not name.endswith(".lock"):
            watch.written.append(name)
            if watch.fail_at is not None and len(watch.written) >= watch.fail_at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)


_hooked = [False]


@contextmanager
def watched(folder: Path, fail_at: int | None = None) -> Iterator[Watch]:
    """See which files below `folder` Python opens; from the `fail_at`-th on none can be written."""
    if not _hooked[0]:  # an audit hook stays for ever
        sys.addaudithook(_hook)
        _hooked[0] = True
    watch = Watch(folder, fail_at)
    _watches.append(watch)
    try:
        yield watch
    finally:
        _watches.remove(watch)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder that is not hidden, by its path, with its bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    }


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below a folder that is not hidden, with its size and when it was written."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    }
