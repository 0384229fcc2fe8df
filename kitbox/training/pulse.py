"""Signs of life between the processes of a run: one that gives none for long is given up."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from kitbox.errors import SilentError, counted

if TYPE_CHECKING:
    import torch

SILENCE = 180.0
"""Seconds without a sign after which a process is taken for lost."""
GRACE = 20.0
"""Seconds that this process then has to end as it ends after other errors."""
_BEATS = 30
"""Signs in the time of `SILENCE`."""


class Pulse:
    """While it is entered, tells the other processes that this one lives, and listens to them.

    A connection that breaks is an error at once; of a machine without power, network or a
    process that is stopped nothing is heard at all. Signs come from a thread, so a process that
    decodes or downloads for hours is waited for, and one that vanished is not. They go through
    the store at which the processes met, on a connection of their own. Who has given no sign
    yet is not judged.

    Args:
        index: this process's number, of `count`.
        end: ends this process with an error, where it has not noticed itself in `GRACE` seconds.
        meet: connects to the store.
    """

    def __init__(
        self,
        index: int,
        count: int,
        end: Callable[[SilentError], None],
        meet: Callable[[], torch.distributed.Store] | None = None,
    ) -> None:
        self._index, self._count = index, count
        self._end, self._meet = end, meet or _meet
        self._every = SILENCE / _BEATS
        self._heard: dict[int, float] = {}  # when, on the clock of `time.monotonic`
        self._over = threading.Event()
        self.lost = False  # whether `check` has raised

    def __enter__(self) -> Pulse:
        for work in (self._beat, self._watch) if self._count > 1 else ():
            threading.Thread(target=work, name="kitbox-pulse", daemon=True).start()
        return self

    def __exit__(self, *of: object) -> None:
        self._over.set()

    def check(self) -> None:
        """Return where all processes live.

        Raises:
            SilentError: where one was heard of, and then not for `SILENCE` seconds.
        """
        now = time.monotonic()
        silent = [n for n, heard in sorted(self._heard.items()) if now - heard > SILENCE]
        if silent:
            self.lost = True
            which = " and ".join(str(n + 1) for n in silent)
            wrong = f"Process {which} of {self._count} no longer answers"
            raise SilentError(
                wrong if len(silent) == 1 else wrong.replace("Process", "Processes", 1),
                found=f"no sign for {counted(round(SILENCE), 'second')}",
                do="Look at its machine and the network; the same command goes on from the last "
                "checkpoint",
            )

    def _beat(self) -> None:
        from torch.distributed import DistError

        store: torch.distributed.Store | None = None
        seen: dict[int, int] = {}
        others = [n for n in range(self._count) if n != self._index]
        while not self._over.is_set():
            try:
                store = store or self._meet()
                store.add(_key(self._index), 1)
                for other in others:
                    signs = store.add(_key(other), 0)
                    if seen.setdefault(other, signs) != signs:
                        seen[other], self._heard[other] = signs, time.monotonic()
            except DistError:  # the store is gone: so are the others, unless it comes back
                store = None
            self._over.wait(self._every)

    def _watch(self) -> None:
        while not self._over.wait(self._every):
            try:
                self.check()
            except SilentError as error:
                if not self._over.wait(GRACE):
                    self._end(error)
                return


def _key(index: int) -> str:
    return f"kitbox/pulse/{index}"


def _meet() -> torch.distributed.Store:
    """The store at which a launcher's processes meet."""
    from torch.distributed import TCPStore

    return TCPStore(
        os.environ["MASTER_ADDR"],
        int(os.environ["MASTER_PORT"]),
        is_master=False,
        wait_for_workers=False,
        timeout=timedelta(seconds=max(1, round(SILENCE / 3))),
    )
