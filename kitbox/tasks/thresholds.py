"""Thresholds of probabilities, chosen on predictions whose labels are known."""

from __future__ import annotations

import numpy as np

from kitbox.tasks import scores, tag_scores
from kitbox.tasks.specs import MetricSpec

GRID = np.round(
    np.concatenate([[0.001, 0.002, 0.005], np.arange(0.01, 0.995, 0.01), [0.995, 0.998, 0.999]]), 3
)
"""The thresholds that are tried."""

GAIN = 1e-9
"""How much better is better: sums in another order differ by less."""

PASSES = 3


def one(metric: MetricSpec, targets: np.ndarray, probabilities: np.ndarray) -> float:
    """The threshold for all labels with the best metric, of targets and probabilities (N, K).

    Of a run of equally good ones it is the middle of the longest; 0.5 where the
    metric is nowhere a number.
    """
    values = [
        tag_scores.compute(metric, targets, probabilities, probabilities > threshold)
        for threshold in GRID
    ]
    return best(_sign(metric) * np.array(values), 0.5)


def each(metric: MetricSpec, targets: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """A threshold per label (K,), together at least as good as the best one for all.

    Label by label, again until nothing gets better (three times at most). A label
    that all pictures or none have says nothing of its threshold: it gets the one for all.
    """
    start, sign = one(metric, targets, probabilities), _sign(metric)
    thresholds = np.full(probabilities.shape[1], start)
    chosen = probabilities > start
    told = np.flatnonzero((targets.min(axis=0) == 0) & (targets.max(axis=0) == 1))
    for _ in range(PASSES):
        changed = False
        for label in told:
            choices = probabilities[:, label, None] > np.append(GRID, thresholds[label])
            values = sign * tag_scores.sweep(
                metric, targets, probabilities, chosen, int(label), choices
            )
            found = best(values[:-1], thresholds[label])
            gain = values[:-1][found == GRID].max(initial=-np.inf) - values[-1]
            if gain > GAIN:
                thresholds[label] = found
                chosen[:, label] = probabilities[:, label] > found
                changed = True
        if not changed:
            break
    return thresholds


def best(values: np.ndarray, otherwise: float) -> float:
    """The threshold of the greatest of the values (T,) of `GRID`: the middle of the longest run."""
    known = np.where(np.isnan(values), -np.inf, values)
    if not np.isfinite(known).any():
        return otherwise
    good = np.append(known >= known.max() - GAIN, False)
    runs: list[tuple[int, int]] = []
    begin = None
    for place, is_good in enumerate(good.tolist()):
        if is_good and begin is None:
            begin = place
        elif not is_good and begin is not None:
            runs.append((begin, place - 1))
            begin = None
    first, last = max(runs, key=lambda run: run[1] - run[0])
    return float(GRID[(first + last) // 2])


def _sign(metric: MetricSpec) -> int:
    """What makes greater values of a metric better."""
    return 1 if scores.direction(metric) == "max" else -1
