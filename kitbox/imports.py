"""Imports of strangers' modules, which may hang: ended after a time."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from kitbox.errors import PluginError

LIMIT = "KITBOX_IMPORT_SECONDS"
SECONDS = 60.0
"""Long for a module that imports heavy libraries inside its functions, as it should; enough for
one that imports torch from a cold disk."""


class TookTooLongError(Exception):
    """An import that was ended."""


def seconds() -> float:
    """How long the import of a plugin may take.

    Raises:
        PluginError: when the environment names no such time.
    """
    given = os.environ.get(LIMIT)
    if given is None:
        return SECONDS
    try:
        found = float(given)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise PluginError(
            f"{LIMIT} is no number of seconds", found=repr(given), do=f"Set {LIMIT}=60, or unset it"
        )
    return found


def imported(get: Callable[[], Any]) -> Any:
    """What `get` gives by importing it.

    Only the main thread can be interrupted; elsewhere, and where another alarm is set, the
    import takes what it takes.

    Raises:
        TookTooLongError: when it takes longer than `seconds()`.
    """
    limit = seconds()
    with _alarm(limit, f"the import did not end within {limit:g} seconds"):
        return get()


@contextmanager
def _alarm(limit: float, message: str) -> Iterator[None]:
    main = threading.current_thread() is threading.main_thread()
    if not (main and hasattr(signal, "setitimer")) or any(signal.getitimer(signal.ITIMER_REAL)):
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise TookTooLongError(message)

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
