"""Advice for segmentations: nothing learned, a class that is missed, small classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitbox.errors import some
from kitbox.interpretation.advice import Advice, balanced, guessing, has_option, oversampled

if TYPE_CHECKING:
    from kitbox.interpretation.areas import AreasInterpretation

SMALL, PICTURES = 0.02, 5
"""A class is small below this share of the pixels; and how many pictures must show it."""
LOW, LOWER = 0.3, 0.3
"""IoU below which small classes go wrong, and how much lower than that of the others it must be."""
MISSED = 0.15
"""IoU up to which a large class is missed."""


def of(seen: AreasInterpretation) -> list[Advice]:
    """All advice of these rules."""
    if (nothing := nothing_learned(seen)) is not None:
        return [nothing]
    found = (one_class(seen), small_classes(seen))
    return [one for one in found if one is not None]


def nothing_learned(seen: AreasInterpretation) -> Advice | None:
    """No more pixels are right than if all were called as the most frequent class."""
    hits, true, _ = seen.pixels.sum(axis=0).astype(float)
    recipe = seen.scene.recipe
    if recipe is None or seen.count < PICTURES or not true.sum() or len(seen.classes) < 2:
        return None
    right, common = hits.sum() / true.sum(), true.max() / true.sum()
    return guessing(recipe, right, common, "pixels", "masks lie on their pictures")


def one_class(seen: AreasInterpretation) -> Advice | None:
    """A class of many pixels is missed, though the others are found."""
    table = seen.scores()
    large = table[(table["share"] >= SMALL) & (table["pictures"] >= PICTURES)]
    if len(large) < 2:
        return None
    name = str(large["iou"].idxmin())
    iou, high = float(large["iou"][name]), float(large["iou"].drop(name).mean())
    if iou > MISSED or high < MISSED + LOWER:
        return None
    pairs = seen.most_confused(1)
    pairs = pairs[pairs["truth"] == name]
    taken = ""
    if len(pairs):
        first = pairs.iloc[0]
        taken = f", {first['share']:.0%} of its pixels are taken for {first['predicted']}"
    change, before = oversampled(seen.scene)
    return Advice(
        "one class",
        f"{name} reaches an IoU of {iou:.2f}, other large classes {high:.2f} in the mean{taken}",
        "the training pictures that the model does worst on, drawn more often, teach it the "
        "difference; look at them first, masks or codes may be wrong",
        change,
        before,
    )


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
