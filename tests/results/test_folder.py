"""A run's folder, and that a run leaves everything there."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch
from safetensors.numpy import load_file

from kitbox import recipe as recipes
from kitbox.data import table
from kitbox.errors import StorageError
from kitbox.results.folder import RunFolder, fingerprint
from results import finished, small, trained


def test_a_run_leaves_everything() -> None:
    left = {path.name for path in finished().iterdir()}
    assert left == {
        "recipe.yaml",
        "table.csv",
        "log.csv",
        "environment.json",
        "batch.png",
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
    rows = table.load(finished() / "table.csv")
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


def test_a_cut_short_run_is_begun_again(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.start(small())
    (folder / "best.safetensors").write_bytes(b"half")
    assert folder.finished(small()) is None
    folder.start(small(seed=1))
    assert not (folder / "best.safetensors").exists()
    assert recipes.read(folder / "recipe.yaml") == small(seed=1)


def test_finish_then_finished(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.start(small())
    folder.finish(small(), {"loss": 0.5}, folder / "submission.csv", 3, 1.23)
    state = folder.finished(small())
    assert state is not None
    assert (state["scores"], state["submission"], state["epochs"]) == (
        {"loss": 0.5},
        "submission.csv",
        3,
    )
    with pytest.raises(StorageError, match="finished run of another recipe"):
        folder.finished(small(seed=1))


def test_a_stranger_s_files_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "submission.csv").write_text("mine")
    with pytest.raises(StorageError, match=r"would be overwritten.*submission\.csv"):
        RunFolder(tmp_path).start(small())
    assert [path.name for path in tmp_path.iterdir()] == ["submission.csv"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(StorageError, match="is a file"):
        RunFolder(tmp_path / "run").start(small())


def test_a_damaged_state_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("[1]")
    assert RunFolder(tmp_path).finished(small()) is None
    (tmp_path / "run.json").write_text("{")
    assert RunFolder(tmp_path).finished(small()) is None
