"""Advice for points: nothing was learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitbox.interpretation.advice import Advice, unlearned

if TYPE_CHECKING:
    from kitbox.interpretation.landmarks import LandmarksInterpretation

LEARNED, ENOUGH = 0.95, 20
"""The share of the mean place's error that a model's must be below, and pictures to say so."""


def of(seen: LandmarksInterpretation) -> list[Advice]:
    """All advice of these rules."""
    found = nothing_learned(seen)
    return [found] if found is not None else []


def nothing_learned(seen: LandmarksInterpretation) -> Advice | None:
    """The points are no nearer than if each were put where it lies in the mean of the pictures."""
    import numpy as np

    recipe = seen.scene.recipe
    sides = seen.frames.sizes[:, None, ::-1].astype(float)  # width and height, as x and y
    known = ~np.isnan(seen.errors).all(axis=0)
    if seen.count < ENOUGH or recipe is None or not known.any():
        return None
    mean = np.nanmean(seen.right[:, known] / sides, axis=0)
    usual = float(np.nanmean(np.hypot(*np.moveaxis(mean * sides - seen.right[:, known], 2, 0))))
    error = float(np.nanmean(seen.errors[:, known]))
    if error < LEARNED * usual:
        return None
    return unlearned(
        recipe,
        f"the points are off by {error:.1f} pixels in the mean; the mean place of each, the same "
        f"on every picture, is off by {usual:.1f}",
        ". Look at batch.png whether the points lie where they should",
    )
