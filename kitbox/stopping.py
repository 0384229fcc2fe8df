"""Ctrl-C, once and twice."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from kitbox.environment import launched


class Stop:
    """While it is entered, the first Ctrl-C (or SIGTERM) asks to stop and the second interrupts.

    In a thread other than the main one it changes nothing, as signals come to the main one. In
    one of several processes that share a run SIGTERM ends at once: a launcher sends it where
    another of them has ended.

    Args:
        say: told of the first.

    Attributes:
        asked: whether somebody asked to stop.
    """

    def __init__(self, say: Callable[[str], None] = lambda text: None) -> None:
        self.asked = False
        self._say = say
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT,) if launched() else (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._heard)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _heard(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        self._say("stopping after this step; Ctrl-C again leaves at once")


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, or a notebook's stop button, heeded: says what became of the work.

    A notebook shows the message alone, and runs no more cells.
    """

    def _render_traceback_(self) -> list[str]:
        return [f"Interrupted: {self}"]


class Stopped(Exception):  # noqa: N818  it is no error
    """The training ended early because somebody asked, after its state was saved."""
