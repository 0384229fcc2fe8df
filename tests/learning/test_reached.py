"""How far a run has come."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from results import finished, small, trained

from kitbox.errors import WeightsError
from kitbox.learning.reached import Reached, reached, read_log, weights_of
from kitbox.training import checkpoints
from kitbox.training.checkpoints import Checkpoint
from kitbox.training.stages import Epoch

STAGES = small(stages=[{"epochs": 2}, {"epochs": 3}, {"epochs": 1}])


def log(*epochs: tuple[int, int]) -> list[Epoch]:
    return [Epoch(stage, epoch, 0.1, 1.0, 1.0, {}, 1.0) for stage, epoch in epochs]


def state(run: Path, name: str) -> None:
    (run / "run.json").write_text(json.dumps({"state": name}))


def checkpoint(run: Path, **facts: Any) -> None:
    checkpoints.save(run / "checkpoint.safetensors", Checkpoint({"x": torch.zeros(1)}, facts))


def test_a_finished_run() -> None:
    epochs = read_log(finished() / "log.csv", finished() / "times.csv")
    assert [(one.stage, one.epoch) for one in epochs] == [(1, 1), (2, 1), (2, 2)]
    assert reached(finished(), trained(), epochs) == Reached(2, finished=True)
    assert reached(finished(), trained(), []) == Reached(2, finished=True)
    assert weights_of(finished()) == "random (pretrained: false)"


def test_a_stopped_run(tmp_path: Path) -> None:
    state(tmp_path, "stopped")
    place = {"stage": 2, "epoch": 2, "step": 5, "cycle": {}}
    checkpoint(tmp_path, **place)
    epochs = log((1, 1), (1, 2), (2, 1))
    assert reached(tmp_path, STAGES, epochs) == Reached(2, "epoch 2, step 5")
    checkpoint(tmp_path, **{**place, "epoch": 1, "step": 0})  # stage 2 had not begun
    assert reached(tmp_path, STAGES, epochs) == Reached(1)
    checkpoint(tmp_path, **{**place, "epoch": 1, "step": 0, "cycle": None})
    assert reached(tmp_path, STAGES, epochs) == Reached(1)
    (tmp_path / "checkpoint.safetensors").write_bytes(b"damaged")
    assert reached(tmp_path, STAGES, epochs) == Reached(1)  # by the one before


def test_a_stopped_run_whose_checkpoint_was_not_copied(tmp_path: Path) -> None:
    state(tmp_path, "stopped")
    assert reached(tmp_path, STAGES, log((1, 1))) == Reached(1, "epoch 2")
    assert reached(tmp_path, STAGES, log((1, 1), (1, 2))) == Reached(1)
    assert reached(tmp_path, STAGES, log((1, 2), (2, 2))) == Reached(2, "epoch 3")
    assert reached(tmp_path, STAGES, []) == Reached(1, "a place that is not known")


def test_a_run_that_does_not_say_its_state(tmp_path: Path) -> None:
    whole = log((1, 2), (2, 3), (3, 1))
    assert reached(tmp_path, STAGES, whole) == Reached(3, finished=True)
    assert reached(tmp_path, STAGES, whole[:2]) == Reached(2)
    assert weights_of(tmp_path) is None


@pytest.mark.parametrize("name", ["running", "failed", "copying"])
def test_a_run_that_went_on_after_its_model_was_saved(name: str, tmp_path: Path) -> None:
    state(tmp_path, name)
    with pytest.raises(WeightsError, match=f"it is '{name}' now"):
        reached(tmp_path, STAGES, log((1, 1)))


def test_no_log(tmp_path: Path) -> None:
    assert read_log(tmp_path / "log.csv", tmp_path / "times.csv") == []
