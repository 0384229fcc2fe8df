"""Advice on copies: validation pictures that the model has seen in training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitbox import environment
from kitbox.data import faults
from kitbox.errors import counted, some
from kitbox.interpretation.advice import EXCLUDE, Advice, copied

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kitbox.interpretation.scene import Scene


SMALL = 64
"""Pixels of a side below which pictures of one kind are alike without being copies."""


def of(scene: Scene) -> list[Advice]:
    """Training pictures that are copies, or nearly, of validation pictures; reads all of them.

    Of small pictures only those with the same bytes count.
    """
    labelled = scene.labelled[scene.labelled["part"].isin(["train", "valid"])]
    pictures = [
        faults.Picture(str(image), str(part))
        for image, part in zip(labelled["image"], labelled["part"], strict=True)
    ]
    unique = list({one.image: one for one in pictures}.values())
    workers = environment.cores()
    found = faults.find(scene.files, unique, near=comparable(scene), workers=workers)
    crossing = [(one.image, one.of) for one in found if one.reason == "cross-split"]
    return [advice(scene, crossing)] if crossing else []


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
