"""Advice for classes: rare ones that are missed, pairs, labels that look wrong, overconfidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitbox.errors import counted, some
from kitbox.interpretation.advice import (
    SUSPECTS,
    Advice,
    balanced,
    beside,
    guessing,
    has_option,
    oversampled,
    suspected,
)
from kitbox.interpretation.section import each
from kitbox.interpretation.suspects import SURE

if TYPE_CHECKING:
    from kitbox.interpretation.classification import ClassificationInterpretation

RARE = 0.35
"""A class is rare with fewer training pictures than this share of the mean of all classes."""
ENOUGH, FEWEST = 8, 5
"""Pictures here that it takes to say something of a pair of classes, or of all rare ones together;
and of one class, where chance is reckoned with."""
LEAST = 20
"""Pictures that it takes to say that nothing was learned."""
MISSED = 0.2
"""How much lower the recall of rare classes, or of a class, must be than that of the others."""
TAKEN = 0.3
"""The share of a class's pictures that are taken for one other class."""
DOUBTED = 3
"""Labels that look wrong, at least."""
SHARE = 0.015
"""And at least this share of the pictures."""
TRUSTED = 0.8
"""The least share of right pictures of a model whose doubts about labels are worth telling."""
OF_VALIDATION = (
    "These are validation pictures: without wrong labels the scores say more, and rise, but the "
    "model is no better. Training labels may be wrong as often: models that were not trained on "
    "them find those, in folds (docs/better.md)"
)
OF_TRAINING = (
    "The model was trained on them and may have learned wrong labels: models that were not, in "
    "folds, find more (docs/better.md)"
)
"""What it means to leave out validation and training pictures whose labels look wrong."""
OVERCONFIDENT, UNDERCONFIDENT = 0.1, 0.25
"""How much higher than the share of right pictures the mean probability must be, or lower."""


def of(seen: ClassificationInterpretation) -> list[Advice]:
    """All advice of these rules; of a model that learned nothing, that alone."""
    if (nothing := nothing_learned(seen)) is not None:
        return [nothing]
    rules = (imbalance, one_class, one_pair, labels, overconfidence, underconfidence)
    found = [advice for rule in rules if (advice := rule(seen)) is not None]
    pair = next((one for one in found if one.about == "two classes"), None)
    # The same pictures: what is told of the pair is the more exact.
    return [one for one in found if not (pair is not None and one.about == "one class")]


def nothing_learned(seen: ClassificationInterpretation) -> Advice | None:
    """No more pictures are right than if all were called as the most frequent class."""
    import numpy as np

    recipe = seen.scene.recipe
    if seen.count < LEAST or recipe is None or len(seen.classes) < 2:
        return None
    right = float((seen.chosen == seen.targets).mean())
    common = np.bincount(seen.targets).max() / seen.count
    return guessing(recipe, right, common, "pictures", "labels and pictures belong together")


def imbalance(seen: ClassificationInterpretation) -> Advice | None:
    """Classes that are rare in training are found less often than others."""
    table = seen.scores()
    rare = table["train"] < RARE * table["train"].mean()
    few, many = table[rare], table[~rare]
    if few["count"].sum() < ENOUGH or not many["count"].sum():
        return None
    hits = (table["recall"].fillna(0) * table["count"]).groupby(rare).sum()
    low, high = (float(hits[one] / table["count"][rare == one].sum()) for one in (True, False))
    if high - low < MISSED:
        return None
    change = balanced(seen.scene, "class_weights")
    if not change:
        return None
    names = some(f"{name} ({row['train']:.0f})" for name, row in few.iterrows())
    return Advice(
        "imbalance",
        f"of classes with few training pictures {low:.0%} are found, of the others {high:.0%}: "
        f"{names}, where a class has {table['train'].mean():.0f} in the mean",
        "drawn as often as others, or weighed more, rare classes are not worth ignoring",
        change,
    )


def one_class(seen: ClassificationInterpretation) -> Advice | None:
    """A class goes wrong, beyond what chance explains, though it is not rare."""
    table = seen.scores()
    rare = table["train"] < RARE * table["train"].mean()
    known = table[(table["count"] >= FEWEST) & ~rare]
    if not len(known):
        return None
    overall = float((seen.chosen == seen.targets).mean())
    name = str(known["recall"].idxmin())
    recall, count = float(known["recall"][name]), int(known["count"][name])
    chance = (overall * (1 - overall) / count) ** 0.5
    if recall > 0.5 or overall - recall < max(MISSED, 3 * chance):
        return None
    change, first = oversampled(seen.scene)
    return Advice(
        "one class",
        f"{recall:.0%} of {count} pictures of {name} are found, of all {overall:.0%}",
        "the training pictures that the model does worst on, drawn more often, teach it the "
        "difference; look at them first, labels may be wrong",
        change,
        first,
    )


