"""When a training is saved, and where else."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch

from kitbox.stopping import Stop
from kitbox.training.checkpoints import Checkpoint, load
from kitbox.training.keeper import Keeper

HERE = Checkpoint({"a": torch.ones(2)}, {"step": 1})


def test_every_second_epoch(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "c.safetensors", 2, Stop())
    seen = []
    for _ in range(5):
        assert not keeper.due(whole_epoch=False)
        seen.append(keeper.due(whole_epoch=True))
        if seen[-1]:
            keeper.save(HERE)
    assert seen == [False, True, False, True, False]


def test_by_the_clock(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "c.safetensors", "0.05s", Stop())
    assert not keeper.due(whole_epoch=False)
    time.sleep(0.06)
    assert keeper.due(whole_epoch=False)
    keeper.save(HERE)
    assert not keeper.due(whole_epoch=True)


def test_copies_come_whole_and_a_folder_that_dropped_is_tried_again(tmp_path: Path) -> None:
    warned: list[str] = []
    drive = tmp_path / "drive"
    drive.write_text("not mounted")
    run = tmp_path / "run"
    run.mkdir()
    (run / "log.csv").write_text("stage\n1\n")
    keeper = Keeper(
        run / "c.safetensors", 1, Stop(), drive, ("log.csv", "best.safetensors"), warned.append
    )
    keeper.save(HERE)
    assert len(warned) == 1
    assert "no copy" in warned[0]
    assert load(run / "c.safetensors") is not None
    drive.unlink()
    keeper.save(HERE)
    assert len(warned) == 1
    assert sorted(p.name for p in drive.iterdir()) == ["c.safetensors", "log.csv"]
    copied = load(drive / "c.safetensors")
    assert copied is not None
    assert torch.equal(copied.tensors["a"], HERE.tensors["a"])


def test_nothing_to_load(tmp_path: Path) -> None:
    assert Keeper(tmp_path / "c.safetensors", 1, Stop()).load() is None


@pytest.mark.parametrize("every", [1, "10min"])
def test_a_saved_one_is_loaded(tmp_path: Path, every: int | str) -> None:
    keeper = Keeper(tmp_path / "c.safetensors", every, Stop())
    keeper.save(HERE)
    kept = keeper.load()
    assert kept is not None
    assert kept.facts == {"step": 1}


def test_what_is_held_stays_as_it_was(tmp_path: Path) -> None:
    """Also when the one who got it writes into it."""
    keeper = Keeper(tmp_path / "c.safetensors", 1, Stop())
    keeper.hold(Checkpoint({"one": torch.zeros(2)}, {"stage": 1}))
    for _ in range(2):
        kept = keeper.load()
        assert kept is not None
        assert kept.tensors["one"].tolist() == [0, 0]
        kept.tensors["one"] += 1
