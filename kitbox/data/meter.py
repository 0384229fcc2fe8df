"""Where the time of a pass over pictures goes: making them, and waiting for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Spent(NamedTuple):
    """Seconds.

    Attributes:
        waited: in which nothing was done but waiting for pictures.
        made: of threads that made them ready (read, decoded where they must be, varied); those
            of several threads add up.
    """

    waited: float = 0.0
    made: float = 0.0


class Meter:
    """Adds up what batches cost; told by one consumer, however many threads work for it."""

    def __init__(self) -> None:
        self._waited = self._made = 0.0

    def epoch(self) -> Lap:
        """Begin to measure an epoch."""
        self.lap()
        return Lap(self)

    def lap(self) -> Spent:
        """What was spent since the last lap."""
        spent = Spent(self._waited, self._made)
        self._waited = self._made = 0.0
        return spent

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around what the consumer waits for."""
        began = time.monotonic()
        yield
        self._waited += time.monotonic() - began

    def made(self, seconds: float) -> None:
        """A thread took so long to make a batch."""
        self._made += seconds


class Lap:
    """An epoch that is being measured: training first, then validation."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._began = self._trained = time.monotonic()

    def trained(self) -> None:
        """The training is over; what is left is validation."""
        self._trained = time.monotonic()

    def times(self) -> tuple[float, float, float, float]:
        """Seconds: in all, of these validating and waiting for pictures, and those of threads."""
        now = time.monotonic()
        return (now - self._began, now - self._trained, *self._meter.lap())


def timed(make: Callable[P, T]) -> Callable[P, tuple[T, float]]:
    """What makes something, and tells the seconds that it took."""

    def made(*args: P.args, **names: P.kwargs) -> tuple[T, float]:
        began = time.monotonic()
        thing = make(*args, **names)
        return thing, time.monotonic() - began

    return made
