"""Advice for segmentations: small classes that are missed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitbox.errors import some
from kitbox.interpretation.advice import Advice, balanced, has_option

if TYPE_CHECKING:
    from kitbox.interpretation.areas import AreasInterpretation

SMALL, PICTURES = 0.02, 5
"""A class is small below this share of the pixels; and how many pictures must show it."""
LOW, LOWER = 0.3, 0.3
"""IoU below which small classes go wrong, and how much lower than that of the others it must be."""


def of(seen: AreasInterpretation) -> list[Advice]:
    """All advice of these rules."""
    found = small_classes(seen)
    return [found] if found is not None else []


def small_classes(seen: AreasInterpretation) -> Advice | None:
    """Classes of few pixels go wrong far more than others."""
    table = seen.scores()
    table = table[table["pictures"] > 0]
    small = table[(table["share"] < SMALL) & (table["pictures"] >= PICTURES)]
    others = table[table["share"] >= SMALL]
    if not len(small) or not len(others):
        return None
    low, high = float(small["iou"].mean()), float(others["iou"].mean())
    if low > LOW or high - low < LOWER:
        return None
    scene = seen.scene
    task = scene.recipe.task if scene.recipe is not None else scene.task
    change = balanced(scene, "class_weights")
    why = "pictures that show small classes, drawn more often or weighed more, teach them"
    if has_option(task, "losses") and getattr(task, "losses", "") == "cross-entropy":
        change = {"task.losses": {"cross-entropy": 1, "dice": 1}}
        why = "cross-entropy counts pixels, of which small classes have few; Dice counts classes"
    if not change:
        return None
    named = some(f"{name} {value:.2f}" for name, value in small["iou"].items())
    return Advice(
        "imbalance",
        f"classes of few pixels reach an IoU of {low:.2f}, the others {high:.2f}: {named}",
        why,
        change,
    )
