"""A mask drawn on its picture, a colour per class."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kitbox.tasks.codes import VOID

if TYPE_CHECKING:
    import numpy as np

_FIRST = (
    *((230, 25, 75), (60, 180, 75), (255, 225, 25), (0, 130, 200), (245, 130, 48)),
    *((145, 30, 180), (70, 240, 240), (240, 50, 230), (210, 245, 60), (250, 190, 212)),
    *((0, 128, 128), (220, 190, 255), (170, 110, 40), (255, 250, 200), (128, 0, 0)),
    *((170, 255, 195), (128, 128, 0), (255, 215, 180), (0, 0, 128), (128, 128, 128)),
)
"""Colours that are far apart."""
_GOLDEN = 0.618033988749895


def color(number: int) -> tuple[int, int, int]:
    """The colour (red, green, blue) of a class number; the same in every run."""
    if number < len(_FIRST):
        return _FIRST[number]
    hue = (number * _GOLDEN) % 1
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.55 + 0.4 * (number % 2), 0.95)
    return round(red * 255), round(green * 255), round(blue * 255)


def overlay(picture: np.ndarray, mask: np.ndarray, *, strength: float = 0.45) -> np.ndarray:
    """A picture (H, W, 3) uint8 with class numbers (H, W) tinted, their borders in full colour.

    `VOID` stays as the picture has it.
    """
    import numpy as np

    colors = np.array([color(number) for number in range(256)], np.float32)
    tint = colors[np.clip(mask, 0, 255)]
    share = np.full((*mask.shape, 1), strength, np.float32)
    share[_borders(mask)] = 1.0
    share[mask == VOID] = 0.0
    return np.rint(picture * (1 - share) + tint * share).astype(np.uint8)


def caption(mask: np.ndarray, names: Sequence[str]) -> str:
    """The classes of a mask (H, W), that with the most pixels first.

    >>> import numpy as np
    >>> caption(np.array([[0, 1], [1, 1]]), ["sky", "road"])
    'road, sky'
    """
    import numpy as np

    counts = np.bincount(np.asarray(mask).ravel(), minlength=256)
    there = np.flatnonzero(counts[: len(names)]).tolist()
    order = sorted(there, key=lambda number: -counts[number])
    return ", ".join(names[number] for number in order) or "nothing that is counted"


def _borders(mask: np.ndarray) -> np.ndarray:
    """Where a pixel's right or lower neighbour is of another class, (H, W) bool."""
    import numpy as np

    borders = np.zeros(mask.shape, bool)
    borders[:, :-1] |= mask[:, :-1] != mask[:, 1:]
    borders[:-1] |= mask[:-1] != mask[1:]
    return borders
