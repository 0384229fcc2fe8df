"""A run's folder, and that a run leaves everything there."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file

from kitbox import recipe as recipes
from kitbox.data import table_file
from kitbox.errors import StorageError
from kitbox.results.folder import RunFolder, fingerprint
from results import finished, small, trained


def test_a_run_leaves_everything() -> None:
    left = {path.name for path in finished().iterdir()}
    assert left == {
        "recipe.yaml",
        "table.csv",
        "log.csv",
        "times.csv",
        "environment.json",
        "batch.png",
        "report.html",
        "best.safetensors",
        "last.safetensors",
        "model",
        "predictions_valid.csv",
        "predictions_test.csv",
        "outputs_valid.npy",
        "outputs_test.npy",
        "submission.csv",
        "run.json",
    }


def test_the_recipe_reads_back_equal() -> None:
    read = recipes.read(finished() / "recipe.yaml")
    assert read == trained()
    assert fingerprint(read) == fingerprint(trained())


def test_the_log_has_a_row_per_epoch() -> None:
    with (finished() / "log.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["stage"], row["epoch"]) for row in rows] == [("1", "1"), ("2", "1"), ("2", "2")]
    assert all(float(row["train_loss"]) > 0 for row in rows)


def test_the_table_says_every_part() -> None:
    rows = table_file.load(finished() / "table.csv")
    assert dict(rows["part"].value_counts()) == {"train": 80, "valid": 20, "test": 20}


def test_the_environment_is_kept() -> None:
    kept = json.loads((finished() / "environment.json").read_text(encoding="utf-8"))
    assert kept["versions"]["torch"] == torch.__version__
    assert kept["seed"] == 42
    assert kept["broken"] == {}
    assert kept["precision"] in ("fp32", "fp16", "bf16")


def test_the_weights_are_those_of_the_model() -> None:
    best = load_file(finished() / "best.safetensors")
    model = load_file(finished() / "model" / "model.safetensors")
    assert best.keys() == model.keys() == load_file(finished() / "last.safetensors").keys()
    assert all((best[name] == model[name]).all() for name in best)


def test_finished_of_nothing_is_none(tmp_path: Path) -> None:
    assert RunFolder(tmp_path / "none").finished(small()) is None


ROWS = pd.DataFrame({"id": ["a", "b"], "image": ["a.png", "b.png"], "part": ["train", "valid"]})


def test_a_run_without_a_checkpoint_is_begun_again(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with folder.held(small()):
        folder.start(small(), ROWS)
    (folder / "best.safetensors").write_bytes(b"half")
    (folder / "model").mkdir()
    assert folder.finished(small()) is None
    with folder.held(small()):
        folder.start(small(), ROWS)
    assert sorted(p.name for p in folder.path.iterdir()) == [
        *("recipe.yaml", "run.json", "table.csv"),
    ]
    assert recipes.read(folder / "recipe.yaml") == small()


def test_a_run_with_a_checkpoint_goes_on_only_on_the_same_data(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    folder.start(small(), ROWS)
    (folder / "best.safetensors").write_bytes(b"half")
    (folder / "checkpoint.safetensors").write_bytes(b"something")
    folder.start(small(), ROWS)
    assert (folder / "best.safetensors").read_bytes() == b"half"
    with pytest.raises(StorageError, match="other data"):
        folder.start(small(), ROWS.assign(part=["valid", "train"]))
    assert (folder / "best.safetensors").read_bytes() == b"half"
    assert not (folder / "new-table.csv").exists()


def test_a_cut_short_run_of_another_recipe_is_left_alone(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with folder.held(small()):
        folder.start(small(), ROWS)
    before = {p.name: p.read_bytes() for p in folder.path.iterdir()}
    with pytest.raises(StorageError, match="a run of another recipe"):
        folder.held(small(seed=1)).__enter__()
    assert {p.name: p.read_bytes() for p in folder.path.iterdir()} == before
    # What its result does not depend on may change.
    with folder.held(small(time_budget="2h", checkpoint_every=3, copy_to="elsewhere")):
        pass


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with (
        folder.held(small()),
        pytest.raises(StorageError, match="Another run is at work"),
        RunFolder(tmp_path / "run").held(small()),
    ):
        pass
    with folder.held(small()):
        # One that was refused does not let a third one in.
        for _ in range(2):
            with pytest.raises(StorageError, match="Another run"), folder.held(small()):
                pass


def test_a_run_that_came_to_nothing_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), RunFolder(tmp_path / "a" / "b").held(small()):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_what_a_run_elsewhere_left_is_brought(tmp_path: Path) -> None:
    other = RunFolder(tmp_path / "other")
    other.path.mkdir()
    other.start(small(), ROWS)
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(StorageError, match="no run with a checkpoint"):
        folder.bring(other.path, small())
    (other / "checkpoint.before.safetensors").write_bytes(b"something")
    assert folder.bring(other.path, small())
    assert sorted(p.name for p in folder.path.iterdir()) == [
        *("checkpoint.before.safetensors", "recipe.yaml", "run.json", "table.csv"),
    ]
    with folder.held(small()):
        folder.start(small(), ROWS)
    assert not folder.bring(other.path, small())  # the same command after another kill


def test_a_copy_that_was_cut_short_is_not_taken_for_a_run(tmp_path: Path) -> None:
    other = RunFolder(tmp_path / "other")
    other.path.mkdir()
    other.start(small(), ROWS)
    (other / "checkpoint.safetensors").write_bytes(b"something")
    folder = RunFolder(tmp_path / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "copyfile", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            folder.bring(other.path, small())
    with (
        pytest.raises(StorageError, match="part of a run that was being copied"),
        folder.held(small()),
    ):
        pass
    assert folder.bring(other.path, small())
    with folder.held(small()):
        pass


def test_nothing_is_brought_over_files_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "table.csv").write_text("mine")
    with pytest.raises(StorageError, match=r"would be overwritten. Found: table.csv"):
        RunFolder(tmp_path / "run").bring(finished(), small())
    assert (tmp_path / "run" / "table.csv").read_text() == "mine"


def test_a_run_killed_as_it_begins_or_ends_goes_on(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "__truediv__", _dies_at("new-table.csv"))
        with pytest.raises(KeyboardInterrupt):
            folder.start(small(), ROWS)
    with folder.held(small()):
        folder.start(small(), ROWS)
    (folder / "checkpoint.safetensors").write_bytes(b"something")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "_remove_checkpoints", _dies_at())
        with pytest.raises(KeyboardInterrupt):
            folder.finish(small(), {"scores": {}, "submission": None})
    assert folder.finished(small()) is not None
    assert not (folder / "checkpoint.safetensors").exists()


def _dies_at(name: str = "") -> Any:
    def die(folder: RunFolder, wanted: str = "") -> Path:
        if wanted == name:
            raise KeyboardInterrupt
        return folder.path / wanted

    return die


def test_finish_then_finished(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    folder.start(small(), ROWS)
    (folder / "checkpoint.safetensors").write_bytes(b"something")
    scores = {"loss": 0.5, "odd": float("nan")}
    ended = {"scores": scores, "submission": "submission.csv", "epochs": 3}
    folder.finish(small(), ended, stopped=True)
    assert folder.finished(small()) is None
    assert (folder / "checkpoint.safetensors").exists()
    folder.finish(small(), ended)
    assert not (folder / "checkpoint.safetensors").exists()
    state = folder.finished(small())
    assert state is not None
    assert (state["scores"], state["submission"], state["epochs"]) == (
        {"loss": 0.5, "odd": None},
        "submission.csv",
        3,
    )
    assert "NaN" not in (folder / "run.json").read_text()
    with pytest.raises(StorageError, match="finished run of another recipe"):
        folder.finished(small(seed=1))


def test_a_stranger_s_files_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "submission.csv").write_text("mine")
    with pytest.raises(StorageError, match=r"would be overwritten.*submission\.csv"):
        RunFolder(tmp_path).held(small()).__enter__()
    assert [path.name for path in tmp_path.iterdir()] == ["submission.csv"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(StorageError, match="is a file"):
        RunFolder(tmp_path / "run").held(small()).__enter__()


def test_a_damaged_state_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("[1]")
    assert RunFolder(tmp_path).finished(small()) is None
    (tmp_path / "run.json").write_text("{")
    assert RunFolder(tmp_path).finished(small()) is None


def test_a_run_of_another_recipe_says_what_differs(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    folder.start(small(), ROWS)
    with pytest.raises(StorageError, match=r"seed 42 there, 7 here") as caught:
        folder.allow(small(seed=7))
    assert "Give that recipe again" in str(caught.value)
    folder.allow(small())


def test_pictures_that_were_changed_are_refused(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    folder.start(small(), ROWS, "one")
    folder.start(small(), ROWS, "other")  # it had not come as far as a checkpoint
    (folder / "checkpoint.safetensors").write_bytes(b"something")
    folder.start(small(), ROWS, "other")
    folder.failed(small(), StorageError("the disk"))
    with pytest.raises(StorageError, match="have changed since"):
        folder.start(small(), ROWS, "third")


def test_nothing_is_brought_from_another_recipe_or_a_finished_run(tmp_path: Path) -> None:
    other = RunFolder(tmp_path / "other")
    other.path.mkdir()
    other.start(small(seed=1), ROWS)
    (other / "checkpoint.safetensors").write_bytes(b"something")
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(StorageError, match="a run of another recipe"):
        folder.bring(other.path, small())
    with pytest.raises(StorageError, match="is a finished run"):
        folder.bring(finished(), trained())
    assert not folder.path.exists()
