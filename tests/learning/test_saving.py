"""What is saved under a name, and gone back to."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import torch

from kitbox.errors import RecipeError, StorageError, WeightsError
from kitbox.learner import Learner
from kitbox.learning import saving
from kitbox.stopping import Interrupted
from kitbox.training import checkpoints
from learning import NET, cached, interrupt_at, load, weights


@pytest.fixture(autouse=True)
def _cached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cached(monkeypatch)
    monkeypatch.chdir(tmp_path)


def test_a_name_that_was_not_saved_names_those_that_were() -> None:
    learn = Learner(load(), NET, folder="kept")
    learn.save("stage-1")
    with pytest.raises(StorageError, match="Did you mean 'stage-1'"):
        learn.load("stage-2")
    other = Learner(load(), {"use": "timm", "name": "test_vit", "pretrained": False}, folder="kept")
    with pytest.raises(WeightsError, match=r"another backbone.*name test_resnet"):
        other.load("stage-1")


def steps_made(learn: Learner) -> list[int]:
    """The epochs of the steps that are made from now on."""
    made: list[int] = []
    watch = learn._session.trainer.watch

    def watching(*seen: Any) -> None:
        watch(*seen)
        made.extend([seen[1]] * (seen[1] > 0))

    learn._session.trainer.watch = watching
    return made


@pytest.mark.parametrize("folder", [None, "kept"])
@pytest.mark.parametrize("where", ["the same learner", "another one"])
def test_a_fit_that_was_cut_short_and_saved_goes_on(folder: str | None, where: str) -> None:
    straight = Learner(load(), NET)
    straight.unfreeze()
    straight.fit_one_cycle(3, 1e-3)

    learn = Learner(load(), NET, folder=folder)
    learn.unfreeze()
    interrupt_at(learn, 1, 2, 2)
    with pytest.raises(Interrupted):
        learn.fit_one_cycle(3, 1e-3)
    learn.save("partial")
    cut = weights(learn)
    if where == "another one":
        for path in Path().glob("kept/fit-*"):
            path.unlink()
        learn = Learner(load(), NET, folder=folder)
    else:
        learn.fit_one_cycle(1, 1e-2)  # something else, which is left
    learn.load("partial")
    assert weights(learn) == cut
    with pytest.raises(RecipeError, match="fit 1 was cut short at epoch 2, step 2"):
        learn.recipe()
    learn.unfreeze()
    made = steps_made(learn)
    learn.fit_one_cycle(3, 1e-3)
    assert made == [2, 3, 3, 3]
    assert [(one.stage, one.epoch) for one in learn._session.trainer.log] == [
        (1, n) for n in (1, 2, 3)
    ]
    assert weights(learn) == weights(straight)
    assert learn.recipe() == straight.recipe()
    assert learn.recorder.steps(1).epochs == straight.recorder.steps(1).epochs
    assert learn.recorder.steps(1).losses == pytest.approx(
        straight.recorder.steps(1).losses, rel=1e-4
    )
    # It can be gone on with again.
    learn.load("partial")
    learn.fit_one_cycle(3, 1e-3)
    assert weights(learn) == weights(straight)


def test_a_fit_that_was_cut_short_and_changed_by_hand_does_not_go_on() -> None:
    learn = Learner(load(), NET)
    learn.unfreeze()
    interrupt_at(learn, 1, 1, 2)
    with pytest.raises(Interrupted):
        learn.fit_one_cycle(2, 1e-3)
    with torch.no_grad():
        next(learn.model.head.parameters()).zero_()
    learn.save("by-hand")
    learn.load("by-hand")
    assert not next(learn.model.head.parameters()).any()
    learn.fit_one_cycle(2, 1e-3)
    assert len(repr(learn).splitlines()) == 3
    with pytest.raises(RecipeError) as caught:
        learn.recipe()
    assert "fit 1 was cut short" in str(caught.value)
    assert "before fit 2 the weights were changed by hand" in str(caught.value)


def test_curves_of_every_fit_come_back_and_no_others() -> None:
    learn = Learner(load(), NET)
    learn.save("fresh")
    learn.fit_one_cycle(1, 1e-4)
    learn.fit_one_cycle(1, 2e-4)
    then = [learn.recorder.plain(number) for number in (1, 2)]
    learn.save("two")
    learn.load("fresh")
    assert learn.recorder.steps(1).losses == []
    for epochs in (2, 1, 1):
        learn.fit_one_cycle(epochs, 3e-1)
    for one in (learn, Learner(load(), NET)):
        one.load("two")
        assert [one.recorder.plain(number) for number in (1, 2)] == then
        assert one.recorder.steps(3).losses == []
        assert max(one.recorder.steps(1).rates) <= 1e-4
        one.recorder.plot()


def test_pictures_that_were_trained_on_are_known_after_loading() -> None:
    learn = Learner(load(), NET)
    learn.fit_one_cycle(1)
    learn.save("one")
    said = io.StringIO()
    other = Learner(load(said, split={"use": "stratified", "valid": 0.3, "seed": 7}), NET)
    assert "were trained on" not in said.getvalue()
    other.load("one")
    rows = [one.data.rows for one in (learn, other)]
    trained = set(rows[0].loc[rows[0]["part"] == "train", "image"])
    valid = rows[1].loc[rows[1]["part"] == "valid", "image"]
    known = sum(image in trained for image in valid)
    assert f"{known} of the {len(valid)} validation pictures were trained on" in said.getvalue()
    assert known > 10


def test_what_another_version_saved() -> None:
    learn = Learner(load(), NET)
    path = learn.save("one")
    kept = checkpoints.load(path)
    assert kept is not None
    del kept.tensors[saving.SEEN]
    checkpoints.save(path, kept)
    with pytest.raises(StorageError, match="another version of kitbox"):
        learn.load("one")
