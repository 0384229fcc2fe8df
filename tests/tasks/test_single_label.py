"""Classification: what it learns from labels, its loss, its tables."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.special
import torch
from sklearn.metrics import log_loss
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional as F

from kitbox import registry
from kitbox.data.frames import Frames
from kitbox.data.targets import Fixed
from kitbox.errors import LabelError
from kitbox.mistakes import Mistakes
from kitbox.tasks.single_label import SingleLabel, as_class

FILES = Path("nowhere")  # labels are in the table, the files are not looked at


def table(labels: list[Any], part: list[str] | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [str(i) for i in range(len(labels))],
            "label": pd.Series(labels, dtype=object),
            "part": part or ["train"] * len(labels),
        }
    )


def learned(*classes: str, **options: Any) -> SingleLabel:
    return SingleLabel(**options).learn(table(list(classes)), ["label"], FILES)


def test_classes_are_sorted_as_numbers_where_all_are() -> None:
    assert learned("10", "9", "2", "10").classes == ("2", "9", "10")
    assert learned("cat", "ant").classes == ("ant", "cat")


@pytest.mark.parametrize("value", [3, 3.0, "3", np.int64(3), np.float64(3), np.float32(3)])
def test_a_number_is_one_class_however_it_is_written(value: object) -> None:
    assert as_class(value) == "3"


def test_encode_numbers_the_classes() -> None:
    task = learned("3", "20", "1")
    codes = task.encode(table([3, 3.0, "3", 20, "1"]), FILES)
    assert codes.dtype == np.int64
    assert codes.tolist() == [1, 1, 1, 2, 0]


def test_the_order_of_given_classes_is_kept() -> None:
    task = learned("a", "b", classes=("b", "never", "a"))
    assert task.classes == ("b", "never", "a")
    assert task.encode(table(["a", "b"]), FILES).tolist() == [2, 0]


@pytest.mark.parametrize("several", [("a", "b"), ["a", "b"]])
def test_several_labels_a_picture_are_refused(several: object) -> None:
    with pytest.raises(LabelError, match="several labels: a, b"):
        SingleLabel().learn(table([several, "a"]), ["label"], FILES)


def test_one_class_is_no_task() -> None:
    with pytest.raises(LabelError, match="same label") as caught:
        learned("a", "a")
    assert "2 pictures labelled 'a'" in str(caught.value)
    with pytest.raises(LabelError, match="no labels"):
        learned()


def test_labels_that_classes_does_not_list() -> None:
    with pytest.raises(LabelError, match="does not list") as caught:
        learned("cat", "dgo", classes=("cat", "dog"))
    assert "'dgo'" in str(caught.value)
    assert "'dog'" in str(caught.value)


def test_a_class_without_a_training_picture() -> None:
    rows = table(["a", "b", "c"], ["train", "train", "valid"])
    with pytest.raises(LabelError, match="without a training picture: c"):
        SingleLabel().learn(rows, ["label"], FILES)


def test_the_column_is_the_only_one_or_the_one_named() -> None:
    rows = table(["a", "b"]).assign(kind=["x", "y"])
    assert SingleLabel().learn(rows, ["kind"], FILES).classes == ("x", "y")
    assert SingleLabel(target="kind").learn(rows, ["label", "kind"], FILES).target == "kind"
    with pytest.raises(LabelError, match="gives 2"):
        SingleLabel().learn(rows, ["label", "kind"], FILES)
    with pytest.raises(LabelError, match="'kind'"):
        SingleLabel(target="kid").learn(rows, ["label", "kind"], FILES)


def test_balanced_weights_are_scikit_learns_on_the_training_rows() -> None:
    labels = ["a"] * 6 + ["b"] * 3 + ["c"] * 2
    part = ["train"] * 5 + ["valid"] + ["train"] * 5
    task = SingleLabel(class_weights="balanced").learn(table(labels, part), ["label"], FILES)
    training = [name for name, where in zip(labels, part, strict=True) if where == "train"]
    expected = compute_class_weight("balanced", classes=np.array(["a", "b", "c"]), y=training)
    assert isinstance(task.class_weights, dict)
    assert list(task.class_weights) == ["a", "b", "c"]
    assert list(task.class_weights.values()) == pytest.approx(list(expected))


def test_weights_of_unknown_classes_are_refused() -> None:
    with pytest.raises(LabelError, match="are not: kat") as caught:
        learned("cat", "dog", class_weights={"kat": 2.0})
    assert "'cat'" in str(caught.value)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_cross_entropy_with_smoothing(smoothing: float) -> None:
    task = learned("a", "b", "c", smoothing=smoothing)
    torch.manual_seed(0)
    outputs, targets = torch.randn(8, 3), torch.tensor([0, 1, 2, 0, 1, 2, 0, 0])
    soft = F.one_hot(targets, 3) * (1 - smoothing) + smoothing / 3
    expected = -(soft * F.log_softmax(outputs, 1)).sum(1)
    losses = task.loss(outputs, targets)
    assert losses.shape == (8,)
    torch.testing.assert_close(losses, expected)
    mean = F.cross_entropy(outputs, targets, label_smoothing=smoothing)
    torch.testing.assert_close(losses.mean(), mean)


def test_the_loss_is_weighted_by_class_and_flows_back() -> None:
    task = learned("a", "b", "c", smoothing=0.0, class_weights={"a": 3.0, "c": 0.0})
    torch.manual_seed(0)
    outputs = torch.randn(6, 3, requires_grad=True)
    targets = torch.tensor([0, 1, 2, 0, 1, 2])
    losses = task.loss(outputs, targets)
    weights = torch.tensor([3.0, 1.0, 0.0])
    expected = F.cross_entropy(outputs, targets, weight=weights, reduction="none")
    torch.testing.assert_close(losses, expected)
    losses.sum().backward()
    assert outputs.grad is not None
    assert outputs.grad[targets == 2].abs().max() == 0
    assert outputs.grad[targets == 0].abs().min() > 0


def test_the_loss_is_float32_for_half_outputs() -> None:
    task = learned("a", "b")
    assert task.loss(torch.zeros(2, 2).half(), torch.tensor([0, 1])).dtype == torch.float32


def test_predictions_are_probabilities_in_a_column_per_class() -> None:
    outputs = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    found = learned("10", "9", "2").predictions(outputs, Frames.whole((8, 8), 4))
    assert list(found.columns) == ["2", "9", "10"]
    np.testing.assert_allclose(found.to_numpy(), scipy.special.softmax(outputs, axis=1), rtol=1e-5)


def test_score_and_best_follow_the_metrics() -> None:
    task = learned("a", "b", "c", metrics=("log_loss", {"use": "f1_score", "average": "micro"}))
    outputs = np.eye(3, dtype=np.float32) * 4
    tally = task.tally()
    tally.add(torch.tensor(outputs[:2]), torch.tensor([0, 1]), Frames.whole((8, 8), 2))
    tally.add(torch.tensor(outputs[2:]), torch.tensor([1]), Frames.whole((8, 8), 1))
    assert task.tune(tally) is task
    found = task.score(tally)
    assert list(found) == ["log_loss", "f1_score_micro"]
    assert found["f1_score_micro"] == pytest.approx(2 / 3)
    probabilities = scipy.special.softmax(outputs, axis=1)
    assert found["log_loss"] == pytest.approx(log_loss([0, 1, 1], probabilities, labels=[0, 1, 2]))
    assert task.best() == ("log_loss", "min")
    assert learned("a", "b").best() == ("error_rate", "min")
    assert learned("a", "b", metrics=("top_2",)).best() == ("top_2", "max")


def test_balance_draws_every_class_alike() -> None:
    task = learned("a", "b", "c")
    targets = Fixed(task.encode(table(["a"] * 6 + ["b"] * 3 + ["c"] * 4), FILES))
    rows = np.array([12, 0, 1, 2, 3, 6, 7, 9])  # of the training part: four a, two b, two c
    weights = task.balance(targets, rows)
    assert weights.shape == (8,)
    sums = [weights[targets.values[rows] == number].sum() for number in range(3)]
    assert sums == pytest.approx([sums[0]] * 3)
    assert (weights > 0).all()
    assert len(set(weights[targets.values[rows] == 0])) == 1


def test_the_middle_of_a_picture_by_default() -> None:
    assert SingleLabel().fit() == "crop"


def test_the_head_has_an_output_per_class() -> None:
    body: Any = SimpleNamespace(features=7)
    assert not learned("a", "b", "c").maps()
    plain = learned("a", "b", "c").head(body)
    assert plain(torch.zeros(2, 7)).shape == (2, 3)
    assert sum(p.numel() for p in plain.parameters()) == 7 * 3 + 3
    deep = learned("a", "b", "c", hidden=5, dropout=0.5).head(body)
    assert sum(p.numel() for p in deep.parameters()) > 7 * 5 + 5 * 3


def test_a_person_is_shown_the_likeliest_classes() -> None:
    given = pd.DataFrame([[0.1, 0.6, 0.05, 0.25]], columns=list("abcd"))
    task = learned("a", "b", "c", "d")
    assert task.decide(given) == ["b 0.6, d 0.25, a 0.1"]
    assert task.decide(given, 1) == ["b 0.6"]


def test_draw_captions_with_the_class() -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    drawn, caption = learned("a", "b").draw(picture, np.array(1))
    assert caption == "b"
    np.testing.assert_array_equal(drawn, picture)


def test_the_writer_fits_the_sample() -> None:
    task = learned("a", "b")
    assert task.writer(None) == {"use": "wide"}
    assert task.writer(pd.DataFrame(columns=["id", "a", "b"])) == {"use": "wide"}
    scalar = {"use": "scalar"}
    assert task.writer(pd.DataFrame(columns=["id", "label"])) == scalar
    assert registry.writers.build(task.writer(None)) is not None
    assert registry.writers.build(scalar) is not None


@pytest.mark.parametrize("weights", [None, "balanced", {"2": 2.0}])
def test_what_was_learned_survives_being_written_down(weights: Any) -> None:
    task = learned(
        "10",
        "9",
        "2",
        "2",
        class_weights=weights,
        hidden=8,
        metrics=("accuracy", {"use": "fbeta_score", "beta": 2}),
    )
    written = json.loads(json.dumps(registry.tasks.describe(task)))
    again = registry.tasks.build(written)
    assert again == task
    assert again.encode(table([9, 10]), FILES).tolist() == [1, 2]


def test_a_wrong_metric_is_a_mistake_of_the_recipe() -> None:
    with pytest.raises(Mistakes) as caught:
        registry.tasks.build({"use": "single-label", "metrics": ["acuracy"]})
    assert "'accuracy'" in str(caught.value)
