"""Runs taken up by hand."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from results import finished, trained

from kitbox.errors import RecipeError, WeightsError
from kitbox.learner import Learner
from kitbox.learning import taken
from kitbox.progress import Progress
from learning import cached

QUIET = Progress(quiet=True)


@pytest.fixture(autouse=True)
def _cached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cached(monkeypatch)
    monkeypatch.chdir(tmp_path)


def test_a_run_taken_up() -> None:
    learn = Learner.from_run(finished(), progress=QUIET)
    told = pd.read_csv(finished() / "log.csv")
    assert learn.recipe() == trained()
    scores = learn.validate()
    expected = pd.read_json(finished() / "run.json", typ="series")["scores"]
    assert scores == pytest.approx(expected)
    assert len(learn.recorder.table) == len(told)
    learn.recorder.plot()
    learn.fit_one_cycle(1, 1e-4)
    assert "fit 3: 1 epoch, all layers" in repr(learn)
    with pytest.raises(RecipeError, match=r"the weights of the run \S+ were taken up"):
        learn.recipe()


def test_no_run_to_take_up(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="There is no recipe"):
        Learner.from_run(tmp_path)


def test_weights_and_logs_that_are_not_the_run_s(tmp_path: Path) -> None:
    shutil.copytree(finished(), tmp_path / "run")
    (tmp_path / "run" / "log.csv").unlink()
    assert taken.read_log(tmp_path / "run" / "log.csv", tmp_path / "run" / "times.csv") == []
    learn = Learner.from_run(tmp_path / "run", progress=QUIET)
    assert learn.recorder.table.empty
    text = (tmp_path / "run" / "recipe.yaml").read_text()
    (tmp_path / "run" / "recipe.yaml").write_text(text.replace("test_resnet", "test_vit"))
    with pytest.raises(WeightsError, match="do not fit its recipe"):
        Learner.from_run(tmp_path / "run", progress=QUIET)
