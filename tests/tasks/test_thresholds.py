"""Thresholds against trying every one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from kitbox.tasks import tag_scores, thresholds


def made(rows: int = 60, labels: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    targets = (rng.uniform(size=(rows, labels)) < np.linspace(0.1, 0.7, labels)).astype(np.uint8)
    return targets, np.clip(rng.normal(0.3 + 0.25 * targets, 0.2), 0, 1)


@pytest.mark.parametrize(
    "spec",
    [
        "f_beta",
        {"use": "f_beta", "beta": 1, "average": "macro"},
        "accuracy_at_threshold",
        "hamming_loss",
        "f1_score",
    ],
)
def test_no_threshold_is_better_than_the_best(spec: Any) -> None:
    targets, probabilities = made()
    values = [
        tag_scores.compute(spec, targets, probabilities, probabilities > t) for t in thresholds.GRID
    ]
    best = min(values) if spec == "hamming_loss" else max(values)
    found = thresholds.one(spec, targets, probabilities)
    chosen = probabilities > found
    assert tag_scores.compute(spec, targets, probabilities, chosen) == pytest.approx(best)
    assert min(values) < max(values)


def test_the_middle_of_the_longest_run_of_equals() -> None:
    targets = np.array([[0], [0], [1], [1]], np.uint8)
    probabilities = np.array([[0.1], [0.2], [0.8], [0.9]])
    assert thresholds.one("f_beta", targets, probabilities) == pytest.approx(0.49, abs=0.011)


def test_a_metric_that_is_no_number_leaves_a_half() -> None:
    assert thresholds.best(np.full(len(thresholds.GRID), np.nan), 0.5) == 0.5


@pytest.mark.parametrize(
    "spec",
    [
        "f_beta",
        {"use": "f_beta", "beta": 1, "average": "macro"},
        {"use": "f_beta", "beta": 0.5, "average": "micro"},
        "accuracy_at_threshold",
        "hamming_loss",
        "jaccard_score",
    ],
)
def test_one_per_label_is_as_good_or_better(spec: Any) -> None:
    targets, probabilities = made(rows=30)
    shared = thresholds.one(spec, targets, probabilities)
    found = thresholds.each(spec, targets, probabilities)
    assert found.shape == (4,)
    sign = -1 if spec == "hamming_loss" else 1
    alike = tag_scores.compute(spec, targets, probabilities, probabilities > shared)
    better = tag_scores.compute(spec, targets, probabilities, probabilities > found)
    assert sign * better > sign * alike


def test_one_per_label_is_each_label_s_best_where_labels_are_apart() -> None:
    targets, probabilities = made()
    spec = {"use": "f_beta", "beta": 1, "average": "macro"}
    found = thresholds.each(spec, targets, probabilities)
    for k in range(4):
        best = max(
            metrics.f1_score(targets[:, k], probabilities[:, k] > t) for t in thresholds.GRID
        )
        assert metrics.f1_score(targets[:, k], probabilities[:, k] > found[k]) == pytest.approx(
            best
        )


def test_labels_that_all_or_none_have_get_the_one_for_all() -> None:
    targets, probabilities = made()
    targets[:, 0], targets[:, 1] = 0, 1
    found = thresholds.each("f_beta", targets, probabilities)
    shared = thresholds.one("f_beta", targets, probabilities)
    assert found[:2].tolist() == [shared, shared]
