"""A task of a stranger's own, registered for the session: no change in kitbox is needed."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
import torch
from results import PLACE, SMALL
from torch import nn

import kitbox
from kitbox import registry
from kitbox.progress import Progress
from kitbox.testing import isolated


class PairHead(nn.Module):
    """Two numbers: where on a circle the digit lies."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(features, 16), nn.Tanh(), nn.Linear(16, 2))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return nn.functional.normalize(self.net(features), dim=1)


class Clock(kitbox.Options):
    """Digits as hours on a dial; the loss is one minus the cosine."""

    target: str | None = None
    turned: float = 0.0

    def learn(self, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> Clock:
        return self.model_copy(update={"target": targets[0]})

    def encode(self, rows: pd.DataFrame, folder: Path) -> np.ndarray:
        angle = rows[self.target].astype(float).to_numpy() * 2 * np.pi / 10
        return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)

    def balance(self, targets: Any, rows: np.ndarray) -> np.ndarray:
        return np.ones(len(rows))

    def fit(self) -> Literal["pad"]:
        return "pad"

    def maps(self) -> bool:
        return False

    def head(self, body: Any) -> nn.Module:
        return PairHead(body.features)

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return 1 - (outputs * targets).sum(1)

    def tally(self) -> kitbox.Gathered:
        return kitbox.Gathered()

    def tune(self, tally: Any) -> Clock:
        return self.model_copy(update={"turned": float(len(tally.outputs))})

    def score(self, tally: Any) -> dict[str, float]:
        return {"cosine": float((tally.outputs * tally.targets).sum(1).mean())}

    def best(self) -> tuple[str, Literal["max"]]:
        return "cosine", "max"

    def predictions(self, outputs: np.ndarray, frames: kitbox.Frames) -> pd.DataFrame:
        angle = np.arctan2(outputs[:, 1], outputs[:, 0]) % (2 * np.pi)
        return pd.DataFrame({"hour": angle * 10 / (2 * np.pi)})

    def draw(self, picture: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, str]:
        return picture, f"{target[0]:.2f} {target[1]:.2f}"

    def writer(self, sample: pd.DataFrame | None) -> Mapping[str, Any]:
        return {"use": "scalar", "kind": "number", "column": "hour"}


@pytest.fixture
def clock() -> Iterator[None]:
    kitbox.register("task", "clock")(Clock)
    yield
    registry.tasks._session.pop("clock")


@pytest.mark.usefixtures("clock")
def test_it_runs_to_a_submission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sizes, a body frozen in part, rare rows drawn more often, and predictions later."""
    monkeypatch.setenv("KITBOX_CACHE", str(PLACE / "cache"))
    recipe = kitbox.make_recipe(
        {
            **SMALL,
            "task": "clock",
            "sampler": "balanced",
            "size": 32,
            "augmentation": {"use": "standard", "flip": 0, "area": [0.8, 1]},
            "stages": [
                {"epochs": 1, "freeze": True, "size": 24},
                {"epochs": 4, "freeze": 1, "size": [32, 24]},
                {"epochs": 16, "lr": 0.01},
            ],
            "submission": {},
        }
    )
    said = io.StringIO()
    done = kitbox.run(recipe, tmp_path / "run", progress=Progress(said))
    assert "24x24 pixels" in said.getvalue()
    assert "body's first 1 layer frozen, 32x24 pixels" in said.getvalue()
    assert done.scores["cosine"] > 0.2  # pure chance is 0
    log = pd.read_csv(tmp_path / "run" / "log.csv")
    assert log["stage"].tolist() == [1, *[2] * 4, *[3] * 16]
    made = pd.read_csv(tmp_path / "run" / "submission.csv")
    assert list(made.columns) == ["id", "hour"]
    assert len(made) == 20
    assert made["hour"].between(0, 10).all()

    predictor = kitbox.Predictor.load(tmp_path / "run")
    assert predictor.task.turned == 20.0  # type: ignore[attr-defined]
    table = pd.read_csv(tmp_path / "run" / "table.csv", dtype={"id": str})
    test = table[table["part"] == "test"]
    folder = PLACE / "cache" / "digits-120"
    again = predictor.predict([folder / image for image in test["image"]])
    np.testing.assert_allclose(again["hour"], made["hour"], atol=1e-3)


class Remembering(Clock):
    """Keeps what it saw of the training pictures, and what it knew when it was tuned."""

    seen: int = 0
    middle: float = 0.0

    def recall(self, tally: Any) -> Remembering:
        middle = float(tally.outputs.mean())
        return self.model_copy(update={"seen": len(tally.outputs), "middle": middle})

    def tune(self, tally: Any) -> Remembering:
        assert self.seen > len(tally.outputs)  # recall came first
        return self.model_copy(update={"turned": float(len(tally.outputs))})


def test_a_task_that_remembers_training_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KITBOX_CACHE", str(PLACE / "cache"))
    with isolated(task={"remembering": Remembering}):
        recipe = kitbox.make_recipe(
            {**SMALL, "task": "remembering", "size": 16, "stages": [{"epochs": 1}]}
        )
        done = kitbox.run(recipe, tmp_path / "run", progress=Progress(io.StringIO()))
        predictor = kitbox.Predictor.load(done.folder)
        task: Any = predictor.task
        table = pd.read_csv(tmp_path / "run" / "table.csv")
        train = table[table["part"] == "train"]
        assert task.seen == len(train)
        assert task.turned == (table["part"] == "valid").sum()
        # As the saved weights see the pictures, not varied.
        folder = PLACE / "cache" / "digits-120"
        hours = predictor.predict([folder / image for image in train["image"]])["hour"]
        angles = hours.to_numpy() * 2 * np.pi / 10
        middle = np.stack([np.cos(angles), np.sin(angles)]).mean()
        assert task.middle == pytest.approx(middle, abs=1e-4)
