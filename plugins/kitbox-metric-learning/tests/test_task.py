"""The task keeps its contract, its parts do what they say, and a run gives a submission."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from kitbox_metric_learning.head import ArcHead, arcface
from kitbox_metric_learning.neighbours import (
    average_precision,
    best_threshold,
    nearest_of_each,
    pack,
    unpack,
)
from kitbox_metric_learning.task import MetricLearning
from sklearn.neighbors import NearestNeighbors

import kitbox
from kitbox.errors import LabelError
from kitbox.testing import TaskTests, labelled

WHALES = ["w1", "w2", "new", "w1", "w2", "w3", "w3", "new", "new", "w1", "w4", "w2"]


class TestTask(TaskTests):
    @pytest.fixture
    def plugin(self) -> MetricLearning:
        return MetricLearning(unknown="new", size=6)

    @pytest.fixture
    def rows(self, folder: Path) -> pd.DataFrame:
        return labelled(folder, {"Id": WHALES})


class TestTaskOfKnownClasses(TaskTests):
    @pytest.fixture
    def plugin(self) -> MetricLearning:
        return MetricLearning(size=6, top=2, margin=0.2)

    @pytest.fixture
    def rows(self, folder: Path) -> pd.DataFrame:
        return labelled(folder, {"Id": ["a", "b", "c"] * 4}, valid=4)


def test_arcface_is_the_paper_s() -> None:
    torch.manual_seed(0)
    cosines = torch.rand(20, 5) * 1.6 - 0.8
    targets = torch.arange(20) % 5
    expected = []
    for row, target in zip(cosines, targets, strict=True):
        angles = torch.acos(row)
        angles[target] += 0.5
        # Equation 3.
        powers = torch.exp(12.0 * torch.cos(angles))
        expected.append(-torch.log(powers[target] / powers.sum()))
    near = torch.acos(cosines.gather(1, targets[:, None])[:, 0]) + 0.5 < np.pi
    found = arcface(cosines, targets, 12.0, 0.5)
    torch.testing.assert_close(found[near], torch.stack(expected)[near])
    plain = torch.nn.functional.cross_entropy(12 * cosines, targets, reduction="none")
    torch.testing.assert_close(arcface(cosines, targets, 12.0, 0.0), plain)
    assert bool((found > plain).all())
    assert arcface(cosines, torch.full((20,), -1), 12.0, 0.5).tolist() == [0] * 20


def test_the_loss_rises_all_the_way_round() -> None:
    cosine = torch.linspace(-0.999, 0.999, 200)
    losses = arcface(torch.stack([cosine, torch.zeros(200)], 1), torch.zeros(200).long(), 30, 0.5)
    assert bool((losses.diff() <= 1e-6).all())


def test_the_head_gives_units_and_cosines() -> None:
    torch.manual_seed(0)
    head = ArcHead(4, 6, 3)
    outputs = head(torch.randn(5, 4))
    embedded, cosines = outputs[:, :6], outputs[:, 6:]
    torch.testing.assert_close(embedded.norm(dim=1), torch.ones(5))
    expected = torch.nn.functional.cosine_similarity(embedded[:, None], head.centres[None], dim=2)
    torch.testing.assert_close(cosines, expected)


def test_neighbours_are_scikit_learn_s() -> None:
    rng = np.random.default_rng(0)
    gallery, given = rng.normal(size=(40, 8)), rng.normal(size=(1500, 8))
    owners = np.sort(rng.choice([0, 1, 3], 40))
    centres = np.full((1500, 4), 0.25)
    found = nearest_of_each(given, gallery, owners.tolist(), centres)
    for one in (0, 1, 3):
        near = NearestNeighbors(n_neighbors=1, metric="cosine").fit(gallery[owners == one])
        distance, _ = near.kneighbors(given)
        assert np.allclose(found[:, one], 1 - distance[:, 0], atol=1e-5)
    assert (found[:, 2] == 0.25).all()  # nobody of this class is there


def test_packing() -> None:
    values = np.random.default_rng(0).normal(size=(3, 4))
    assert np.allclose(unpack(pack(values), 4), values, atol=2e-3)


def test_average_precision() -> None:
    values = np.array([[0.9, 0.1, 0.5], [0.9, 0.1, 0.5], [0.9, 0.1, 0.5], [0.5, 0.5, 0.5]])
    truth = np.array([0, 1, -1, 1])
    assert average_precision(values, truth, 5).tolist() == [1, 1 / 3, 1 / 2, 1 / 2]
    assert average_precision(values, truth, 2).tolist() == [1, 0, 1 / 2, 1 / 2]


def test_the_threshold_is_as_good_as_any() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(-1, 4, 60)
    cosines = rng.uniform(-0.2, 0.6, (60, 4))
    known = truth >= 0
    cosines[known, truth[known]] += 0.3
    found = best_threshold(cosines, truth, 3)

    def score(threshold: float) -> float:
        values = np.pad(cosines, ((0, 0), (0, 1)), constant_values=threshold)
        return float(average_precision(values, truth, 3).mean())

    assert score(found) == pytest.approx(max(score(t) for t in np.linspace(-1, 1, 2001)), abs=1e-9)
    assert score(found) > score(0.0)
    assert best_threshold(cosines[known], truth[known], 3) == -1  # nothing tells


def test_an_open_threshold_is_tuned_for_every_score() -> None:
    """So the best epoch is that of the best embedding, not of one that suits 0.5."""
    rng = np.random.default_rng(0)
    truth = rng.integers(-1, 4, 200)
    cosines = rng.normal(0, 0.03, (200, 4)).astype(np.float32)
    cosines[truth >= 0, truth[truth >= 0]] += 0.3
    tally = kitbox.Gathered()
    outputs = np.concatenate([np.zeros((200, 8), np.float32), cosines], axis=1)
    tally.add(torch.from_numpy(outputs), torch.from_numpy(truth), None)  # type: ignore[arg-type]
    task = MetricLearning(unknown="new", classes=tuple("abcd"), target="label", size=8)
    assert task.score(tally)["map_at_5"] > 0.97
    assert task.model_copy(update={"threshold": 0.5}).score(tally)["map_at_5"] < 0.7


def test_a_class_that_nobody_trains_is_never_right() -> None:
    tally = kitbox.Gathered()
    outputs = torch.tensor([[0.0] * 8 + [0.1, 0.2, 0.9]])
    tally.add(outputs, torch.tensor([-1]), None)  # type: ignore[arg-type]
    task = MetricLearning(classes=("a", "b", "c"), target="label", size=8)
    assert task.score(tally) == {"map_at_5": 0.0, "accuracy": 0.0}


def test_a_mistake_in_unknown_is_told(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        {
            "id": list("abcde"),
            "label": ["x", "y", "x", "y", "new_whale"],
            "part": ["train"] * 4 + ["valid"],
        }
    )
    with pytest.raises(LabelError, match=r"new_whal.*Did you mean 'new_whale'"):
        MetricLearning(unknown="new_whal").learn(rows, ["label"], tmp_path)


def test_cosines_are_exact_in_autocast() -> None:
    head = ArcHead(4, 3, 5)
    with torch.autocast("cpu", torch.bfloat16):
        outputs = head(torch.randn(2, 4))
    centres = torch.nn.functional.normalize(head.centres)
    assert torch.allclose(outputs[:, 3:], outputs[:, :3] @ centres.T, atol=1e-6)


def test_what_cannot_be_learned_is_told(tmp_path: Path) -> None:
    rows = pd.DataFrame({"id": ["a", "b", "c"], "part": "train", "Id": ["w", "new", "w"]})
    with pytest.raises(LabelError, match=r"Two known classes.*Found: w"):
        MetricLearning(unknown="new").learn(rows, ["Id"], tmp_path)
    with pytest.raises(LabelError, match=r"no column 'id'\. Found: Id"):
        MetricLearning(target="id").learn(rows, ["Id"], tmp_path)


def test_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Digits, of which 8 and 9 are nobody's."""
    monkeypatch.setenv("KITBOX_CACHE", str(tmp_path / "cache"))
    digits = {"use": "digits", "pictures": 700}
    values = {"source": digits, "labeler": "folder", "task": "metric-learning"}
    raw = kitbox.make_recipe(values).source.fetch(tmp_path / "cache")
    pictures = sorted((raw / "train").rglob("*.png"))
    with (raw / "train.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["Image", "Id"])
        for path in pictures:
            label = path.parent.name
            table.writerow(
                [path.relative_to(raw).as_posix(), "new" if label in "89" else f"w_{label}"]
            )
    names = sorted(path.stem for path in (raw / "test").iterdir())
    sample = "".join(f"{name},new w_1 w_2 w_3 w_4\n" for name in names)
    (raw / "whales.csv").write_text(f"Image,Id\n{sample}")
    recipe = kitbox.make_recipe(
        {
            **values,
            "labeler": {"use": "table", "csv": "train.csv", "id": "Image", "labels": "Id"},
            "test": {"folder": "test"},
            "task": {"use": "metric-learning", "unknown": "new", "size": 32, "scale": 16},
            "backbone": {"use": "timm", "name": "test_resnet", "pretrained": False},
            "augmentation": "none",
            "size": 32,
            "stages": [{"epochs": 8}],
            "submission": {"sample": "whales.csv"},
        }
    )
    done = kitbox.run(recipe, tmp_path / "run")
    assert done.scores["map_at_5"] > 0.6
    assert done.submission is not None
    written = pd.read_csv(done.submission, dtype=str)
    assert list(written["Image"]) == names
    best = [cell.split() for cell in written["Id"]]
    assert all(len(set(five)) == 5 for five in best)
    assert 0 < sum(five[0] == "new" for five in best) < len(best)
    # The saved model has the gallery: it decides the same again.
    predictor = kitbox.Predictor.load(done.folder)
    assert len(predictor.task.owners) > 300
    table = predictor.predict([raw / "test" / f"{name}.png" for name in names[:8]])
    decided = predictor.task.decide(table.drop(columns="image"))
    assert [words.split(", ") for words in decided] == best[:8]
