"""Filling: rows made by threads in their order, and any of them at once when it is needed."""

from __future__ import annotations

import atexit
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_TODO, _TAKEN, _DONE = 0, 1, 2
_AT_ONCE = 8  # rows that a thread takes: each taking and giving back costs a lock


class Filling:
    """Makes `count` rows, each once, by threads in the background and by whoever cannot wait.

    Args:
        one: makes a row; called by several threads at once.
        workers: threads in the background.
        finish: called once, by one of the threads, when every row is made.
        abandon: called instead where the threads were stopped, or a row could not be made.
    """

    def __init__(
        self,
        count: int,
        one: Callable[[int], None],
        workers: int,
        finish: Callable[[], None] = lambda: None,
        abandon: Callable[[], None] = lambda: None,
    ) -> None:
        import numpy as np

        self._one, self._finish, self._abandon = one, finish, abandon
        self._state = np.zeros(count, np.uint8)
        self._left, self._next = count, 0
        self._changed = threading.Condition()
        self._error: BaseException | None = None
        self._stopped = False
        self._working = workers
        self._threads = [
            threading.Thread(target=self._work, name=f"kitbox-decode-{n}", daemon=True)
            for n in range(workers)
        ]
        for thread in self._threads:
            thread.start()
        atexit.register(_at_exit, weakref.ref(self))

    @property
    def over(self) -> bool:
        """Whether every row is made."""
        return not self._left

    def has(self, rows: Sequence[int] | np.ndarray) -> bool:
        """Whether these rows are made."""
        return not self._left or bool((self._state[rows] == _DONE).all())

    def need(self, rows: Sequence[int] | np.ndarray) -> None:
        """Return when these rows are made; makes those itself that nobody has begun.

        Raises:
            BaseException: what making a row has raised, in any thread.
        """
        if self._left == 0:
            return
        import numpy as np

        places = np.asarray(rows, np.int64)
        self._make(self._take(places))
        with self._changed:
            self._changed.wait_for(lambda: self._ended() or (self._state[places] == _DONE).all())
        self._check()

    def wait(self, step: Callable[[int], None] = lambda n: None) -> None:
        """Return when all rows are made; when interrupted, the threads are ended first.

        What comes after the last row (`finish`) may still be under way; see `join`.

        Args:
            step: called now and then with the number of rows that were made since.

        Raises:
            BaseException: what making a row has raised, in any thread.
        """
        told = 0
        try:
            while self._left and not self._ended():
                with self._changed:
                    self._changed.wait_for(lambda: not self._left or self._ended(), timeout=0.1)
                made = len(self._state) - self._left
                step(made - told)
                told = made
            self._check()
            step(len(self._state) - told)
        except BaseException:
            self.stop()
            raise

    def join(self) -> None:
        """Return when the threads have ended, after `finish` or `abandon`.

        Raises:
            BaseException: what a row or `finish` has raised.
        """
        for thread in self._threads:
            thread.join()
        self._check()

    def stop(self) -> None:
        """End the threads, whatever is left; returns when they have ended."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        """Make rows until none is left; the last thread to end finishes or abandons all."""
        while not self._ended():
            with self._changed:
                start, self._next = self._next, self._next + _AT_ONCE
            if start >= len(self._state):
                break
            try:
                self._make(self._take(range(start, min(start + _AT_ONCE, len(self._state)))))
            except BaseException:  # noqa: BLE001  kept for whoever waits
                break
        with self._changed:
            self._working -= 1
            if self._working:
                return
            self._changed.wait_for(lambda: self._left == 0 or self._ended())  # rows taken elsewhere
        try:
            (self._abandon if self._left or self._error else self._finish)()
        except BaseException as error:  # noqa: BLE001  kept for whoever waits
            self._error = error
        with self._changed:
            self._changed.notify_all()

    def _take(self, rows: Sequence[int] | np.ndarray | range) -> list[int]:
        """Those of the rows that nobody has begun; they are the caller's now."""
        with self._changed:
            mine = [int(row) for row in rows if self._state[row] == _TODO]
            self._state[mine] = _TAKEN
        return mine

    def _make(self, mine: list[int]) -> None:
        if not mine:
            return
        try:
            for row in mine:
                if self._ended():
                    return
                self._one(row)
        except BaseException as error:
            with self._changed:
                self._error = error
                self._changed.notify_all()
            raise
        with self._changed:
            self._state[mine] = _DONE
            self._left -= len(mine)
            self._changed.notify_all()

    def _ended(self) -> bool:
        return self._stopped or self._error is not None

    def _check(self) -> None:
        if self._error is not None:
            raise self._error
        if self._stopped and self._left:
            raise RuntimeError("the threads were stopped before all rows were made")


def _at_exit(known: weakref.ref[Filling]) -> None:
    """Let the threads finish where every row is made: they would die with the process."""
    filling = known()
    if filling is not None and filling.over:
        for thread in filling._threads:
            thread.join()
