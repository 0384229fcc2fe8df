"""How processes share a batch: by pairs of pictures, so that each can mix its own part."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Share:
    """Which places of each batch are this process's.

    Place b and its counterpart B - 1 - b go to the same process, which has them at places
    that are counterparts in its own part too: a part in reverse still gives each picture's
    partner for `mix`. Pair i is process i modulo `count`'s. A batch with fewer pairs than there
    are processes is not divided: every process does all of it.

    Attributes:
        index: the process's number, from 0.
        count: how many there are.
    """

    index: int = 0
    count: int = 1

    def divides(self, batch: int) -> bool:
        """Whether a batch of so many rows is divided among the processes."""
        return 1 < self.count <= (batch + 1) // 2

    def places(self, batch: int) -> np.ndarray:
        """The places (b,) of a batch of `batch` rows that are this process's, in its order."""
        return _places(self.index, self.count if self.divides(batch) else 1, batch)

    def all_places(self, batch: int) -> list[np.ndarray]:
        """The places of each process, of a batch that is divided."""
        return [_places(index, self.count, batch) for index in range(self.count)]


WHOLE = Share()
"""All of each batch."""


@cache
def _places(index: int, count: int, batch: int) -> np.ndarray:
    import numpy as np

    if count == 1:
        places = np.arange(batch)
    else:
        firsts = np.arange(index, (batch + 1) // 2, count)
        seconds = batch - 1 - firsts[::-1]
        places = np.concatenate([firsts, seconds[seconds > (batch - 1) // 2]])
    places.flags.writeable = False
    return places
