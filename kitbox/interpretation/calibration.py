"""Calibration: whether what is said with a probability of 0.8 is right in 8 of 10."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitbox.interpretation.figures import BLUE, GREY, tidy
from kitbox.interpretation.section import Plot

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = 10) -> pd.DataFrame:
    """Confidence against how often it was right, in bins of equal width.

    Args:
        confidence: probabilities (N,).
        right: what came true (N,), 0 or 1.

    Returns:
        A row a bin that is not empty: `from`, `to`, `count`, `confidence` and `right`, the means.
    """
    import numpy as np
    import pandas as pd

    place = np.clip((confidence * bins).astype(int), 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    there = np.flatnonzero(counts)
    means = [
        np.bincount(place, weights=values, minlength=bins)[there] / counts[there]
        for values in (confidence, right.astype(float))
    ]
    return pd.DataFrame(
        {
            "from": there / bins,
            "to": (there + 1) / bins,
            "count": counts[there],
            "confidence": means[0],
            "right": means[1],
        }
    )


def error(table: pd.DataFrame) -> float:
    """The expected calibration error of a reliability table: how far off, in the mean.

    As in Guo et al., "On Calibration of Modern Neural Networks", 2017.
    """
    apart = (table["confidence"] - table["right"]).abs()
    return float((apart * table["count"]).sum() / max(1, table["count"].sum()))


def draw(table: pd.DataFrame) -> Plot:
    """A reliability diagram, with how many pictures there are of each confidence."""
    figure = Plot(figsize=(5, 4.4))
    upper, lower = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
    upper.plot((0, 1), (0, 1), "--", color=GREY, lw=1, label="as it should be")
    upper.plot(table["confidence"], table["right"], "o-", color=BLUE, label="this model")
    upper.set_ylabel("share that was right", fontsize=9)
    upper.set_ylim(0, 1.02)
    upper.set_xlim(0, 1)
    upper.legend(fontsize=8, frameon=False, loc="upper left")
    upper.set_title(f"Calibration: off by {error(table):.3f} in the mean", fontsize=10, loc="left")
    width = (table["to"] - table["from"]).to_numpy()
    lower.bar(table["from"], table["count"], width=width * 0.92, align="edge", color=BLUE)
    lower.set_xlabel("probability", fontsize=9)
    lower.set_ylabel("count", fontsize=9)
    tidy(upper)
    tidy(lower)
    return figure
