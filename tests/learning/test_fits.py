"""Fits cut short, killed, gone on with, found again."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

import kitbox
from kitbox.errors import RecipeError, StorageError, TrainingError
from kitbox.learner import Learner
from kitbox.stopping import Interrupted
from kitbox.training import features
from learning import NET, cached, interrupt_at, load, not_finite, weights


@pytest.fixture(autouse=True)
def _cached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cached(monkeypatch)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("folder", [None, "kept"])
def test_a_fit_that_was_interrupted_goes_on(folder: str | None) -> None:
    def fits(learn: Learner) -> None:
        learn.unfreeze()
        learn.fit_one_cycle(3, 1e-3)

    net = {**NET, "drop": 0.3}
    straight, learn = Learner(load(), net), Learner(load(), net, folder=folder)
    for one in (straight, learn):
        one.fit_one_cycle(1)
    fits(straight)
    interrupt_at(learn, 2, 2, 2)
    with pytest.raises(Interrupted, match=r"fit 2 was cut short at epoch 2, step 2\.") as caught:
        fits(learn)
    assert caught.value._render_traceback_() == [f"Interrupted: {caught.value}"]
    cut = weights(learn)
    assert cut != weights(straight)
    assert "cut short at epoch 2" in repr(learn)
    with pytest.raises(RecipeError, match="fit 2 was cut short at epoch 2, step 2"):
        learn.recipe()
    torch.rand(5)
    learn.lr_find()
    assert weights(learn) == cut
    fits(learn)
    assert weights(learn) == weights(straight)
    assert learn.recipe() == straight.recipe()
    assert len(learn.recorder.steps(2).losses) == len(straight.recorder.steps(2).losses)


def test_another_fit_after_one_that_was_interrupted() -> None:
    said = io.StringIO()
    learn = Learner(load(said), NET)
    learn.unfreeze()
    interrupt_at(learn, 1, 1, 1)
    with pytest.raises(Interrupted):
        learn.fit_one_cycle(2)
    before = weights(learn)
    learn.fit_one_cycle(1, 1e-3)
    assert weights(learn) != before
    with pytest.raises(RecipeError, match="fit 1 was cut short at epoch 1, step 1"):
        learn.recipe()
    assert len(learn.recipe(exact=False).stages) == 2
    assert "Note: fit 1 was cut short" in said.getvalue()


def test_interrupted_while_features_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    learn = Learner(load(), NET)
    before, whole = weights(learn), features.compute

    def compute(*given: Any, **more: Any) -> features.Features:
        os.kill(os.getpid(), signal.SIGINT)
        return whole(*given, **more)

    with monkeypatch.context() as patch:
        patch.setattr(features, "compute", compute)
        with pytest.raises(Interrupted, match="fit 1 had not begun; the weights are as before"):
            learn.fit_one_cycle(2)
    assert weights(learn) == before
    with pytest.raises(TrainingError, match="No fit was made yet"):
        learn.recipe()


KILLED = """
import sys, kitbox
from learning import NET, load
from kitbox.progress import Progress
data = load()
learn = kitbox.Learner(data, {**NET, "drop": 0.3}, folder="kept", progress=Progress())
learn.fit_one_cycle(1)
learn.unfreeze()
print(learn.lr_find())
learn.fit_one_cycle(4, 1e-3)
learn.save("end")
"""


PLACES = (Path(__file__).parents[1], Path(kitbox.__file__).parents[1])


def cells() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", KILLED],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, PLACES))},
    )


def test_killed_and_run_again() -> None:
    first = cells()
    began = time.monotonic()
    while not list(Path().glob("kept/fit-2-*.before.safetensors")):
        assert time.monotonic() - began < 300
        assert first.poll() is None, first.communicate()[0]
        time.sleep(0.02)
    first.kill()
    first.communicate()
    assert not Path("kept/saved").exists()

    second = cells()
    said = second.communicate(timeout=300)[0]
    assert second.returncode == 0, said
    assert "fit 1 with these settings is done already: kept/fit-1-" in said
    assert "goes on from stage 2, epoch " in said
    assert not list(Path().glob("kept/*.before.safetensors"))

    straight = Learner(load(), {**NET, "drop": 0.3})
    straight.fit_one_cycle(1)
    straight.unfreeze()
    straight.fit_one_cycle(4, 1e-3)
    again = Learner(load(), {**NET, "drop": 0.3}, folder="kept")
    again.load("end")
    assert weights(again) == weights(straight)
    assert again.recipe() == straight.recipe()
    assert again.recorder.table.drop(columns="seconds").equals(
        straight.recorder.table.drop(columns="seconds")
    )


def test_other_settings_are_trained_anew_and_the_others_stay() -> None:
    said = io.StringIO()

    def session(lr: float) -> Learner:
        learn = Learner(load(said), NET, folder="kept")
        learn.fit_one_cycle(1)
        learn.unfreeze()
        learn.fit_one_cycle(1, lr)
        return learn

    first = session(1e-3)
    said.truncate(0)
    other = session(2e-3)
    assert weights(other) != weights(first)
    assert "fit 1 with these settings is done already" in said.getvalue()
    assert "fit 2 is trained anew: kept has 1 other in its place" in said.getvalue()
    said.truncate(0)
    again = session(1e-3)
    assert "fit 2 with these settings is done already" in said.getvalue()
    assert weights(again) == weights(first)
    assert again.recorder.steps(2).losses
    assert [path.name[:6] for path in again.tidy()] == ["fit-2-"]
    assert len(list(Path("kept").glob("fit-2-*"))) == 1


def test_a_folder_in_which_another_kernel_trains() -> None:
    learn, other = (Learner(load(), NET, folder="kept") for _ in range(2))
    with (
        other._session.shelf.held(),
        pytest.raises(StorageError, match="Another kernel is training"),
    ):
        learn.fit_one_cycle(1)


def test_a_fit_after_one_that_was_cut_short_is_not_that_after_the_whole_one() -> None:
    def second(learn: Learner) -> str:
        learn.fit_one_cycle(1, 1e-3)
        return weights(learn)

    learn, cut = (Learner(load(), NET, folder="kept") for _ in range(2))
    learn.fit(2, 1e-2)
    whole = second(learn)
    Path(learn._session.shelf.fit(1, learn._session.fits[0].key) or "").unlink()
    interrupt_at(cut, 1, 1, 2)
    with pytest.raises(Interrupted):
        cut.fit(2, 1e-2)
    assert second(cut) != whole
    assert len(cut.recorder.table) == 1  # the cut fit's epoch never ended
    assert learn._session.fits[0].key == cut._session.fits[0].key


@pytest.mark.parametrize("folder", [None, "kept"])
def test_a_lowered_rate_is_of_its_fit_alone(
    folder: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn = Learner(load(), NET, folder=folder)
    learn.unfreeze()
    with monkeypatch.context() as patch:
        not_finite(patch, 2)
        learn.fit(1, 1e-2)
    assert learn.recorder.steps(1).rates == pytest.approx([3e-3] * 3)
    learn.fit(1, 1e-3)
    assert learn.recorder.steps(2).rates == pytest.approx([1e-3] * 3)
    assert list(learn.recorder.table["lr"]) == pytest.approx([3e-3, 1e-3])
    first, second = repr(learn).splitlines()[1:]
    assert "lr 0.01, lowered to 0.3 of it after a loss that was not finite" in first
    assert "lowered" not in second
    with pytest.raises(RecipeError, match=r"fit 1 went on with 0\.3 of its learning rate"):
        learn.recipe()
    learn.save("two")
    again = Learner(load(), NET, folder=folder)
    again.load("two")
    assert repr(again).splitlines()[1:] == [first, second]
    # Each fit may be tried a second time.
    with monkeypatch.context() as patch:
        not_finite(patch, 1)
        learn.fit(1, 1e-3)
    assert learn.recorder.steps(3).rates == pytest.approx([3e-4] * 3)


@pytest.mark.parametrize("folder", [None, "kept"])
def test_a_fit_that_goes_on_keeps_its_lowered_rate(
    folder: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn, straight = (Learner(load(), NET, folder=place) for place in (folder, None))
    for one in (learn, straight):
        one.unfreeze()
        with monkeypatch.context() as patch:
            not_finite(patch, 1)
            if one is straight:
                one.fit(2, 1e-2)
                continue
            interrupt_at(one, 1, 2, 1)
            with pytest.raises(Interrupted):
                one.fit(2, 1e-2)
    assert "lowered to 0.3 of it" in repr(learn)
    learn.fit(2, 1e-2)
    assert learn.recorder.steps(1).rates == pytest.approx([3e-3] * 6)
    assert weights(learn) == weights(straight)
    assert "lowered to 0.3 of it" in repr(learn)


def test_a_fit_that_is_found_done_says_that_its_rate_was_lowered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, again = (Learner(load(), NET, folder="kept") for _ in range(2))
    with monkeypatch.context() as patch:
        not_finite(patch, 1)
        first.fit(1, 1e-2, features=False)
    again.fit(1, 1e-2, features=False)
    assert repr(again) == repr(first)
    assert "lowered" in repr(again)
