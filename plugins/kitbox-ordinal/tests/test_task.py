"""The task keeps its contract, its parts do what they say, and a run gives a submission."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from kitbox_ordinal.head import CumulativeHead
from kitbox_ordinal.scores import best_thresholds, quadratic_kappa
from kitbox_ordinal.task import Ordinal
from sklearn.metrics import cohen_kappa_score

import kitbox
from kitbox.errors import LabelError
from kitbox.testing import TaskTests, labelled


class TestTask(TaskTests):
    @pytest.fixture
    def plugin(self) -> Ordinal:
        return Ordinal(dropout=0.1)

    @pytest.fixture
    def rows(self, folder: Path) -> pd.DataFrame:
        return labelled(folder, {"diagnosis": [0, 1, 2, 4, 3, 0, 0, 1, 2, 4, 0, 3]})


class TestTaskOfOtherGrades(TaskTests):
    """Grades from 3 on, one of which nobody has."""

    @pytest.fixture
    def plugin(self) -> Ordinal:
        return Ordinal(thresholds=(0.6, 1.5, 2.5))

    @pytest.fixture
    def rows(self, folder: Path) -> pd.DataFrame:
        return labelled(folder, {"stars": ["3", "6", "4", "3", "6", "4", "3", "3", "6"]})


def test_a_new_head_predicts_the_frequencies() -> None:
    shares = [0.7, 0.4, 0.05]
    head = CumulativeHead(4, shares, 0.0)
    given = torch.sigmoid(head(torch.zeros(1, 4)))[0]
    torch.testing.assert_close(given, torch.tensor(shares), rtol=1e-3, atol=1e-3)


def test_cut_points_stay_in_order() -> None:
    torch.manual_seed(0)
    head = CumulativeHead(4, [0.5, 0.5, 0.5], 0.0)
    optimizer = torch.optim.SGD(head.parameters(), 1.0)
    for _ in range(50):  # pulled the wrong way
        optimizer.zero_grad()
        outputs = head(torch.randn(8, 4))
        (outputs[:, 0] - outputs[:, 2]).sum().backward()
        optimizer.step()
    outputs = head(torch.randn(8, 4))
    assert bool((outputs.diff(dim=1) < 0).all())


def test_kappa_is_scikit_learn_s() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        truth, grades = rng.integers(0, 5, (2, 40))
        expected = cohen_kappa_score(truth, grades, weights="quadratic", labels=range(5))
        assert quadratic_kappa(truth, grades, 5) == pytest.approx(expected)
    same = np.full(4, 2)
    assert quadratic_kappa(same, same, 5) == 1
    assert quadratic_kappa(same, np.full(4, 1), 5) == 0


def test_thresholds_are_as_good_as_any_pair() -> None:
    """Of three grades: against every pair of places."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, 30)
    expected = np.clip(truth * 0.5 + 0.3 + rng.normal(0, 0.25, 30), 0, 2)
    found = best_thresholds(expected, truth, 2)
    assert list(found) == sorted(found)

    def kappa(pair: tuple[float, ...]) -> float:
        return quadratic_kappa(truth, (expected[:, None] > np.array(pair)).sum(axis=1), 3)

    values = np.unique(expected)
    middles = (values[1:] + values[:-1]) / 2
    every = max(kappa((a, b)) for a in middles for b in middles if a <= b)
    assert kappa(found) > kappa((0.5, 1.5))
    assert kappa(found) >= every - 0.02


def test_what_is_no_grade_is_named(tmp_path: Path) -> None:
    rows = pd.DataFrame({"id": ["a", "b", "c"], "part": "train", "grade": ["1", "x", "2.5"]})
    with pytest.raises(LabelError, match=r"'x' for b, '2\.5' for c"):
        Ordinal().learn(rows, ["grade"], tmp_path)
    rows["grade"] = [1, 1, 1]
    with pytest.raises(LabelError, match="the same grade"):
        Ordinal().learn(rows, ["grade"], tmp_path)
    rows["grade"] = [0, 1, 5]
    with pytest.raises(LabelError, match=r"not within 0 and 4\. Found: 5"):
        Ordinal(low=0, high=4).learn(rows, ["grade"], tmp_path)
    with pytest.raises(LabelError, match=r"no column 'grad'.*'grade'"):
        Ordinal(target="grad").learn(rows, ["grade"], tmp_path)


def test_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Digits, graded: 0 to 2, 3 to 6, 7 to 9."""
    monkeypatch.setenv("KITBOX_CACHE", str(tmp_path / "cache"))
    raw = kitbox.make_recipe(
        {"source": {"use": "digits", "pictures": 600}, "labeler": "folder", "task": "ordinal"}
    ).source.fetch(tmp_path / "cache")
    with (tmp_path / "graded.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "grade"])
        for path in sorted((raw / "train").rglob("*.png")):
            digit = int(path.parent.name)
            table.writerow([path.relative_to(raw).as_posix(), (digit > 2) + (digit > 6)])
    (tmp_path / "graded.csv").replace(raw / "graded.csv")
    recipe = kitbox.make_recipe(
        {
            "source": {"use": "digits", "pictures": 600},
            "labeler": {"use": "table", "csv": "graded.csv", "id": "image", "labels": "grade"},
            "test": {"folder": "test"},
            "task": "ordinal",
            "backbone": {"use": "timm", "name": "test_resnet", "pretrained": False},
            "augmentation": "none",
            "size": 32,
            "stages": [{"epochs": 6}],
            "submission": {"sample": "sample_submission.csv"},
        }
    )
    done = kitbox.run(recipe, tmp_path / "run")
    assert done.scores["quadratic_kappa"] > 0.5
    assert done.submission is not None
    lines = done.submission.read_text().splitlines()
    assert lines[0] == "id,label"
    assert {line.partition(",")[2] for line in lines[1:]} <= {"0", "1", "2"}
    # What was tuned is kept with the model: it grades the same again.
    predictor = kitbox.Predictor.load(done.folder)
    assert predictor.task.thresholds is not None
    files = [raw / "test" / f"{line.partition(',')[0]}.png" for line in lines[1:6]]
    again = predictor.predict(files)["grade"].astype(int).astype(str)
    assert list(again) == [line.partition(",")[2] for line in lines[1:6]]
