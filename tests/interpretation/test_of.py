"""Interpretations of a finished run, and of a trainer at work."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from results import PLACE, finished, source
from training.conftest import accelerator, trainer  # noqa: F401

from interpretation.made import recipe
from kitbox.errors import KitboxError, PictureError
from kitbox.interpretation.classification import ClassificationInterpretation
from kitbox.interpretation.of import of_run, of_trainer
from kitbox.interpretation.watch import watch
from kitbox.progress import Progress
from kitbox.training.trainer import Trainer

QUIET = Progress(quiet=True)


def test_a_run_is_seen_as_it_was_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITBOX_CACHE", str(PLACE / "cache"))
    before = sorted(finished().rglob("*"))
    seen = of_run(finished(), progress=QUIET)
    assert isinstance(seen, ClassificationInterpretation)
    scores = json.loads((finished() / "run.json").read_text())["scores"]
    assert float(seen.losses.mean()) == pytest.approx(scores["loss"], rel=1e-3)
    right = float((seen.chosen == seen.targets).mean())
    assert right == pytest.approx(scores["accuracy"], abs=1e-6)
    given = pd.read_csv(finished() / "predictions_valid.csv", dtype={"id": str})
    assert seen.table["id"].tolist() == given["id"].tolist()
    assert seen.probabilities == pytest.approx(given[list(seen.classes)].to_numpy(), abs=1e-3)
    assert seen.scores()["train"].sum() == 80
    assert seen.scene.log is not None
    assert len(seen.scene.log) == 3
    assert sorted(finished().rglob("*")) == before


def test_training_pictures_too() -> None:
    seen = of_run(finished(), part="train", files=source(), progress=QUIET)
    assert seen.count == 80
    assert set(seen.table["part"]) == {"train"}
    both = of_run(finished(), train=True, files=source(), progress=QUIET)
    assert both.count == 20
    assert len(both.scene.table) == 100


def test_every_picture_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Test pictures that are not here are not missed."""
    monkeypatch.setenv("KITBOX_CACHE", str(PLACE / "cache"))
    told = io.StringIO()
    seen = of_run(finished(), whole=True, progress=Progress(told))
    assert "nothing to decode" in told.getvalue()
    assert seen.count == 20
    assert dict(seen.scene.table["part"].value_counts()) == {"train": 80, "valid": 20, "test": 20}
    one = of_run(finished(), files=source(), progress=QUIET)
    assert seen.losses.tolist() == one.losses.tolist()
    files = tmp_path / "data"
    shutil.copytree(source(), files)
    shutil.rmtree(files / "test")
    monkeypatch.setenv("KITBOX_CACHE", str(tmp_path / "cache"))
    seen = of_run(finished(), whole=True, files=files, progress=Progress(told))
    assert seen.losses.tolist() == one.losses.tolist()
    assert "cannot be read" not in told.getvalue()


def test_a_picture_that_is_broken_meanwhile_is_left_out(tmp_path: Path) -> None:
    files = tmp_path / "data"
    shutil.copytree(source(), files)
    rows = pd.read_csv(finished() / "table.csv", dtype=str)
    valid = rows[rows["part"] == "valid"]["image"].tolist()
    (files / valid[0]).write_bytes(b"no picture")
    seen = of_run(finished(), files=files, progress=QUIET)
    assert seen.count == 19
    assert valid[0] not in set(seen.table["image"])
    for image in valid:
        (files / image).unlink(missing_ok=True)
    with pytest.raises(PictureError, match="None of the pictures"):
        of_run(finished(), files=files, progress=QUIET)


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(KitboxError):
        of_run(tmp_path, progress=QUIET)


def test_a_trainer_s_own_pass_is_enough(trainer: Callable[..., Trainer]) -> None:  # noqa: F811
    made = trainer()
    table = pd.DataFrame(
        {
            "id": made.ids,
            "image": made.ids,
            "part": np.where(np.arange(36) < 24, "train", "valid"),
            "label": [str(n % 3) for n in range(36)],
        }
    )
    task = made.task.model_copy(update={"target": "label", "smoothing": 0.0})  # type: ignore[attr-defined]
    made.task = task
    seen = watch(task)
    size = (16, 16)
    loss, tally = made.validate(size, watch=seen)
    found = of_trainer(made, recipe(), table, Path(), size, seen=seen)
    again = of_trainer(made, recipe(), table, Path(), size)
    assert float(found.losses.mean()) == pytest.approx(loss, rel=1e-5)
    assert found.losses.tolist() == again.losses.tolist()
    assert isinstance(found, ClassificationInterpretation)
    assert (found.kept("outputs") == tally.outputs).all()  # type: ignore[attr-defined]
    assert found.scores()["train"].tolist() == [8, 8, 8]
    assert found.plot_top_losses(3).png()
    assert not found.scene.calmed
