"""Distances between points and where they were predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def mean(targets: np.ndarray, predicted: np.ndarray, units: np.ndarray | None = None) -> float:
    """The mean over pictures of the mean distance of a picture's known points.

    Args:
        targets: (N, P, 2), NaN where unknown; pictures without a known point do not count.
        predicted: (N, P, 2).
        units: (N,), what each picture's distances are divided by; pictures where it is
            0 or NaN do not count.

    Returns:
        NaN where no picture counts.
    """
    import numpy as np

    apart = np.hypot(*np.moveaxis(predicted - targets, -1, 0))
    known = ~np.isnan(targets).any(axis=2)
    counts = known.sum(axis=1)
    each = np.where(known, apart, 0).sum(axis=1) / np.maximum(counts, 1)
    chosen = counts > 0
    if units is not None:
        chosen &= units > 0
        each = each / np.where(chosen, units, 1)
    return float(each[chosen].mean()) if chosen.any() else float("nan")
