"""Labels that look wrong: the model is sure of another class, as sure as of that class's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitbox.interpretation.section import Section

if TYPE_CHECKING:
    import numpy as np

    from kitbox.interpretation.classification import ClassificationInterpretation

SURE, KNOWN = 0.8, 0.7
"""A label looks wrong where another class is likelier by this, and the label's own class is one
that the model knows: of which it finds this share at least. Of others its doubts say nothing."""
MAYBE = 0.5
"""By how much another class must be likelier for a label that may be wrong."""
NAME = "suspects"
"""Of the table and its file."""


def suspects(
    probabilities: np.ndarray, targets: np.ndarray, margin: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures off the diagonal of the confident joint, surest first.

    After Northcutt et al., "Confident Learning: Estimating Uncertainty in Dataset Labels",
    2021: a picture counts as of class j where its probability of j is at least the mean one
    that pictures labelled j have of j; of several such classes of the likeliest.

    The probabilities must come from a model that was not trained on these pictures, as of
    validation pictures, or of folds (out-of-fold). One that was trained on a wrong label may have
    learned it: there fewer are found, and that none is found says little.

    Args:
        probabilities: (N, K).
        targets: class numbers (N,).
        margin: the least difference between the other class's probability and the label's.

    Returns:
        Places (M,), the class (M,) that each seems to be, and the margins (M,).
    """
    import numpy as np

    classes = probabilities.shape[1]
    thresholds = np.full(classes, np.inf)
    for number in np.unique(targets).tolist():
        thresholds[number] = probabilities[targets == number, number].mean()
    confident = probabilities >= thresholds - 1e-6  # the mean of equal ones is not exact
    likeliest = np.where(confident, probabilities, -1).argmax(axis=1)
    own = probabilities[np.arange(len(targets)), targets]
    apart = probabilities[np.arange(len(targets)), likeliest] - own
    found = np.flatnonzero(
        confident.any(axis=1) & (likeliest != targets) & (apart >= margin) & (apart > 0)
    )
    found = found[np.argsort(-apart[found], kind="stable")]
    return found, likeliest[found], apart[found]


def of_known(
    seen: ClassificationInterpretation, margin: float, known: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `suspects`, of labels whose class is found in a share `known` of its pictures at least."""
    import numpy as np

    places, seems, apart = suspects(seen.probabilities, seen.targets, margin)
    size = len(seen.classes)
    right = np.bincount(seen.targets[seen.chosen == seen.targets], minlength=size)
    recall = right / np.maximum(1, np.bincount(seen.targets, minlength=size))
    there = recall[seen.targets[places]] >= known
    return places[there], seems[there], apart[there]


def sections(seen: ClassificationInterpretation) -> list[Section]:
    """The section of all labels that look wrong, where there are any."""
    places, _, _ = of_known(seen, SURE, KNOWN)
    if not len(places):
        return []
    text = (
        "The model is as sure of another class as of pictures that are labelled so, and knows the "
        "label's own class. Look at them: where the label is wrong, correct it or leave the "
        "picture out."
    )
    if seen.trained_on():
        text += (
            " The model was trained on these pictures and may have learned wrong labels: there may "
            "be more."
        )
    shown = {NAME: seen.plot_pictures(places[:9])}
    return [Section("Labels that look wrong", text, {NAME: seen.suspects()}, shown)]
