"""Advice for labels of which a picture has any number: rare ones that are missed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitbox.errors import some
from kitbox.interpretation.advice import Advice, balanced

if TYPE_CHECKING:
    from kitbox.interpretation.tagging import TaggingInterpretation

RARE, ENOUGH = 0.1, 8
"""A label is rare that fewer pictures have than this share; and how many it takes to judge."""
LOW, LOWER = 0.4, 0.25
"""F1 below which rare labels go wrong, and how much lower than that of the others it must be."""


def of(seen: TaggingInterpretation) -> list[Advice]:
    """All advice of these rules."""
    found = rare_labels(seen)
    return [found] if found is not None else []


def rare_labels(seen: TaggingInterpretation) -> Advice | None:
    """Labels that few pictures have go wrong far more than others."""
    table = seen.scores()
    table = table[table["count"] > 0]
    rare = table[table["share"] < RARE]
    others = table[table["share"] >= RARE]
    if rare["count"].sum() < ENOUGH or not len(others):
        return None
    weights = rare["count"] / rare["count"].sum()
    low, high = float((rare["f1"] * weights).sum()), float(others["f1"].mean())
    if low > LOW or high - low < LOWER:
        return None
    change = balanced(seen.scene, "positive_weights")
    if not change:
        return None
    named = some(f"{name} ({row['count']:.0f})" for name, row in rare.iterrows())
    return Advice(
        "imbalance",
        f"labels that few pictures have reach an F1 of {low:.2f}, the others {high:.2f}: {named}, "
        f"of {seen.count} pictures",
        "pictures with rare labels, drawn more often or weighed more, are not worth ignoring",
        change,
    )
