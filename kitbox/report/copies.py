"""Pictures that look alike, told from the pixels that are in the cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from kitbox.data.duplicates import Finder
from kitbox.data.looks import of_pixels

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from kitbox.data.pixels import Pixels

MOST = 20_000
"""Pictures that are compared, at most: more take minutes."""


class Pair(NamedTuple):
    """Two pictures that look alike.

    Attributes:
        images: the picture, and the one before it that it looks like.
        parts: of both.
    """

    images: tuple[str, str]
    parts: tuple[str, str]


def across(pairs: Sequence[Pair]) -> list[tuple[str, str]]:
    """The pairs that lie on both sides of the split: the training picture first."""
    crossing = [pair for pair in pairs if set(pair.parts) == {"train", "valid"}]
    return [pair.images if pair.parts[0] == "train" else pair.images[::-1] for pair in crossing]


def find(
    rows: pd.DataFrame,
    pixels: Pixels,
    places: Sequence[int] | np.ndarray,
    step: Callable[..., None] = lambda n=1, note="": None,
) -> list[Pair]:
    """Pairs of pictures among the rows at some places that look alike, each named once.

    Blank pictures (in place of broken ones) are left out, and what comes after `MOST`.
    """
    finder, part_of = Finder(), dict(zip(rows["image"], rows["part"], strict=True))
    found = []
    for place in list(places)[:MOST]:
        if place not in pixels.broken:
            name = str(rows["image"].iat[place])
            copy = finder.add(name, of_pixels(pixels[place]))
            if copy is not None and copy.of != name:
                images = name, copy.of
                found.append(Pair(images, (part_of[name], part_of[copy.of])))
        step(1)
    return found
