"""Metrics against scikit-learn called directly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from kitbox.tasks import tag_scores


def made(rows: int = 50, labels: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    targets = (rng.uniform(size=(rows, labels)) < 0.3).astype(np.uint8)
    probabilities = np.clip(rng.normal(0.35 + 0.2 * targets, 0.2), 0.001, 0.999)
    return targets, probabilities, probabilities > 0.45


@pytest.mark.parametrize("average", tag_scores.AVERAGES)
@pytest.mark.parametrize("beta", [0.5, 1, 2])
@pytest.mark.parametrize("division", [0, 1])
def test_f_beta(average: str, beta: float, division: float) -> None:
    targets, probabilities, chosen = made()
    targets[:6], chosen[:3] = 0, False  # pictures without labels, and without a choice
    targets[:, 1], chosen[:, 1] = 0, False
    spec = {"use": "f_beta", "beta": beta, "average": average, "zero_division": division}
    expected = metrics.fbeta_score(
        targets, chosen, beta=beta, average=average, zero_division=float(division)
    )
    found = tag_scores.compute(spec, targets, probabilities, chosen)
    assert found == pytest.approx(expected)
    assert 0 < found < 1


def test_f_beta_weighs_recall_twice_over_pictures_by_default() -> None:
    targets, probabilities, chosen = made()
    targets[:6], chosen[:3] = 0, False
    expected = metrics.fbeta_score(targets, chosen, beta=2, average="samples", zero_division=1.0)
    found = tag_scores.compute("f_beta", targets, probabilities, chosen)
    assert found == pytest.approx(expected)


def test_accuracy_at_a_threshold_is_the_share_of_right_decisions() -> None:
    targets, probabilities, chosen = made()
    found = tag_scores.compute("accuracy_at_threshold", targets, probabilities, chosen)
    assert found == pytest.approx(1 - metrics.hamming_loss(targets, chosen))


def test_mean_average_precision_is_over_the_labels_that_are_there() -> None:
    targets, probabilities, chosen = made()
    spec = "mean_average_precision"
    expected = metrics.average_precision_score(targets, probabilities, average="macro")
    assert tag_scores.compute(spec, targets, probabilities, chosen) == pytest.approx(expected)
    targets[:, 2] = 0
    rest = [0, 1, 3, 4]
    expected = metrics.average_precision_score(targets[:, rest], probabilities[:, rest])
    assert tag_scores.compute(spec, targets, probabilities, chosen) == pytest.approx(expected)
    assert np.isnan(tag_scores.compute(spec, targets * 0, probabilities, chosen))


@pytest.mark.parametrize("name", ["f1_score", "precision_score", "recall_score", "jaccard_score"])
@pytest.mark.parametrize("average", ["macro", "micro", "samples", "weighted"])
def test_scores_of_choices(name: str, average: str) -> None:
    targets, probabilities, chosen = made()
    expected = getattr(metrics, name)(targets, chosen, average=average, zero_division=0)
    spec = {"use": name, "average": average}
    assert tag_scores.compute(spec, targets, probabilities, chosen) == pytest.approx(expected)
    if average == "macro":
        assert tag_scores.compute(name, targets, probabilities, chosen) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["accuracy_score", "hamming_loss", "zero_one_loss"])
def test_scores_of_choices_without_average(name: str) -> None:
    targets, probabilities, chosen = made()
    expected = getattr(metrics, name)(targets, chosen)
    assert tag_scores.compute(name, targets, probabilities, chosen) == pytest.approx(expected)


@pytest.mark.parametrize(
    "name",
    [
        *("roc_auc_score", "average_precision_score", "label_ranking_average_precision_score"),
        *("label_ranking_loss", "coverage_error", "ndcg_score", "dcg_score"),
    ],
)
def test_scores_of_probabilities(name: str) -> None:
    targets, probabilities, chosen = made()
    expected = getattr(metrics, name)(targets, probabilities)
    assert tag_scores.compute(name, targets, probabilities, chosen) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("spec", "labels", "said"),
    [
        ({"use": "f1_score", "average": "samples"}, 1, "'f1_score_samples'.* of a single label"),
        ("coverage_error", 1, "of a single label"),
        ({"use": "f1_score", "average": "binary"}, 4, "of several labels"),
    ],
)
def test_metrics_that_need_another_number_of_labels(spec: Any, labels: int, said: str) -> None:
    tag_scores.check(spec)
    with pytest.raises(ValueError, match=said):
        tag_scores.check_count(spec, labels)
    tag_scores.check_count(spec, 4 if labels == 1 else 1)


@pytest.mark.parametrize(
    "spec",
    [
        *("f1_score", "roc_auc_score", "hamming_loss", "average_precision_score"),
        *({"use": "f_beta", "average": a} for a in tag_scores.AVERAGES),
        "mean_average_precision",
    ],
)
@pytest.mark.parametrize("labels", [1, 2, 900])
def test_metrics_of_any_number_of_labels(spec: Any, labels: int) -> None:
    tag_scores.check_count(spec, labels)


def test_the_area_leaves_out_labels_that_all_or_none_have() -> None:
    targets, probabilities, chosen = made()
    targets[:, 0], targets[:, 1] = 0, 1
    expected = metrics.roc_auc_score(targets[:, 2:], probabilities[:, 2:])
    found = tag_scores.compute("roc_auc_score", targets, probabilities, chosen)
    assert found == pytest.approx(expected)
    assert np.isnan(tag_scores.compute("roc_auc_score", targets * 0, probabilities, chosen))


@pytest.mark.parametrize("name", ["f1_score", "jaccard_score", "roc_auc_score", "f_beta"])
def test_one_label_is_scikit_learn_s_two_classes(name: str) -> None:
    targets, probabilities, chosen = (array[:, :1] for array in made())
    truth = targets[:, 0]
    if name == "f_beta":
        spec: Any = {"use": name, "beta": 1, "average": "macro"}
        expected = metrics.f1_score(truth, chosen[:, 0])
    else:
        spec = name
        given = probabilities if name == "roc_auc_score" else chosen
        expected = getattr(metrics, name)(truth, given[:, 0])
    assert tag_scores.compute(spec, targets, probabilities, chosen) == pytest.approx(expected)


@pytest.mark.parametrize(
    "spec",
    [
        *({"use": "f_beta", "average": a, "beta": 1.5} for a in tag_scores.AVERAGES),
        *("accuracy_at_threshold", "jaccard_score", "hamming_loss"),
    ],
)
@pytest.mark.parametrize("labels", [1, 4])
def test_a_sweep_is_the_metric_of_every_choice(spec: Any, labels: int) -> None:
    targets, probabilities, chosen = made(30, labels)
    targets[:3] = 0
    label = labels // 2
    choices = probabilities[:, label, None] > np.linspace(0, 1, 9)
    found = tag_scores.sweep(spec, targets, probabilities, chosen, label, choices)
    for choice, value in zip(choices.T, found, strict=True):
        tried = chosen.copy()
        tried[:, label] = choice
        expected = tag_scores.compute(spec, targets, probabilities, tried)
        assert value == pytest.approx(expected)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("fbeta", "'f_beta'"),
        ("cohen_kappa_score", "no metric"),
        ("log_loss", "no metric"),
        ({"use": "f_beta", "betta": 2}, "'beta'"),
        ({"use": "f_beta", "beta": 0}, "above 0"),
        ({"use": "f_beta", "beta": "2"}, "above 0"),
        ({"use": "f_beta", "average": "weighted"}, "samples, macro, micro"),
        ({"use": "f_beta", "zero_division": 2}, "0 or 1"),
        ({"use": "accuracy_at_threshold", "threshold": 0.3}, "no option"),
        ("fbeta_score", "needs the option 'beta'"),
        ({"use": "f1_score", "averge": "macro"}, "'average'"),
        ({"use": "f1_score", "average": "macr"}, "cannot be computed"),
        ({"average": "macro"}, "use"),
    ],
)
def test_wrong_metrics_are_refused(spec: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        tag_scores.check(spec)


def test_all_known_metrics_pass_the_check() -> None:
    for name in ("f_beta", "accuracy_at_threshold", "mean_average_precision", "ndcg_score"):
        tag_scores.check(name)
    tag_scores.check({"use": "fbeta_score", "beta": 2, "average": "samples"})


def test_which_metrics_need_a_threshold() -> None:
    assert tag_scores.is_of_choices({"use": "f_beta", "beta": 1})
    assert tag_scores.is_of_choices("jaccard_score")
    assert not tag_scores.is_of_choices("mean_average_precision")
    assert not tag_scores.is_of_choices("roc_auc_score")