def one_pair(seen: ClassificationInterpretation) -> Advice | None:
    """A class is taken for one other: details that the size does not show, perhaps."""
    pairs = seen.most_confused(4)
    counts = dict(zip(seen.classes, seen.confusion_matrix().sum(axis=1), strict=True))
    pairs = pairs[(pairs["truth"].map(counts) >= ENOUGH) & (pairs["share"] >= TAKEN)]
    if not len(pairs):
        return None
    first = pairs.iloc[0]
    recipe = seen.scene.recipe
    seen_words = (
        f"{first['share']:.0%} of the {counts[first['truth']]} pictures of {first['truth']} are "
        f"taken for {first['predicted']}"
    )
    if recipe is None or max(recipe.hw) >= 384:
        change, before = oversampled(seen.scene)
        why = "the training pictures that the model does worst on, drawn more often"
        return Advice("two classes", seen_words, why, change, before)
    height, width = (int(round(1.4 * side / 32) * 32) for side in recipe.hw)
    size = height if height == width else [height, width]
    place = f"stages.{len(recipe.stages) - 1}.size"
    return Advice(
        "two classes",
        seen_words,
        f"what tells similar classes apart may be too small at {recipe.hw[0]}x{recipe.hw[1]}: a "
        "last stage on larger pictures shows it. If the two are one thing to you, make them one "
        "class",
        {place: size},
    )


def labels(seen: ClassificationInterpretation) -> Advice | None:
    """Labels that look wrong to a model that is mostly right.

    They are `seen.suspects()`, as the file that the advice names has them, where those are more
    than the model's own probabilities announce as errors.
    """
    right = float((seen.chosen == seen.targets).mean())
    doubted = seen.suspects()
    sure = seen.probabilities.max(axis=1)
    announced = float((1 - sure[sure >= SURE]).sum())
    if right < TRUSTED or len(doubted) < max(DOUBTED, SHARE * seen.count, announced):
        return None
    scene = seen.scene
    folder = f"{scene.run}/interpretation/" if scene.run is not None else ""
    trained = seen.trained_on()
    named = some(f"{row.image} ({row.truth}, seems {row.seems})" for row in each(doubted.head(3)))
    return Advice(
        "labels",
        f"{counted(len(doubted), 'label')} of {seen.count} "
        f"{'looks' if len(doubted) == 1 else 'look'} wrong: {named}",
        f"look at them in {SUSPECTS}; correct the labels, or keep in the file what is to be left "
        f"out{beside(scene)}. {OF_TRAINING if trained else OF_VALIDATION}",
        {"exclude": f"{folder}{SUSPECTS}"},
        suspected(scene, trained=trained),
    )


def overconfidence(seen: ClassificationInterpretation) -> Advice | None:
    """Probabilities are far higher than the share of pictures that are right."""
    table = seen.calibration()
    mean = float((table["confidence"] * table["count"]).sum() / table["count"].sum())
    right = float((seen.chosen == seen.targets).mean())
    task = seen.scene.recipe.task if seen.scene.recipe is not None else seen.scene.task
    if seen.count < 50 or mean - right < OVERCONFIDENT or not has_option(task, "smoothing"):
        return None
    smoothing = float(getattr(task, "smoothing", 0))
    if smoothing >= 0.1:
        return None
    return Advice(
        "overconfidence",
        f"the model says {mean:.2f} in the mean and is right in {right:.2f}",
        "smoothed labels ask for less than certainty; probabilities that are meant count in "
        "metrics such as log loss",
        {"task.smoothing": 0.1},
    )


def underconfidence(seen: ClassificationInterpretation) -> Advice | None:
    """Probabilities are far lower than the share of pictures that are right: smoothed labels."""
    table = seen.calibration()
    mean = float((table["confidence"] * table["count"]).sum() / table["count"].sum())
    right = float((seen.chosen == seen.targets).mean())
    task = seen.scene.recipe.task if seen.scene.recipe is not None else seen.scene.task
    smoothing = float(getattr(task, "smoothing", 0))
    if seen.count < 50 or right - mean < UNDERCONFIDENT or not smoothing:
        return None
    return Advice(
        "underconfidence",
        f"the model says {mean:.2f} in the mean and is right in {right:.2f}",
        f"labels are smoothed by {smoothing:g}, which asks for less than certainty; where "
        "probabilities are handed in (log loss), plain labels and more epochs are better",
        {"task.smoothing": 0.0},
    )
