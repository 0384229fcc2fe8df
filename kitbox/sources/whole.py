"""Folders that appear whole or not at all, made by one process at a time."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kitbox.errors import storage

log = logging.getLogger("kitbox")


@contextmanager
def alone(target: Path) -> Iterator[None]:
    """Hold the lock of `target`; wait while another process or thread holds it.

    The lock is the operating system's, on a small file beside `target`, so it
    ends with its holder, however that dies. Where the file system has no locks
    (some network drives) the block runs without one.

    Raises:
        StorageError: when the folder of `target` cannot be written.
    """
    with storage(target.parent, "making the folder"):
        target.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(target.with_name(f".{target.name}.lock"), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _lock(handle, target)
        yield
    finally:
        os.close(handle)


def make_folder(target: Path, fill: Callable[[Path], None]) -> Path:
    """Make the folder `target` by filling a temporary one beside it, unless it is there.

    What a killed process left half filled is removed by the next call.

    Args:
        target: the folder to make.
        fill: writes into the empty folder it is given.

    Returns:
        `target`.

    Raises:
        StorageError: when the disk is full or the folder cannot be written.
    """
    if target.is_dir():
        return target
    with alone(target):
        if target.is_dir():
            return target
        beside = target.with_name(f".{target.name}.part")
        with storage(beside, "making the folder"):
            if beside.exists():
                shutil.rmtree(beside)
            beside.mkdir()
        try:
            fill(beside)
            with storage(target, "making the folder"):
                beside.rename(target)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return target


def _lock(handle: int, target: Path) -> None:
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.info("Waiting for another process that is making %s", target)
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as error:
        log.info("No lock for %s here (%s); going on without", target, error.strerror)
