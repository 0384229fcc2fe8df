"""Advice for several labels a picture: nothing learned, or rare ones that are missed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitbox.errors import some
from kitbox.interpretation.advice import Advice, balanced, unlearned

if TYPE_CHECKING:
    from kitbox.interpretation.tagging import TaggingInterpretation

RARE, ENOUGH = 0.1, 8
"""A label is rare that fewer pictures have than this share; and how many it takes to judge."""
LOW, LOWER = 0.4, 0.25
"""F1 below which rare labels go wrong, and how much lower than that of the others it must be."""
LEAST, MOST, GAINED = 20, 0.9, 0.05
"""Pictures that it takes to say that nothing was learned; labels that more than this share of the
pictures have say nothing of it; and what of the way from chance to 1 an average precision must
have gone."""


def of(seen: TaggingInterpretation) -> list[Advice]:
    """All advice of these rules."""
    found = nothing_learned(seen) or rare_labels(seen)
    return [found] if found is not None else []


def nothing_learned(seen: TaggingInterpretation) -> Advice | None:
    """The pictures that have a label are ranked no higher than the others, for most labels."""
    table, recipe = seen.scores(), seen.scene.recipe
    # An average precision of few pictures is above their share by chance.
    table = table[(table["count"] >= ENOUGH) & (table["share"] <= MOST)]
    gained = ((table["average_precision"] - table["share"]) / (1 - table["share"])).sort_values()
    poor = gained[gained < GAINED]
    if seen.count < LEAST or recipe is None or 2 * len(poor) <= len(gained):
        return None
    told = some(
        f"{name} {table.loc[name, 'average_precision']:.2f} of {table.loc[name, 'share']:.2f}"
        for name in poor.index
    )
    return unlearned(
        recipe,
        f"the average precision of {len(poor)} of {len(gained)} labels is what chance gives, the "
        f"share of pictures that have it: {told}",
        "; look at batch.png whether labels and pictures belong together",
    )


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
