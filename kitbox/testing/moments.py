"""Copies of a folder while something is made in it: what a process that is killed would leave."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LOOKS = 2000
"""Times that the folder is looked at between two calls, at most."""
PAUSE = 0.001
"""Seconds between two looks of the thread, at least."""


@contextmanager
def moments(root: Path, target: Path, into: Path, most: int = 4) -> Iterator[list[Path]]:
    """Copies of `root` below `into`, from when `target` is there, whenever files changed.

    They are made between two calls of Python, in whichever thread, and by a thread that looks all
    the time, so that it does not matter what wrote the files, and in how many commands. A copy
    is kept if nothing changed while it was made. The list fills in the meantime.

    Args:
        most: copies.
    """
    copies: list[Path] = []
    lock, seen, looks, over = threading.Lock(), [()], [0], threading.Event()

    def look() -> None:
        # Waits for the other's copy, but not for ever: one may hold a lock that the other needs.
        if len(copies) >= most or not os.path.lexists(target) or not lock.acquire(timeout=1):
            return
        copy = into / str(len(copies))
        try:
            files: Any = tuple(sorted(_sizes(root)))
            if files == seen[0]:
                return
            shutil.copytree(root, copy, symlinks=True)
            if files == tuple(sorted(_sizes(root))):
                seen[0] = files
                copies.append(copy)
            else:
                shutil.rmtree(copy)
        except OSError:  # it changes while it is copied
            shutil.rmtree(copy, ignore_errors=True)
        finally:
            lock.release()

    def returned(frame: Any, event: str, argument: Any) -> None:
        if "return" in event and looks[0] < LOOKS and os.path.lexists(target):
            looks[0] += 1
            look()

    def watch() -> None:
        took = 0.0
        while len(copies) < most and not over.wait(max(PAUSE, took)):
            began = time.perf_counter()
            look()
            took = time.perf_counter() - began

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    before = sys.getprofile()
    threading.setprofile(returned)
    sys.setprofile(returned)
    try:
        yield copies
    finally:
        sys.setprofile(before)
        threading.setprofile(before)
        over.set()
        watcher.join()


def _sizes(folder: Path) -> Iterator[tuple[str, int]]:
    for above, folders, names in os.walk(folder):
        yield from ((os.path.join(above, name), -1) for name in folders)
        for name in names:
            path = os.path.join(above, name)
            yield path, os.lstat(path).st_size
