"""Metrics against scikit-learn called directly."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import scipy.special
from sklearn import metrics

from kitbox.tasks import scores, specs


def make(classes: int, rows: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Class numbers that hold every class, and probabilities that know a little of them."""
    rng = np.random.default_rng(seed)
    targets = rng.permutation(np.arange(rows) % classes)
    logits = rng.normal(size=(rows, classes))
    logits[np.arange(rows), targets] += 0.8
    return targets, scipy.special.softmax(logits, axis=1)


def test_softmax_is_scipys_also_for_great_numbers() -> None:
    outputs = np.random.default_rng(0).normal(scale=300, size=(20, 5)).astype(np.float32)
    found = scores.softmax(outputs)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, scipy.special.softmax(outputs.astype(float), axis=1))
    assert scores.softmax(np.empty((0, 3), np.float32)).shape == (0, 3)


@pytest.mark.parametrize("classes", [2, 4])
def test_accuracy_and_error_rate(classes: int) -> None:
    targets, probabilities = make(classes)
    expected = metrics.accuracy_score(targets, probabilities.argmax(1))
    assert 0 < expected < 1
    assert scores.compute("accuracy", targets, probabilities) == pytest.approx(expected)
    assert scores.compute("accuracy_score", targets, probabilities) == pytest.approx(expected)
    assert scores.compute("error_rate", targets, probabilities) == pytest.approx(1 - expected)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_top_k(count: int) -> None:
    targets, probabilities = make(5)
    expected = metrics.top_k_accuracy_score(targets, probabilities, k=count)
    assert scores.compute(f"top_{count}", targets, probabilities) == pytest.approx(expected)


def test_top_k_of_fewer_classes_is_always_right() -> None:
    assert scores.compute("top_5", *make(3)) == 1


@pytest.mark.parametrize("average", ["macro", "weighted", "micro"])
def test_f1_of_many_classes(average: str) -> None:
    targets, probabilities = make(4)
    expected = metrics.f1_score(targets, probabilities.argmax(1), average=average)
    spec = {"use": "f1_score", "average": average}
    assert scores.compute(spec, targets, probabilities) == pytest.approx(expected)
    if average == "macro":
        assert scores.compute("f1_score", targets, probabilities) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["f1_score", "precision_score", "matthews_corrcoef"])
def test_two_classes_use_the_second_as_positive(name: str) -> None:
    targets, probabilities = make(2)
    expected = getattr(metrics, name)(targets, probabilities.argmax(1))
    assert scores.compute(name, targets, probabilities) == pytest.approx(expected)


def test_options_reach_scikit_learn() -> None:
    targets, probabilities = make(4)
    spec = {"use": "cohen_kappa_score", "weights": "quadratic"}
    expected = metrics.cohen_kappa_score(targets, probabilities.argmax(1), weights="quadratic")
    assert scores.compute(spec, targets, probabilities) == pytest.approx(expected)
    assert specs.label(spec) == "cohen_kappa_score_quadratic"


@pytest.mark.parametrize("classes", [2, 4])
def test_log_loss(classes: int) -> None:
    targets, probabilities = make(classes)
    expected = -np.log(probabilities[np.arange(len(targets)), targets]).mean()
    assert scores.compute("log_loss", targets, probabilities) == pytest.approx(expected)
    assert metrics.log_loss(targets, probabilities) == pytest.approx(expected)


def test_log_loss_of_a_set_without_one_of_the_classes() -> None:
    targets, probabilities = make(4)
    kept = targets != 2
    expected = -np.log(probabilities[kept, targets[kept]]).mean()
    found = scores.compute("log_loss", targets[kept], probabilities[kept])
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_area_under_the_curve_of_many_classes(average: str) -> None:
    targets, probabilities = make(4)
    expected = metrics.roc_auc_score(targets, probabilities, multi_class="ovr", average=average)
    spec = {"use": "roc_auc_score", "average": average}
    assert scores.compute(spec, targets, probabilities) == pytest.approx(expected)
    pairs = metrics.roc_auc_score(targets, probabilities, multi_class="ovo")
    assert scores.compute(
        {"use": "roc_auc_score", "multi_class": "ovo"}, targets, probabilities
    ) == pytest.approx(pairs)


@pytest.mark.parametrize("name", ["roc_auc_score", "average_precision_score", "brier_score_loss"])
def test_metrics_of_one_probability(name: str) -> None:
    targets, probabilities = make(2)
    expected = getattr(metrics, name)(targets, probabilities[:, 1])
    assert scores.compute(name, targets, probabilities) == pytest.approx(expected)


def test_average_precision_of_many_classes_is_the_mean_over_classes() -> None:
    targets, probabilities = make(4)
    expected = np.mean(
        [metrics.average_precision_score(targets == k, probabilities[:, k]) for k in range(4)]
    )
    found = scores.compute("average_precision_score", targets, probabilities)
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("classes", [2, 4])
def test_a_metric_that_cannot_be_computed_is_nan(classes: int) -> None:
    targets, probabilities = make(classes)
    kept = targets != 1
    assert np.isnan(scores.compute("roc_auc_score", targets[kept], probabilities[kept]))


@pytest.mark.parametrize("name", ["d2_log_loss_score", "d2_brier_score"])
def test_scores_of_probabilities_get_probabilities(name: str) -> None:
    function = getattr(metrics, name, None)
    if function is None:
        pytest.skip(f"this scikit-learn has no {name}")
    targets, probabilities = make(4)
    expected = function(targets, probabilities)
    assert scores.compute(name, targets, probabilities) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("spec", "better"),
    [
        ("error_rate", "min"),
        ("log_loss", "min"),
        ("zero_one_loss", "min"),
        ("max_error", "min"),
        ("accuracy", "max"),
        ("top_5", "max"),
        ("d2_log_loss_score", "max"),
        ({"use": "f1_score", "average": "micro"}, "max"),
    ],
)
def test_which_way_is_better(spec: specs.MetricSpec, better: str) -> None:
    assert scores.direction(spec) == better


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("acuracy", "'accuracy'"),
        ("f1_scor", "'f1_score'"),
        ("top_0", "'top_5'"),
        ({"use": "f1_score", "avrage": "macro"}, "'average'"),
        ({"use": "accuracy", "k": 3}, "no options"),
        ({"average": "macro"}, "`use`"),
        ({"use": 3}, "`use`"),
        ("fbeta_score", "beta"),
    ],
)
def test_a_wrong_metric_says_what_to_write(spec: Any, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        scores.check(spec)


@pytest.mark.parametrize(
    "spec", ["accuracy", "top_3", "log_loss", {"use": "fbeta_score", "beta": 2}]
)
def test_a_right_metric_passes_and_computes(spec: specs.MetricSpec) -> None:
    scores.check(spec)
    assert np.isfinite(scores.compute(spec, *make(3)))
