"""The whole way, and what stops it or does not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import torch
from results import finished, follow, small, source, trained

from kitbox import runner
from kitbox.errors import KitboxError, LabelError, PictureError, StorageError, SubmissionError
from kitbox.models.state import load_weights, save_weights
from kitbox.progress import Progress
from kitbox.recipe import Recipe
from kitbox.results.folder import RunFolder
from kitbox.training.checkpoints import Checkpoint
from kitbox.training.keeper import Keeper
from kitbox.training.stages import Epoch


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def copied(tmp_path: Path, **changes: Any) -> tuple[Path, Recipe]:
    """A copy of the pictures, and the recipe that reads it."""
    folder = tmp_path / "data"
    shutil.copytree(source(), folder)
    return folder, small(source={"use": "folder", "path": str(folder)}, **changes)


def trains_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    def train(*args: object) -> int:
        raise AssertionError("training began")

    monkeypatch.setattr(runner, "train", train)
    monkeypatch.setattr(runner, "decode", train)


def test_the_submission_has_the_sample_s_rows() -> None:
    sample = pd.read_csv(source() / "sample_submission.csv", dtype=str)
    made = pd.read_csv(finished() / "submission.csv", dtype=str)
    predicted = pd.read_csv(finished() / "predictions_test.csv", dtype={"id": str})
    assert list(made.columns) == list(sample.columns)
    assert list(made["id"]) == list(sample["id"])
    highest = predicted.set_index("id").idxmax(axis=1)
    assert list(made["label"]) == list(highest[made["id"]])


def test_the_seed_decides(tmp_path: Path) -> None:
    for name, seed in (("one", 42), ("two", 42), ("three", 7)):
        follow(small(seed=seed), tmp_path / name)
    for file in ("submission.csv", "predictions_test.csv", "best.safetensors", "batch.png"):
        one, two, three = ((tmp_path / n / file).read_bytes() for n in ("one", "two", "three"))
        assert one == two, file
        assert one != three, file


def test_a_finished_run_is_left_as_it_is() -> None:
    before = state(finished())
    said = follow(trained(), finished())
    assert "already holds this run" in said
    assert "left as it is" in said
    assert state(finished()) == before
    result = runner.run(trained(), finished())
    assert result.submission == finished() / "submission.csv"
    assert result.scores == json.loads((finished() / "run.json").read_text())["scores"]


def test_a_finished_run_of_another_recipe_is_left_too() -> None:
    before = state(finished())
    with pytest.raises(StorageError, match="finished run of another recipe"):
        follow(small(seed=1), finished())
    assert state(finished()) == before


def test_a_broken_training_picture_is_left_out(tmp_path: Path) -> None:
    folder, recipe = copied(tmp_path)
    rows = pd.read_csv(finished() / "table.csv", dtype=str).set_index("part")
    lost = rows["image"]["train"].iloc[0]
    (folder / lost).write_bytes(b"no picture")
    said = follow(recipe, tmp_path / "run")
    assert "Note: 1 labelled picture left out" in said
    assert lost in said
    kept = pd.read_csv(tmp_path / "run" / "table.csv", dtype=str).set_index("image")["part"]
    assert kept[lost] == "broken"
    assert (kept == "train").sum() == 79
    environment = json.loads((tmp_path / "run" / "environment.json").read_text())
    assert list(environment["broken"]) == [lost]


def test_too_many_broken_pictures_stop_the_run(tmp_path: Path) -> None:
    folder, recipe = copied(tmp_path, broken=0.02)
    for path in sorted((folder / "train" / "3").iterdir())[:3]:
        path.write_bytes(b"")
    with pytest.raises(PictureError, match="3 of 100 labelled pictures cannot be read"):
        follow(recipe, tmp_path / "run")
    assert not (tmp_path / "run" / "submission.csv").exists()


def test_a_truncated_test_picture_keeps_its_row(tmp_path: Path) -> None:
    folder, recipe = copied(tmp_path)
    path = sorted((folder / "test").iterdir())[4]
    path.write_bytes(path.read_bytes()[:40])
    said = follow(recipe, tmp_path / "run")
    assert "1 test picture predicted as if blank" in said
    assert path.name in said
    made = pd.read_csv(tmp_path / "run" / "submission.csv", dtype=str)
    assert list(made["id"]) == list(pd.read_csv(folder / "sample_submission.csv", dtype=str)["id"])
    assert made["label"].notna().all()


@pytest.mark.parametrize(
    ("sample", "error", "says"),
    [
        (None, SubmissionError, "sample_submission.csv"),
        ("id\n0100\n", SubmissionError, "one column only"),
        ("id,label\n0100,0\n0100,0\n", SubmissionError, "more than once"),
        ("id,label,label\n0100,0,0\n", SubmissionError, "named twice"),
        ("id,label\n0100,0\nfar,0\naway,0\n", LabelError, "2 of 3 ids.*far, away"),
        ("id,cat,dog\n0100,0.5,0.5\n", SubmissionError, "cat"),
    ],
)
def test_a_sample_that_cannot_be_obeyed_stops_before_training(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sample: str | None,
    error: type[KitboxError],
    says: str,
) -> None:
    folder, recipe = copied(tmp_path)
    (folder / "sample_submission.csv").unlink()
    if sample is not None:
        (folder / "sample_submission.csv").write_text(sample)
    trains_no_more(monkeypatch)
    with pytest.raises(error, match=says):
        follow(recipe, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_nothing_to_predict_stops_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, recipe = copied(tmp_path)
    shutil.rmtree(folder / "test")
    trains_no_more(monkeypatch)
    with pytest.raises(LabelError, match="test"):
        follow(recipe, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_without_a_submission_there_is_none(tmp_path: Path) -> None:
    follow(small(submission=None, test=None), tmp_path / "run")
    assert not (tmp_path / "run" / "submission.csv").exists()
    assert (tmp_path / "run" / "predictions_valid.csv").exists()


def test_a_killed_run_is_begun_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*args: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(runner, "train", stop)
        with pytest.raises(KeyboardInterrupt):
            follow(trained(), tmp_path / "run")
    follow(trained(), tmp_path / "run")
    for file in ("submission.csv", "predictions_valid.csv"):
        assert (tmp_path / "run" / file).read_bytes() == (finished() / file).read_bytes()


def epoch(stage: int, number: int, error: float) -> Epoch:
    return Epoch(stage, number, 1e-3, 1.0, 1.0, {"error_rate": error, "accuracy": 1 - error}, 1.0)


def test_best_weights_are_those_of_an_epoch_that_still_counts(tmp_path: Path) -> None:
    """An epoch that was best, and then trained again and was not, leaves no weights."""
    recipe, folder = trained(), RunFolder(tmp_path)
    trainer = SimpleNamespace(log=[epoch(1, 1, 0.5)], task=recipe.task)
    keeper = runner.make_keeper(recipe, trainer, folder, Progress(quiet=True))  # type: ignore[arg-type]
    candidate, best = folder / ".best.safetensors", folder / "best.safetensors"

    def saved(stage: int, number: int) -> None:
        weights = {"w": torch.full((1,), 10.0 * stage + number)}
        save_weights(candidate, weights, {"epoch": f"{stage}.{number}"})

    keeper.settle()  # there is none
    saved(2, 1)
    keeper.settle()  # of an epoch that the checkpoint does not know of
    assert not candidate.exists()
    assert not best.exists()
    trainer.log += [epoch(2, 1, 0.3), epoch(2, 2, 0.1)]
    saved(2, 2)
    keeper.settle()
    assert load_weights(best)["w"].item() == 22
    trainer.log[2:] = [epoch(2, 2, 0.4)]  # trained again, worse
    saved(2, 2)
    keeper.settle()
    assert load_weights(best)["w"].item() == 22
    assert not candidate.exists()


def test_copies_go_to_no_folder_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "log.csv").write_text("my precious")
    for copy_to, said in ((tmp_path / "mine", "would be overwritten"), (tmp_path / "run", "own")):
        with pytest.raises(StorageError, match=said):
            follow(small(copy_to=str(copy_to)), tmp_path / "run")
    with pytest.raises(StorageError, match="another recipe"):
        follow(small(copy_to=str(finished())), tmp_path / "run")
    assert (tmp_path / "mine" / "log.csv").read_text() == "my precious"


def test_copies_hold_the_results_in_the_end(tmp_path: Path) -> None:
    said = follow(small(copy_to=str(tmp_path / "copy")), tmp_path / "run")
    for name in ("submission.csv", "log.csv", "run.json", "model/model.json", "best.safetensors"):
        assert (tmp_path / "copy" / name).read_bytes() == (tmp_path / "run" / name).read_bytes()
    assert "not complete" not in said
    (tmp_path / "file").write_text("no folder can be here")
    said = follow(small(copy_to=str(tmp_path / "file" / "x")), tmp_path / "other")
    assert "is not complete" in said
    assert (tmp_path / "other" / "submission.csv").exists()


def test_killed_between_the_last_checkpoint_and_its_best_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is trained any more when the same command comes, so nothing is saved either."""
    save = Keeper.save

    def die() -> None:
        raise KeyboardInterrupt

    def dies_after_the_last(keeper: Keeper, checkpoint: Checkpoint) -> None:
        if checkpoint.facts["stage"] > len(trained().stages):
            keeper.settle = die
        save(keeper, checkpoint)

    with monkeypatch.context() as patch:
        patch.setattr(Keeper, "save", dies_after_the_last)
        with pytest.raises(KeyboardInterrupt):
            follow(trained(), tmp_path / "run")
    assert (tmp_path / "run" / ".best.safetensors").exists()
    follow(trained(), tmp_path / "run")
    for name in ("best.safetensors", "submission.csv", "log.csv"):
        assert (tmp_path / "run" / name).read_bytes() == (finished() / name).read_bytes()
    assert not (tmp_path / "run" / ".best.safetensors").exists()


def test_nothing_is_watched_where_there_is_no_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is watched is kept: all outputs, of some tasks."""

    def watch(task: object) -> None:
        raise AssertionError("watched")

    monkeypatch.setattr(runner, "watch", watch)
    follow(small(report=False), tmp_path / "run")
    with pytest.raises(AssertionError, match="watched"):
        follow(small(), tmp_path / "other")
