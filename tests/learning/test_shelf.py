"""Where fits are kept, in files and in memory."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from kitbox.errors import StorageError
from kitbox.learning import shelf
from kitbox.learning.shelf import FitKeeper, MemoryKeeper, Shelf
from kitbox.stopping import Stop
from kitbox.training import checkpoints
from kitbox.training.checkpoints import Checkpoint


def checkpoint(value: float = 1.0) -> Checkpoint:
    return Checkpoint({"model.x": torch.tensor([value])}, {"stage": 1, "step": value})


@pytest.mark.parametrize("kind", [FitKeeper, MemoryKeeper])
def test_what_a_learner_says_goes_with_each_checkpoint(
    kind: type[FitKeeper], tmp_path: Path
) -> None:
    said = {"history": [1]}
    keeper = kind(tmp_path / "fit-1-a.safetensors", 1, Stop(), stamp=lambda: said)
    assert keeper.load() is None
    tensor = checkpoint()
    keeper.save(tensor)
    tensor.tensors["model.x"].fill_(9)  # the training goes on
    said["history"] = [1, 2]
    kept = keeper.load()
    assert kept is not None
    assert kept.facts["learner"] == {"history": [1]}
    assert kept.tensors["model.x"].item() == 1
    assert (tmp_path / "fit-1-a.safetensors").exists() == (kind is FitKeeper)
    assert keeper.due(whole_epoch=True)


@pytest.mark.parametrize("kind", [FitKeeper, MemoryKeeper])
def test_what_it_goes_on_from_stays_as_it_is(kind: type[FitKeeper], tmp_path: Path) -> None:
    """An optimizer counts its steps in the tensors that it was given."""
    keeper, begun = kind(tmp_path / "fit-1-a.safetensors", 1, Stop()), checkpoint(3)
    keeper.begin(begun)
    for _ in range(2):
        kept = keeper.load()
        assert kept is not None
        assert kept.tensors["model.x"].item() == 3
        kept.tensors["model.x"].add_(1)
    assert begun.tensors["model.x"].item() == 3
    keeper.save(checkpoint(4))
    kept = keeper.load()
    assert kept is not None
    assert kept.tensors["model.x"].item() == 4


def test_files_of_fits(tmp_path: Path) -> None:
    here = Shelf(tmp_path)
    for number, key in ((1, "aa"), (2, "bb"), (2, "cc")):
        path = here.fit(number, key)
        assert path is not None
        for value in (1.0, 2.0):
            checkpoints.save(path, checkpoint(value))
    assert here.others(2, "bb") == [here.fit(2, "cc")]
    assert here.others(1, "aa") == []
    shelf.settle(tmp_path / "fit-2-bb.safetensors")
    assert not list(tmp_path.glob("fit-2-bb.before*"))
    gone = here.remove(lambda key: key == "bb")
    assert {path.name for path in gone} == {
        *("fit-1-aa.safetensors", "fit-1-aa.before.safetensors"),
        *("fit-2-cc.safetensors", "fit-2-cc.before.safetensors"),
    }
    assert [path.name for path in tmp_path.iterdir()] == ["fit-2-bb.safetensors"]


def test_a_shelf_without_a_folder() -> None:
    here = Shelf(None)
    assert here.fit(1, "aa") is None
    assert here.others(1, "aa") == here.remove(lambda key: False) == []
    assert here.saved("x") == Path("saved/x.safetensors")
    with here.held(), here.held():
        pass


def test_names(tmp_path: Path) -> None:
    here = Shelf(tmp_path)
    for name in ("", "a/b", "..", "."):
        with pytest.raises(StorageError, match="no name to save under"):
            here.saved(name)
    with pytest.raises(StorageError, match="Save it first"):
        here.load("one")
    stamped = Checkpoint(checkpoint().tensors, {**checkpoint().facts, "learner": {}})
    for name in ("stage-1", "stage-1", "other"):
        checkpoints.save(here.saved(name), stamped)
    assert here.load("stage-1").facts["step"] == 1.0
    with pytest.raises(StorageError, match=r"Did you mean 'stage-1'"):
        here.load("stage1")
    with pytest.raises(StorageError, match="other, stage-1"):
        here.load("zzz")
    here.saved("other").write_bytes(b"damaged")
    with pytest.raises(StorageError, match="cannot be used"):
        here.load("other")


def test_one_kernel_at_a_time(tmp_path: Path) -> None:
    one, other = Shelf(tmp_path / "kept"), Shelf(tmp_path / "kept")
    with one.held(), pytest.raises(StorageError, match="Another kernel"), other.held():
        pass
    with Shelf(tmp_path / "kept").held():
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError), Shelf(tmp_path / "file").held():
        pass
