"""Imports of strangers' modules, which may hang: ended after a time."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from kitbox.errors import PluginError

LIMIT = "KITBOX_IMPORT_SECONDS"
SECONDS = 60.0
"""Long for a module that imports heavy libraries inside its functions, as it should; enough for
one that imports torch from a cold disk."""
AGAIN = 1.0
"""Seconds from one alarm to the next: a module may catch the first."""
IDLE, MOST = 0.05, 10
"""Below this share of a processor an import waits for something; none has more than so many
times the limit."""


class TookTooLongError(BaseException):
    """An import that was ended. No `Exception`: modules catch those around imports of theirs."""


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


def over(wall: float, processor: float, limit: float) -> bool:
    """Whether an import has had its time.

    One that waits has it by the clock. One that works has it in seconds of its processor, as
    a machine that is busy with other things is not its fault.

    >>> over(60, 0.2, 60), over(60, 20, 60), over(200, 60, 60)
    (True, False, True)

    Args:
        wall: seconds by the clock so far.
        processor: of them, those in which its process was at work.
    """
    if wall < limit:
        return False
    return processor < IDLE * wall or processor >= limit or wall >= MOST * limit


def late(limit: float) -> str:
    """What is said of an import that was ended."""
    return f"the import did not end within {limit:g} seconds"


def imported(get: Callable[[], Any], elsewhere: Callable[[], str]) -> Any:
    """What `get` gives by importing it.

    Another process tries first, and the import is not begun here when it hangs or crashes there.
    One that hangs here all the same (that is not tried, or does otherwise the second time) is
    interrupted by an alarm, again and again, as a module may catch everything. There is none in
    a thread other than the main one, on Windows and where somebody else has set one, and no
    alarm ends a loop in a compiled library or a module that catches each.

    Args:
        elsewhere: tries the import in another process, where that is needed; why it may not be
            tried here, or ''.

    Raises:
        TookTooLongError: when it takes longer than `seconds()`.
        ImportError: when it ends its process.
    """
    limit = seconds()
    if why := elsewhere():
        raise TookTooLongError(why) if why == late(limit) else ImportError(why)
    return _with_alarm(get, limit) if _can_ring() else get()


def _can_ring() -> bool:
    main = threading.current_thread() is threading.main_thread()
    return main and hasattr(signal, "setitimer") and not any(signal.getitimer(signal.ITIMER_REAL))


def _with_alarm(get: Callable[[], Any], limit: float) -> Any:
    began, worked = time.monotonic(), time.process_time()
    ended = False

    def ring(number: int, frame: FrameType | None) -> None:
        if not ended and over(time.monotonic() - began, time.process_time() - worked, limit):
            raise TookTooLongError(late(limit))

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, limit, AGAIN)
    try:
        try:
            return get()
        finally:
            ended = True  # an alarm from here on is late, and none may keep the next lines from it
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
