"""The running confusion matrix and its metrics, beside scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn import metrics as sk

from kitbox.data.frames import Frames
from kitbox.tasks.codes import VOID
from kitbox.tasks.confusion import METRICS, Confusion, compute, looks_right

NAMES = ("sky", "road", "car", "never")


def batches(seed: int = 0, classes: int = 4) -> list[tuple[torch.Tensor, torch.Tensor]]:
    rng = np.random.default_rng(seed)
    made = []
    for size in (3, 1, 4):
        outputs = torch.from_numpy(rng.normal(size=(size, classes, 7, 5)).astype(np.float32))
        targets = rng.integers(0, 3, (size, 7, 5))
        targets[rng.random(targets.shape) < 0.2] = VOID
        made.append((outputs, torch.from_numpy(targets)))
    return made


def tallied(given: list[tuple[torch.Tensor, torch.Tensor]], **options: object) -> Confusion:
    tally = Confusion(4, **options)  # type: ignore[arg-type]
    for outputs, targets in given:
        tally.add(outputs, targets, Frames.whole((7, 5), len(targets)))
    return tally


def flat(given: list[tuple[torch.Tensor, torch.Tensor]]) -> tuple[np.ndarray, np.ndarray]:
    """All counted pixels, true and predicted, without the class that never wins."""
    true = np.concatenate([t.numpy().ravel() for _, t in given])
    found = np.concatenate([o.numpy().argmax(1).ravel() for o, _ in given])
    return true[true != VOID], found[true != VOID]


def test_the_matrix_is_scikit_learn_s() -> None:
    given = batches()
    expected = sk.confusion_matrix(*flat(given), labels=range(4))
    assert np.array_equal(tallied(given).matrix, expected)


@pytest.mark.parametrize("hide", [False, True])
def test_the_metrics_are_scikit_learn_s(hide: bool) -> None:
    given = batches()
    if hide:  # a class that is neither there nor predicted is in no mean
        for outputs, _ in given:
            outputs[:, 3] = -100
    true, found = flat(given)
    matrix = tallied(given).matrix
    expected = {
        "pixel_accuracy": sk.accuracy_score(true, found),
        "mean_iou": sk.jaccard_score(true, found, average="macro"),
        "dice": sk.f1_score(true, found, average="macro"),
        "iou_car": sk.jaccard_score(true, found, labels=[2], average="macro"),
        "dice_road": sk.f1_score(true, found, labels=[1], average="macro"),
        "mean_accuracy": sk.recall_score(true, found, average="macro", labels=[0, 1, 2]),
    }
    for metric, value in expected.items():
        assert compute(metric, matrix, NAMES) == pytest.approx(value, abs=1e-12), metric
    assert set(METRICS) <= set(expected)


def test_memory_does_not_grow_and_nothing_is_kept() -> None:
    tally = tallied(batches())
    held = [value for value in vars(tally).values() if isinstance(value, torch.Tensor)]
    assert [value.numel() for value in held] == [5 * 4]


def test_a_bias_moves_the_choice_and_leaves_the_outputs() -> None:
    given = batches()
    before = [outputs.clone() for outputs, _ in given]
    matrix = tallied(given, bias=(0.0, 0.0, 0.0, 100.0)).matrix
    assert matrix[:, :3].sum() == 0
    assert all(torch.equal(one, outputs) for one, (outputs, _) in zip(before, given, strict=True))


def test_nothing_counted_is_nan() -> None:
    empty = Confusion(2).matrix
    assert empty.shape == (2, 2)
    assert all(np.isnan(compute(metric, empty, ["a", "b"])) for metric in METRICS)
    only_void = tallied([(torch.zeros(1, 4, 2, 2), torch.full((1, 2, 2), VOID))]).matrix
    assert only_void.sum() == 0


def test_unknown_metrics() -> None:
    assert looks_right("iou_sign_symbol")
    assert not looks_right("accuracy")
    with pytest.raises(ValueError, match="Did you mean 'iou_road'"):
        compute("iou_raod", np.eye(4), NAMES)
