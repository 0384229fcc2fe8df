"""Runs taken up by hand."""

from __future__ import annotations

import io
import os
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import timm
import torch
from results import finished, trained

import kitbox
from kitbox.errors import RecipeError, WeightsError
from kitbox.learner import Learner
from kitbox.models.state import save_weights
from kitbox.progress import Progress
from kitbox.recipe import Recipe
from kitbox.results import saved
from learning import NET, OF_DATA, cached, pictures, weights

QUIET = Progress(quiet=True)


@pytest.fixture(autouse=True)
def _cached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cached(monkeypatch)
    monkeypatch.chdir(tmp_path)


def recipe(**changes: Any) -> Recipe:
    given = {**OF_DATA, "backbone": NET, "stages": [{"epochs": 1}], **changes}
    return kitbox.make_recipe({k: v for k, v in given.items() if v is not None})


class StopsAfter(Progress):
    """Ctrl-C after so many epochs."""

    def __init__(self, epochs: int) -> None:
        super().__init__(quiet=True)
        self.left = epochs + 1  # the head of the table is a row

    def row(self, cells: Mapping[str, str]) -> None:
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGINT)


def test_a_run_taken_up() -> None:
    learn = Learner.from_run(finished(), progress=QUIET)
    told = pd.read_csv(finished() / "log.csv")
    assert learn.recipe() == trained()
    scores = learn.validate()
    expected = pd.read_json(finished() / "run.json", typ="series")["scores"]
    assert scores == pytest.approx(expected)
    assert len(learn.recorder.table) == len(told)
    assert not learn.model.body.pretrained
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
    learn = Learner.from_run(tmp_path / "run", progress=QUIET)
    assert learn.recorder.table.empty
    text = (tmp_path / "run" / "recipe.yaml").read_text()
    (tmp_path / "run" / "recipe.yaml").write_text(text.replace("test_resnet", "test_vit"))
    with pytest.raises(WeightsError, match="do not fit its recipe"):
        Learner.from_run(tmp_path / "run", progress=QUIET)


def test_the_weights_that_a_run_began_with_are_not_needed(tmp_path: Path) -> None:
    """Nor a network; what they decide (rates, what is held) stays."""
    torch.manual_seed(1)
    save_weights(tmp_path / "mine.safetensors", timm.create_model("test_resnet").state_dict())
    net = {"use": "timm", "name": "test_resnet", "weights": str(tmp_path / "mine.safetensors")}
    kitbox.run(recipe(backbone=net), "run", progress=QUIET)
    before = Learner.from_run("run", progress=QUIET)
    (tmp_path / "mine.safetensors").unlink()
    learn = Learner.from_run("run", progress=QUIET)
    assert weights(learn) == weights(before)
    assert learn.model.body.pretrained
    assert "SHA-256" in learn.model.body.weights
    learn.unfreeze()
    assert learn.model.hold_norm
    learn.fit_one_cycle(1)
    assert list(learn.recorder.table["lr"])[-1] == pytest.approx(1e-3)  # not that from scratch
    Path("run/environment.json").unlink()
    assert Learner.from_run("run", progress=QUIET).model.body.pretrained


def test_pictures_that_came_later_leave_the_others_in_their_parts(
    tmp_path: Path,
) -> None:
    keys = pictures(tmp_path / "p", 40)
    kitbox.run(recipe(**keys), "run", progress=QUIET)
    table = pd.read_csv("run/table.csv")
    pictures(tmp_path / "more", 70)
    for path in sorted((tmp_path / "more").rglob("*.png")):
        if int(path.stem) >= 40:
            shutil.copy(path, tmp_path / "p" / path.parent.name)
    gone = table.loc[table["part"] == "train", "image"].iloc[0]
    (tmp_path / "p" / gone).unlink()
    said = io.StringIO()
    learn = Learner.from_run("run", progress=Progress(said))
    now = learn.data.rows.set_index("image")["part"]
    then = table.set_index("image")["part"].drop(gone)
    assert dict(now[then.index]) == dict(then)
    assert (now.drop(then.index) == "valid").any()
    assert "30 of 69 labelled pictures came after the run" in said.getvalue()
    assert "1 labelled picture of the run can no longer be found" in said.getvalue()
    assert "were trained on" not in said.getvalue()
    # Split anew they are mixed, and it is said.
    assert learn.recipe() == recipe(**keys)
    said.truncate(0)
    learn.data = kitbox.load(recipe(**keys), progress=QUIET)
    rows = learn.data.rows
    mixed = rows[(rows["part"] == "valid") & rows["image"].isin(then[then == "train"].index)]
    assert len(mixed)
    assert f"{len(mixed)} of the " in said.getvalue()


def test_a_run_without_its_table(tmp_path: Path) -> None:
    shutil.copytree(finished(), tmp_path / "run")
    (tmp_path / "run" / "table.csv").unlink()
    said = io.StringIO()
    learn = Learner.from_run(tmp_path / "run", progress=Progress(said))
    assert "table.csv is not there: the pictures are split anew" in said.getvalue()
    assert len(learn._session.seen.tensor()) == 80


def test_a_stopped_run_is_told_as_far_as_it_came() -> None:
    made = recipe(keep="last", stages=[{"epochs": 3, "freeze": True}, {"epochs": 5}])
    kitbox.run(made, "run", progress=StopsAfter(1))
    learn = Learner.from_run("run", folder="kept", progress=QUIET)
    assert repr(learn).splitlines() == [
        "Learner: test_resnet, 32x32 pixels, head alone, body frozen",
        "  fit 1: 3 epochs, head alone, default rate, 32x32 pixels, cut short at epoch 2, step 1",
    ]
    with pytest.raises(RecipeError, match="fit 1 was cut short at epoch 2, step 1"):
        learn.recipe()
    assert len(learn.recipe(exact=False).stages) == 1

    # The run goes on meanwhile: other weights, and so another fit.
    begun = weights(learn)
    learn.fit_one_cycle(1, 1e-3)
    first = weights(learn)
    kitbox.run(made, "run", progress=StopsAfter(1))
    said = io.StringIO()
    again = Learner.from_run("run", folder="kept", progress=Progress(said))
    assert weights(again) != begun
    again.fit_one_cycle(1, 1e-3)
    assert "done already" not in said.getvalue()
    assert weights(again) != first

    # The same weights in another folder: the same fit.
    shutil.copytree("run", "moved")
    there = Learner.from_run("moved", folder="kept", progress=Progress(said))
    there.fit_one_cycle(1, 1e-3)
    assert "done already" in said.getvalue()
    assert weights(there) == weights(again)


def test_other_weights_in_the_same_folder_are_another_beginning(tmp_path: Path) -> None:
    shutil.copytree(finished(), "run")
    first = Learner.from_run("run", folder="kept", progress=QUIET)
    first.fit_one_cycle(1, 1e-3)
    model = Path("run/model")
    state = saved.weights(model, facts := saved.read(model))
    saved.save(model, {name: value * 1.01 for name, value in state.items()}, facts)
    said = io.StringIO()
    other = Learner.from_run("run", folder="kept", progress=Progress(said))
    other.fit_one_cycle(1, 1e-3)
    assert "done already" not in said.getvalue()
    assert weights(other) != weights(first)


def test_a_run_that_goes_on_is_not_taken_up() -> None:
    kitbox.run(recipe(stages=[{"epochs": 2}]), "run", progress=StopsAfter(1))
    text = Path("run/run.json").read_text()
    Path("run/run.json").write_text(text.replace('"stopped"', '"running"'))
    with pytest.raises(WeightsError, match="went on after it had saved its model"):
        Learner.from_run("run", progress=QUIET)
