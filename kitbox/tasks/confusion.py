"""Confusion of classes over pixels, counted as batches pass, and the metrics of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kitbox.errors import nearest
from kitbox.tasks.codes import VOID

if TYPE_CHECKING:
    import numpy as np
    import torch

    from kitbox.data.frames import Frames

METRICS = ("mean_iou", "pixel_accuracy", "dice", "mean_accuracy")
"""Over all classes; `iou_NAME` and `dice_NAME` are those of one class."""


class Confusion:
    """Counts pixels by true and predicted class; its memory does not grow.

    Args:
        classes: K.
        bias: added to the outputs (K,) before the highest one is chosen; None for none.
    """

    def __init__(self, classes: int, bias: Sequence[float] | None = None) -> None:
        self.classes, self._bias = classes, bias
        self._counts: torch.Tensor | None = None

    def add(self, outputs: torch.Tensor, targets: torch.Tensor, frames: Frames) -> None:
        """See `kitbox.contracts.Tally`: outputs (B, K, H, W), class numbers (B, H, W).

        Pixels that are `VOID` in the targets are not counted. Does not wait for the
        device: `bincount` would, to learn the size of its result.
        """
        import torch

        if self._counts is None:
            self._counts = torch.zeros(
                (self.classes + 1) * self.classes, dtype=torch.int64, device=outputs.device
            )
        if self._bias is not None:
            for number, bias in enumerate(self._bias):
                if bias:
                    outputs = outputs.clone()
                    outputs[:, number] += bias
        # A last row takes what is not counted.
        true = torch.where(targets == VOID, self.classes, targets)
        pairs = (true * self.classes + outputs.argmax(1)).flatten()
        self._counts.scatter_add_(0, pairs, torch.ones_like(pairs))

    @property
    def matrix(self) -> np.ndarray:
        """Pixels by true (rows) and predicted class (columns), (K, K) int64."""
        import numpy as np

        if self._counts is None:
            return np.zeros((self.classes, self.classes), np.int64)
        counts = self._counts.cpu().numpy()
        return counts.reshape(self.classes + 1, self.classes)[:-1].copy()


def compute(metric: str, matrix: np.ndarray, names: Sequence[str]) -> float:
    """A metric of a confusion matrix (K, K), rows true; NaN where nothing was counted.

    Means are over the classes that are there, in truth or prediction, as
    scikit-learn's `jaccard_score` and `f1_score` with `average="macro"` have it.

    Raises:
        ValueError: when there is no such metric.
    """
    import numpy as np

    hits = np.diag(matrix).astype(np.float64)
    true, predicted = matrix.sum(axis=1), matrix.sum(axis=0)
    kind, _, name = metric.partition("_")
    with np.errstate(invalid="ignore", divide="ignore"):
        iou = hits / (true + predicted - hits)
        dice = 2 * hits / (true + predicted)
        if metric == "pixel_accuracy":
            return float(hits.sum() / np.float64(matrix.sum()))
        if metric == "mean_iou":
            return _mean(iou)
        if metric == "dice":
            return _mean(dice)
        if metric == "mean_accuracy":
            return _mean(hits / true)
    if kind in ("iou", "dice") and name in names:
        return float((iou if kind == "iou" else dice)[list(names).index(name)])
    raise ValueError(f"there is no metric {metric!r}. {_hint(metric, names)}")


def looks_right(metric: str) -> bool:
    """Whether a metric is known, or is that of a class whose name is not known yet.

    >>> looks_right("dice"), looks_right("iou_road"), looks_right("accuracy")
    (True, True, False)
    """
    kind, _, name = metric.partition("_")
    return metric in METRICS or (kind in ("iou", "dice") and bool(name))


def _hint(metric: str, names: Sequence[str]) -> str:
    return nearest(metric, [*METRICS, *(f"{k}_{n}" for k in ("iou", "dice") for n in names)])


def _mean(values: np.ndarray) -> float:
    import numpy as np

    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
