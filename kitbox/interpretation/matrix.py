"""Confusion matrices: similar classes side by side, and drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitbox.ink import shortened
from kitbox.interpretation.section import Plot

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

CLUSTERED = 12
"""More classes than these are drawn with similar ones side by side."""
NUMBERED = 25
"""Cells of a matrix with more classes than these have no numbers in them."""
DRAWN = 40
"""Classes of a plot, at most, unless asked for: more names cannot be read."""
LETTERS = 28
"""Of a name, at most."""


def similar_first(counts: np.ndarray) -> list[int]:
    """An order of K classes with those side by side that are taken for one another.

    By average linkage of the share of pictures that two classes exchange, leaves ordered as
    in Bar-Joseph et al., "Fast optimal leaf ordering for hierarchical clustering", 2001.

    Args:
        counts: (K, K), rows true, columns predicted.
    """
    import numpy as np
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    if len(counts) < 3:
        return list(range(len(counts)))
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    exchanged = (shares + shares.T) / 2
    apart = 1 - np.clip(exchanged, 0, 1)
    np.fill_diagonal(apart, 0)
    tree = linkage(squareform(apart, checks=False), "average", optimal_ordering=len(counts) <= 400)
    return [int(one) for one in leaves_list(tree)]


def most_involved(counts: np.ndarray, most: int) -> list[int]:
    """The classes with the most errors, in truth or prediction, in their order."""
    import numpy as np

    errors = counts - np.diag(np.diag(counts))
    involved = errors.sum(axis=0) + errors.sum(axis=1)
    return sorted(np.argsort(-involved, kind="stable")[:most].tolist())


def draw(matrix: pd.DataFrame, *, most: int | None = DRAWN, unit: str = "pictures") -> Plot:
    """A confusion matrix as a plot: rows are the truth, colours shares of a row.

    A row without pictures is grey.

    Args:
        matrix: counts, index and columns are the K classes.
        most: classes at most, those with the most errors; None for all.
    """
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap

    counts = matrix.to_numpy(float)
    chosen = list(range(len(counts)))
    if most is not None and len(counts) > most:
        chosen = most_involved(counts, most)
    inner = counts[np.ix_(chosen, chosen)]
    if len(chosen) > CLUSTERED:
        order = similar_first(inner)
        chosen, inner = [chosen[one] for one in order], inner[np.ix_(order, order)]
    names = [shortened(str(matrix.index[one]), LETTERS) for one in chosen]
    totals = counts.sum(axis=1)[chosen][:, None]
    shares = np.divide(inner, totals, out=np.full_like(inner, np.nan), where=totals > 0)
    right = np.eye(len(chosen), dtype=bool)

    side = max(2.6, 0.33 * len(chosen)) if len(chosen) <= NUMBERED else 0.19 * len(chosen)
    side = min(side, 20.0)
    figure = Plot(figsize=(side + 2.4, side + 1.9))
    axis = figure.subplots()
    axis.set_facecolor("#ececec")
    for name, color, mask in (("right", "#1b5e8c", ~right), ("wrong", "#b3261e", right)):
        colors = LinearSegmentedColormap.from_list(name, ["#ffffff", color])
        axis.imshow(
            np.ma.masked_array(shares, mask | np.isnan(shares)), cmap=colors, vmin=0, vmax=1
        )
    letters = 8 if len(chosen) <= NUMBERED else max(3.5, min(7.0, 0.75 * 72 * side / len(chosen)))
    axis.set_xticks(range(len(names)), names, rotation=90, fontsize=letters)
    axis.set_yticks(range(len(names)), names, fontsize=letters)
    for label in [*axis.get_xticklabels(), *axis.get_yticklabels()]:
        label.set_parse_math(False)
    axis.set_xlabel("predicted", fontsize=9)
    axis.set_ylabel("true", fontsize=9)
    if len(chosen) <= NUMBERED:
        whole = unit == "pictures"
        for row, column in zip(*np.nonzero(inner), strict=True):
            share = shares[row, column]
            text = f"{inner[row, column]:.0f}" if whole else _percent(share)
            if text:
                axis.text(
                    column,
                    row,
                    text,
                    ha="center",
                    va="center",
                    fontsize=7.5,
                    color="white" if share > 0.5 else "#222222",
                )
    what = (
        f"the {len(chosen)} of {len(counts)} classes with the most errors"
        if (len(chosen) < len(counts))
        else f"{len(counts)} classes"
    )
    beside = ", similar ones side by side" if len(chosen) > CLUSTERED else ""
    axis.set_title(f"Confusion: {what}{beside}", fontsize=10, loc="left")
    axis.tick_params(length=0)
    for spine in axis.spines.values():
        spine.set_color("#bbbbbb")
    return figure


def pairs(matrix: pd.DataFrame, min_count: float = 2) -> pd.DataFrame:
    """The errors off the diagonal, most first: `truth`, `predicted`, `count`, `share` of the true.

    Args:
        min_count: pairs with fewer are left out.
    """
    import numpy as np
    import pandas as pd

    counts = matrix.to_numpy()
    wrong = np.where(np.eye(len(counts), dtype=bool), 0, counts)
    found = np.argwhere((wrong >= min_count) & (wrong > 0))
    totals = counts.sum(axis=1)
    table = pd.DataFrame(
        {
            "truth": [matrix.index[row] for row, _ in found],
            "predicted": [matrix.columns[column] for _, column in found],
            "count": [wrong[row, column] for row, column in found],
            "share": [float(wrong[row, column] / totals[row]) for row, column in found],
        }
    )
    return table.sort_values(["count", "share"], ascending=False, kind="stable", ignore_index=True)


def _percent(share: float) -> str:
    """A share in a cell: nothing where it is too small to matter."""
    return "" if share < 0.005 else f"{100 * share:.0f}"
