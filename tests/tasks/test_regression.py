"""Numbers: what is learned from columns, losses, scales, tables, and whole runs."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError
from sklearn import metrics
from torch.nn import functional as F

from kitbox import recipe as recipes
from kitbox import registry
from kitbox.contracts import Variation
from kitbox.data.frames import Frames
from kitbox.data.targets import Fixed
from kitbox.errors import LabelError
from kitbox.progress import Progress
from kitbox.runner import run
from kitbox.tasks.regression import Regression
from kitbox.writers import submission

HERE = Path()
RNG = np.random.default_rng(1)


def table(part: list[str] | None = None, **columns: Any) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    ids = [f"p{i}" for i in range(count)]
    return pd.DataFrame({"id": ids, "part": part or ["train"] * count, **columns})


def learned(rows: pd.DataFrame, **options: Any) -> Regression:
    targets = [name for name in rows.columns if name not in ("id", "part")]
    return Regression(**options).learn(rows, targets, HERE)


def frames(count: int) -> Frames:
    return Frames.whole((8, 8), count)


def scored(task: Regression, true: np.ndarray, rows: pd.DataFrame, raw: np.ndarray) -> Any:
    tally = task.tally()
    encoded = task.encode(rows, HERE)
    for part in np.array_split(np.arange(len(true)), 3):
        tally.add(torch.from_numpy(raw[part]), torch.from_numpy(encoded[part]), frames(len(part)))
    return task.score(tally)


def test_the_scale_is_of_the_training_rows_and_is_undone() -> None:
    rows = table(["train"] * 3 + ["valid"], a=[1, 2, 6, 900], b=[1e9, 1e9 + 1, 1e9 + 2, 0])
    task = learned(rows)
    assert task.targets == ("a", "b")
    assert task.mean == (3.0, 1e9 + 1)
    assert task.std == pytest.approx((np.std([1, 2, 6]), np.std([0, 1, 2])))
    encoded = task.encode(rows, HERE)
    assert encoded.dtype == np.float32
    assert encoded[:3].mean(axis=0) == pytest.approx([0, 0], abs=1e-6)
    assert encoded[:3].std(axis=0) == pytest.approx([1, 1], abs=1e-6)
    found = task.predictions(encoded[:3], frames(3))
    assert found["a"].tolist() == pytest.approx([1, 2, 6])
    assert (found["b"] - 1e9).tolist() == pytest.approx([0, 1, 2], abs=1e-4)


def test_the_learned_task_is_plain_values_that_build_it_again() -> None:
    task = learned(table(a=[1, 2.5], b=[3, 4]), bounds={"a": (0, 9)})
    described = json.loads(json.dumps(registry.tasks.describe(task)))
    assert registry.tasks.build(described) == task


def test_columns_are_chosen() -> None:
    rows = table(a=[1, 2], b=[5, 5], note=["x", "y"])
    assert learned(rows, targets="a").targets == ("a",)
    with pytest.raises(LabelError, match=r"b is 5 in all 2"):
        learned(rows, targets=["a", "b"])
    with pytest.raises(LabelError, match=r"no number in the column 'note'.*'x' for p0"):
        learned(rows, targets=["note"])
    with pytest.raises(LabelError, match="no column 'c'"):
        learned(rows, targets=["c"])
    with pytest.raises(ValidationError, match="more than once"):
        Regression(targets=("a", "a"))


def test_a_target_that_is_constant_where_it_trains() -> None:
    rows = table(["train", "train", "valid"], a=[3, 3, 4])
    with pytest.raises(LabelError, match=r"same number.*a is 3 in all 2"):
        learned(rows)
    with pytest.raises(LabelError, match="no training pictures"):
        learned(table(["valid"], a=[3]))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mean": [1]}, r"`mean` does not fit.*1 values for 2 columns"),
        ({"std": [1, 2, 3]}, r"`std` does not fit.*3 values for 2 columns"),
    ],
)
def test_a_scale_of_another_length(options: Any, said: str) -> None:
    with pytest.raises(LabelError, match=said):
        learned(table(a=[1, 2], b=[3, 4]), **options)


@pytest.mark.parametrize(
    ("rows", "options"),
    [
        (table(a=[1e300, -1e300, 1e300]), {}),
        (table(a=[1e308, 1.1e308, 1.2e308]), {}),
        (table(a=[1e-320, 2e-320, 3e-320]), {}),
        (table(["train", "train", "valid"], a=[1, 2, 1e300]), {}),
        (table(a=[1, 2, 3]), {"std": [1e-300]}),
    ],
)
def test_numbers_that_cannot_be_scaled(rows: pd.DataFrame, options: Any) -> None:
    with pytest.raises(LabelError, match=r"column 'a' cannot be scaled.*numbers from"):
        learned(rows, **options)


def test_missing_numbers_are_named() -> None:
    with pytest.raises(LabelError, match=r"1 picture has no finite number.*p1"):
        learned(table(a=[1.0, np.nan, 2.0]))


def test_text_is_read() -> None:
    assert learned(table(a=["1.5", "2.5"])).mean == (2.0,)


@pytest.mark.parametrize(
    ("options", "theirs"),
    [
        ({}, F.mse_loss),
        ({"criterion": "l1"}, F.l1_loss),
        ({"criterion": "huber", "delta": 0.3}, lambda a, b: F.huber_loss(a, b, delta=0.3)),
    ],
)
def test_losses(options: Any, theirs: Any) -> None:
    task = learned(table(a=[1, 2], b=[3, 4]), **options)
    outputs, targets = torch.randn(5, 2, requires_grad=True), torch.randn(5, 2)
    losses = task.loss(outputs, targets)
    assert losses.shape == (5,)
    assert losses.mean().item() == pytest.approx(theirs(outputs, targets).item(), rel=1e-6)
    losses.sum().backward()
    assert outputs.grad is not None
    assert outputs.grad.isfinite().all()


def test_metrics_are_scikit_learn_s_of_the_predictions() -> None:
    true = RNG.normal(5, 3, (30, 2))
    rows = table(a=true[:, 0], b=true[:, 1])
    wanted = ("rmse", "mae", "r2", {"use": "mean_pinball_loss", "alpha": 0.2})
    task = learned(rows, metrics=wanted)
    raw = RNG.normal(size=(30, 2)).astype(np.float32)
    found = task.predictions(raw, frames(30)).to_numpy()
    scores = scored(task, true, rows, raw)
    assert list(scores)[:4] == ["rmse", "mae", "r2", "mean_pinball_loss_0.2"]
    for name, theirs in {
        "rmse": metrics.root_mean_squared_error,
        "mae": metrics.mean_absolute_error,
        "r2": metrics.r2_score,
        "mean_pinball_loss_0.2": lambda t, p, **o: metrics.mean_pinball_loss(t, p, alpha=0.2, **o),
    }.items():
        each = theirs(true, found, multioutput="raw_values")
        assert [scores[f"{name}_a"], scores[f"{name}_b"]] == pytest.approx(list(each), rel=1e-5)
        assert scores[name] == pytest.approx(each.mean(), rel=1e-5)
    assert task.best() == ("rmse", "min")
    assert learned(rows, metrics=("r2",)).best() == ("r2", "max")


def test_kappa_of_grades() -> None:
    true = RNG.integers(0, 5, 40)
    rows = table(grade=true)
    task = learned(rows, metrics=("quadratic_kappa",), bounds=(0, 4))
    raw = RNG.normal(0, 2, (40, 1)).astype(np.float32)
    found = np.rint(task.predictions(raw, frames(40))["grade"]).astype(int)
    theirs = metrics.cohen_kappa_score(true, found, weights="quadratic", labels=range(5))
    scores = scored(task, true, rows, raw)
    assert scores == {"quadratic_kappa": pytest.approx(theirs)}
    with pytest.raises(LabelError, match="for grades"):
        learned(table(a=[1.5, 2]), metrics=("quadratic_kappa",))


def test_bounds_hold_in_predictions_and_metrics_and_reach_their_ends() -> None:
    rows = table(a=[0, 1, 2, 10], b=[-5, 0, 0, 5])
    task = learned(rows, bounds={"a": (0, 10)})
    raw = np.array([[-9, -9], [9, 9]], np.float32)
    found = task.predictions(raw, frames(2))
    assert found["a"].tolist() == [0, 10]
    assert found["b"].abs().min() > 10
    both = learned(rows, bounds=(-5, 10)).predictions(raw, frames(2))
    assert both.to_numpy().tolist() == [[-5, -5], [10, 10]]
    one = learned(table(a=[0, 10]), bounds=(0, 10))
    assert scored(one, np.zeros(2), table(a=[0, 10]), np.array([[-99], [99]], np.float32))[
        "rmse"
    ] == pytest.approx(0, abs=1e-5)


def test_wrong_bounds() -> None:
    with pytest.raises(LabelError, match=r"not within the bounds 0 and 5.*10 for p1"):
        learned(table(a=[1, 10]), bounds=(0, 5))
    with pytest.raises(LabelError, match="Did you mean 'count'"):
        learned(table(count=[1, 10]), bounds={"cuont": (0, 50)})
    with pytest.raises(ValidationError, match="lower bound"):
        Regression(bounds=(5, 0))


def test_a_person_is_shown_the_numbers_in_their_order() -> None:
    one, many = table(a=[1, 2.5, 4]), table(**{f"n{i}": [1, 2.5, 4] for i in range(12)})
    assert learned(one).decide(one) == ["1", "2.5", "4"]
    told = learned(many).decide(many)[1]
    assert told.startswith("n0 2.5, n1 2.5, ")
    assert told.endswith("n9 2.5 and 2 more, use --out")
    assert learned(many).decide(many, 1)[0] == "n0 1 and 11 more, use --out"


def test_a_note_on_crops() -> None:
    rows = table(a=[1, 2.5, 4])
    (note,) = learned(rows).advise(rows, Variation(kept=0.4))
    assert "down to 40% of their area" in note
    assert "area: [1, 1], stretch: 1" in note
    assert learned(rows).advise(rows, Variation(mirrors=True, kept=0.95)) == []


def test_rare_numbers_are_drawn_more_often() -> None:
    rows = table(a=[0.0] * 80 + [5.0] * 15 + [10.0] * 5)
    task = learned(rows)
    chosen = np.r_[0:40, 80:100]
    weights = task.balance(Fixed(task.encode(rows, HERE)), chosen)
    assert weights.shape == (60,)
    assert weights[:40].sum() / weights[40:55].sum() == pytest.approx((40 / 15) ** 0.5)
    assert weights[:40].sum() / weights[55:].sum() == pytest.approx((40 / 5) ** 0.5)
    several = learned(table(a=[0, 1, 1, 1], b=[2, 2, 2, 3]))
    encoded = Fixed(several.encode(table(a=[0, 1, 1, 1], b=[2, 2, 2, 3]), HERE))
    assert several.balance(encoded, np.arange(4)) == pytest.approx(
        [(1 + 3**-0.5) / 2, 3**-0.5, 3**-0.5, (1 + 3**-0.5) / 2]
    )
    outlier = table(a=[*np.linspace(0, 1, 999), 1000.0])
    encoded = Fixed(learned(outlier).encode(outlier, HERE))
    weights = learned(outlier).balance(encoded, np.arange(1000))
    assert weights[-1] / weights.sum() < 0.05


def test_captions() -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    one, two = learned(table(a=[1, 2.5])), learned(table(a=[1, 2.5], b=[3, 4]))
    encoded = two.encode(table(a=[1, 2.5], b=[3, 4]), HERE)
    assert one.draw(picture, encoded[1, :1])[1] == "2.5"
    assert two.draw(picture, encoded[1])[1] == "a 2.5, b 4"
    counts = table(a=[0, 2, 0, 7, 0.1])
    third = learned(counts)
    captions = [third.draw(picture, one)[1] for one in third.encode(counts, HERE)]
    assert captions == ["0", "2", "0", "7", "0.1"]


@pytest.mark.parametrize(
    ("columns", "sample", "writer"),
    [
        ({"a": [1, 2.5]}, None, {"use": "wide"}),
        ({"a": [1, 2.5]}, {"a": ["0.5"]}, {"use": "scalar", "kind": "number"}),
        ({"a": [1, 2]}, {"y": ["0"]}, {"use": "scalar", "kind": "number", "round": True}),
        ({"a": [1, 2.5]}, {"y": ["0"]}, {"use": "scalar", "kind": "number"}),
        ({"a": [1, 2.5]}, {"y": ["3", "4"]}, {"use": "scalar", "kind": "number", "round": True}),
        ({"a": [1, 2], "b": [3, 4]}, {"b": ["0.0"], "a": ["0.0"]}, {"use": "wide"}),
        ({"a": [1, 2], "b": [3, 4]}, {"b": ["0"], "a": ["0"]}, {"use": "wide", "decimals": 0}),
        ({"a": [1, 2], "b": [3, 4]}, {"b": ["0.0"]}, {"use": "wide", "columns": {"b": "b"}}),
    ],
)
def test_the_writer_that_the_sample_asks_for(
    columns: dict[str, Any], sample: dict[str, list[str]] | None, writer: dict[str, Any]
) -> None:
    task = learned(table(**columns))
    given = None
    if sample is not None:
        ids = [str(i) for i in range(len(next(iter(sample.values()))))]
        given = pd.DataFrame({"image": ids, **sample})
    assert dict(task.writer(given)) == writer
    if given is not None:  # and the file that it makes is accepted
        predicted = task.predictions(
            np.full((len(given), len(columns)), 0.3, np.float32), frames(1)
        )
        predicted.insert(0, "id", given["image"])
        made = submission.make(submission.choose(None, task, given), predicted, given, HERE)
        assert list(made.columns) == list(given.columns)
        if writer.get("round") or "decimals" in writer:
            assert (made.iloc[:, 1:].astype(float) % 1 == 0).to_numpy().all()


def pictures(folder: Path, count: int = 64) -> Path:
    """Pictures whose grey is their number, rectangles of several shapes."""
    rows = []
    for part, many in (("train", count), ("test", 6)):
        (folder / part).mkdir(parents=True)
        for i in range(many):
            level = int(RNG.integers(0, 11))
            shape = [(40, 60), (60, 40), (50, 50)][i % 3]
            noisy = np.clip(RNG.normal(20 + 20 * level, 4, (*shape, 3)), 0, 255).astype(np.uint8)
            cv2.imwrite(str(folder / part / f"{i:03}.png"), noisy)
            rows.append((part, f"{i:03}.png", level, 100 - level))
    whole = pd.DataFrame(rows, columns=["part", "image", "level", "dark"])
    labelled = whole[whole["part"] == "train"].drop(columns="part")
    labelled.to_csv(folder / "train.csv", index=False)
    wanted = whole[whole["part"] == "test"]
    wanted[["image"]].assign(level=0).to_csv(folder / "sample_submission.csv", index=False)
    return wanted.reset_index(drop=True)


@pytest.mark.parametrize("sampler", [None, "balanced"])
def test_a_whole_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sampler: str | None) -> None:
    monkeypatch.setenv("KITBOX_CACHE", str(tmp_path / "cache"))
    wanted = pictures(tmp_path / "data")
    recipe = recipes.make(
        {
            "source": {"use": "folder", "path": str(tmp_path / "data")},
            "labeler": {"use": "table", "labels": ["level", "dark"]},
            "task": {"use": "regression", "bounds": [0, 100]},
            "backbone": {"use": "timm", "name": "test_resnet", "pretrained": False},
            "augmentation": {"use": "standard", "light": 0},
            "size": 32,
            "sampler": sampler,
            "batch_size": 8,
            "stages": [{"epochs": 6}],
            "submission": {"sample": "sample_submission.csv"},
        }
    )
    done = run(recipe, tmp_path / "run", progress=Progress(io.StringIO()))
    assert done.scores["r2_level"] > 0.8
    assert done.submission is not None
    made = pd.read_csv(done.submission)
    assert list(made.columns) == ["image", "level"]
    assert made["level"].dtype.kind == "i"  # the sample holds whole numbers
    assert np.abs(made["level"] - wanted["level"]).mean() < 1.5
