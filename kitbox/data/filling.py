"""Filling: rows made by threads in their order, and any of them at once when it is needed."""

from __future__ import annotations

import atexit
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_OPEN, _TAKEN, _DONE = 0, 1, 2
_AT_ONCE = 8  # rows that a thread takes: each taking and giving back costs a lock


class Filling:
    """Makes `count` rows, each once, by threads in the background and by whoever cannot wait.

    The threads do not live on in a forked process. They are stopped when the interpreter ends;
    where every row is made by then, `finish` is waited for.

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
        _alive.add(self)
        for thread in self._threads:
            thread.start()

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
        while self._make(places):
            pass
        with self._changed:
            self._changed.wait_for(lambda: self._ended() or self.has(places))
        if not self.has(places):
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
                self._make(range(start, min(start + _AT_ONCE, len(self._state))))
            except BaseException:  # noqa: BLE001  kept for whoever waits
                break
        with self._changed:
            self._working -= 1
            if self._working:
                return
            while self._left and not self._ended():  # rows that others took, or gave back
                self._changed.wait_for(self._to_do)
                self._changed.release()
                try:
                    self._make(range(len(self._state)))
                except BaseException:  # noqa: BLE001  kept for whoever waits
                    pass
                finally:
                    self._changed.acquire()
        try:
            (self._abandon if self._left or self._error else self._finish)()
        except BaseException as error:  # noqa: BLE001  kept for whoever waits
            self._error = error
        with self._changed:
            # What they hold (open files, arrays) is needed no more.
            self._one, self._finish, self._abandon = _nothing, _no_more, _no_more
            self._changed.notify_all()

    def _to_do(self) -> bool:
        """Whether the last thread has something to do: rows given back, or all over."""
        return not self._left or self._ended() or bool((self._state == _OPEN).any())

    def _make(self, rows: Iterable[int]) -> int:
        """Make those of the rows that nobody has begun, a few at most; how many there were.

        What an interrupt leaves unmade is anybody's again.
        """
        mine: list[int] = []
        try:
            with self._changed:
                for row in rows:
                    if self._state[row] == _OPEN:
                        mine.append(int(row))
                        self._state[row] = _TAKEN
                        if len(mine) == _AT_ONCE:
                            break
            for row in mine:
                if self._ended():
                    self._check()
                self._one(row)
            with self._changed:
                self._state[mine] = _DONE
                self._left -= len(mine)
                self._changed.notify_all()
        except BaseException as error:
            with self._changed:
                if isinstance(error, Exception) and not self._ended():
                    self._error = error
                self._state[mine] = _OPEN
                self._left = int((self._state != _DONE).sum())
                self._changed.notify_all()
            raise
        return len(mine)

    def _ended(self) -> bool:
        return self._stopped or self._error is not None

    def _check(self) -> None:
        """Raise what ended the threads before all rows were made."""
        if self._error is not None:
            raise self._error
        if self._stopped and self._left:
            raise RuntimeError("the threads were stopped before all rows were made")


def _nothing(row: int) -> None:
    """In the place of what made a row."""


def _no_more() -> None:
    """In the place of what came at the end."""


_alive: weakref.WeakSet[Filling] = weakref.WeakSet()


@atexit.register
def _at_exit() -> None:
    """End the threads: inside OpenCV they would take the process down with them."""
    for filling in list(_alive):
        if filling.over:
            for thread in filling._threads:
                thread.join()
        else:
            filling.stop()
