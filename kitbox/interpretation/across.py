"""Copies: pictures that look alike, and advice where they are on both sides of the split."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from kitbox.data.duplicates import Finder
from kitbox.data.looks import of_pixels
from kitbox.errors import KitboxError, counted, some
from kitbox.interpretation.advice import EXCLUDE, Advice, copied

if TYPE_CHECKING:
    import numpy as np

    from kitbox.interpretation.scene import Scene

MOST = 20_000
"""Pictures that every run's report compares, at most: more take minutes."""
SMALL = 64
"""Pixels of a side below which pictures of one kind are alike without being copies."""


class Pair(NamedTuple):
    """Two pictures that look alike.

    Attributes:
        images: the picture, and the one before it that it looks like.
        parts: of both.
    """

    images: tuple[str, str]
    parts: tuple[str, str]


def of(scene: Scene) -> list[Advice]:
    """Advice on training pictures that are copies, or nearly, of validation pictures.

    Raises:
        KitboxError: as `find`.
    """
    crossing = across(find(scene))
    return [advice(scene, crossing)] if crossing else []


def find(
    scene: Scene,
    most: int | None = None,
    step: Callable[..., None] = lambda n=1, note="": None,
) -> list[Pair]:
    """Pairs of a scene's labelled pictures that look alike, each named once.

    Pictures are told by their decoded pixels; blank ones, in place of broken ones, are left out.
    Of small pictures only those with the same pixels are copies. Validation pictures come
    first: a training picture is a copy of one, not the other way round, as for `kitbox clean`.

    Args:
        most: pictures that are compared, at most; None for all.
        step: told each picture.

    Raises:
        KitboxError: when labelled pictures are not among those that were read.
    """
    table, pixels = scene.table, scene.loader.pixels
    if not _whole(scene):
        raise KitboxError(
            "Not all labelled pictures were read, so nothing is known of copies among them",
            do="Interpret the run with `whole=True`",
        )
    finder, same = Finder() if comparable(scene) else None, dict[str, str]()
    part_of: dict[str, str] = {}
    found = []
    for place in _in_order(table["part"].to_numpy())[:most]:
        if place not in pixels.broken:
            name, part = str(table["image"].iat[place]), str(table["part"].iat[place])
            part_of.setdefault(name, part)
            if finder is None:
                of = same.setdefault(_hash(pixels[place]), name)
            else:
                copy = finder.add(name, of_pixels(pixels[place]))
                of = copy.of if copy is not None else name
            if of != name:
                found.append(Pair((name, of), (part, part_of[of])))
        step(1)
    return found


def cheap(scene: Scene) -> bool:
    """Whether all labelled pictures were read, and are no more than can be compared in a minute."""
    return _whole(scene) and len(scene.labelled) <= MOST


def _whole(scene: Scene) -> bool:
    images = [one["image"] for one in (scene.labelled, scene.table) if "image" in one]
    return len(images) == 2 and set(images[0]) <= set(images[1])


def _hash(picture: np.ndarray) -> str:
    return hashlib.sha256(f"{picture.shape}".encode() + picture.tobytes()).hexdigest()


def _in_order(parts: np.ndarray) -> list[int]:
    """The places of validation pictures, then those of training pictures."""
    import numpy as np

    return [int(n) for part in ("valid", "train") for n in np.flatnonzero(parts == part)]


def across(pairs: Sequence[Pair]) -> list[tuple[str, str]]:
    """The pairs that lie on both sides of the split: the training picture first."""
    return [pair.images for pair in pairs if pair.parts == ("train", "valid")]


def advice(scene: Scene, pairs: Sequence[tuple[str, str]]) -> Advice:
    """What to do about copies.

    Args:
        pairs: a training picture and the validation picture that it is like, one pair at least.
    """
    named = some((f"{one} and {other}" for one, other in pairs), 3)
    valid = int((scene.labelled["part"] == "valid").sum())
    known = len({other for _, other in pairs})
    return Advice(
        "copies across the split",
        f"{counted(known, 'validation picture has', 'validation pictures have')} a copy, or "
        f"nearly, among the training pictures, of {valid:,}: {named}",
        "the scores are better than they would be on new pictures; without the copies they "
        "are honest",
        {"exclude": EXCLUDE},
        copied(scene),
    )


def comparable(scene: Scene) -> bool:
    """Whether the pictures are large enough for two that look alike to be copies."""
    return min(_side(scene), *scene.size) >= SMALL


def _side(scene: Scene) -> int:
    """The shorter side that half of the pictures have at least, in pixels."""
    import numpy as np

    sides = scene.loader.pixels.sizes.min(axis=1)
    known = sides[sides > 0]
    return int(np.median(known)) if len(known) else 0
