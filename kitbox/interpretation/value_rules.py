"""Advice for numbers: nothing was learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitbox.interpretation.advice import Advice, unlearned

if TYPE_CHECKING:
    from kitbox.interpretation.values import ValuesInterpretation

LEARNED, ENOUGH = 0.05, 20
"""R² below which a column is no better than its mean, and pictures that it takes to say so."""


def of(seen: ValuesInterpretation) -> list[Advice]:
    """All advice of these rules."""
    found = nothing_learned(seen)
    return [found] if found is not None else []


def nothing_learned(seen: ValuesInterpretation) -> Advice | None:
    """Most columns are predicted no better than by their mean."""
    known = seen.scores()["r2"].dropna()
    poor = known[known < LEARNED]
    recipe = seen.scene.recipe
    if seen.count < ENOUGH or recipe is None or 2 * len(poor) <= len(known):
        return None
    told = ", ".join(f"{name} {value:.2f}" for name, value in poor.head(3).items())
    return unlearned(
        recipe,
        f"R² of {len(poor)} of {len(known)} columns is near 0 ({told}): predicting the mean would "
        "do as well",
        ". If it stays so, what the numbers depend on may be too small at this size, or cropped "
        "away",
    )
