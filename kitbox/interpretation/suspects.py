"""Labels that look wrong: the model is sure of another class, as sure as of that class's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def suspects(
    probabilities: np.ndarray, targets: np.ndarray, margin: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures off the diagonal of the confident joint, surest first.

    After Northcutt et al., "Confident Learning: Estimating Uncertainty in Dataset Labels",
    2021: a picture counts as of class j where its probability of j is at least the mean one
    that pictures labelled j have of j; of several such classes of the likeliest. The pictures
    must not have been trained on.

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
