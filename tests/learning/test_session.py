"""What comes between fits: curves without a trace, kernels that die, weights from elsewhere."""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import kitbox
from kitbox.errors import RecipeError, StorageError, TrainingError
from kitbox.learner import Learner
from kitbox.models.state import fingerprint
from kitbox.progress import Progress
from kitbox.stopping import Interrupted
from kitbox.training import features, finder
from learning import NET, cached, load, pictures

QUIET = Progress(quiet=True)


@pytest.fixture(autouse=True)
def _cached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cached(monkeypatch)
    monkeypatch.chdir(tmp_path)


def weights(learn: Learner) -> str:
    return fingerprint(learn.model.state_dict())


def interrupt_at(learn: Learner, fit: int, epoch: int, step: int) -> None:
    """Ctrl-C in a fit, once."""
    watch = learn._session.trainer.watch
    asked = []

    def watching(*seen: Any) -> None:
        watch(*seen)
        if not asked and (seen[0], seen[1], seen[2].step) == (fit, epoch, step):
            asked.append(True)
            os.kill(os.getpid(), signal.SIGINT)

    learn._session.trainer.watch = watching


def traces(learn: Learner, folder: Path) -> dict[str, Any]:
    model, state = learn.model, np.random.get_state()
    files = [p for place in (folder, Path()) for p in sorted(place.rglob("*"))]
    return {
        "weights": weights(learn),
        "modes": [module.training for module in model.modules()],
        "gradients": [p.grad is None for p in model.parameters()],
        "trained": [p.requires_grad for p in model.parameters()],
        "torch": fingerprint({"state": torch.get_rng_state()}),
        "numpy": (state[0], state[1].tobytes(), *state[2:]),  # type: ignore[union-attr]
        "python": random.getstate(),
        "files": [(str(p), p.stat().st_mtime_ns, p.stat().st_size) for p in files],
        "history": repr(learn),
        "rate": learn._session.trainer.rate,
        "slices": learn._session.trainer._slices.count,
    }


@pytest.mark.parametrize("how", ["well", "diverging", "failing", "interrupted", "not finite"])
def test_the_finder_leaves_no_trace(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = pictures(tmp_path / "input")
    for path in (tmp_path / "input").rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    learn, other = (Learner(load(**keys), {**NET, "drop": 0.3}, folder=None) for _ in range(2))
    for one in (learn, other):
        one.fit_one_cycle(1)
        one.unfreeze()
    whole, count = finder.Slices.backward, 0

    def backward(*given: Any, **more: Any) -> torch.Tensor:
        nonlocal count
        count += 1
        losses = whole(*given, **more)
        np.random.rand()  # as another's augmentation might
        random.random()
        if how == "diverging" and count > 20:
            return losses * 10.0 ** (count - 20)
        if how == "failing" and count > 5:
            raise RuntimeError("a stranger's loss")
        if how == "interrupted" and count == 7:
            os.kill(os.getpid(), signal.SIGINT)
        return losses * float("nan") if how == "not finite" else losses

    before = traces(learn, tmp_path / "input")
    errors = {"failing": RuntimeError, "interrupted": Interrupted, "not finite": TrainingError}
    with monkeypatch.context() as patch:
        patch.setattr(finder.Slices, "backward", backward)
        if how in errors:
            with pytest.raises(errors[how]):
                learn.lr_find()
        else:
            found = learn.lr_find()
            assert len(found.curve.rates) == count
            assert (count < 40) == (how == "diverging")
    assert count
    assert traces(learn, tmp_path / "input") == before
    for one in (learn, other):
        one.fit_one_cycle(1)
    assert weights(learn) == weights(other)


def test_a_second_ctrl_c_in_the_finder_too(monkeypatch: pytest.MonkeyPatch) -> None:
    learn = Learner(load(), NET)
    before = weights(learn)
    whole = finder.Slices.backward

    def backward(*given: Any, **more: Any) -> torch.Tensor:
        os.kill(os.getpid(), signal.SIGINT)
        return whole(*given, **more)

    monkeypatch.setattr(finder.Slices, "backward", backward)
    with pytest.raises(Interrupted, match="everything is as it was"):
        learn.lr_find()
    assert weights(learn) == before


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


def test_weights_from_elsewhere() -> None:
    learn = Learner(load(), NET)
    learn.fit_one_cycle(1)
    with torch.no_grad():
        next(learn.model.head.parameters()).zero_()
    with pytest.raises(RecipeError, match="after fit 1 the weights were changed by hand"):
        learn.recipe()
    learn.save("by-hand")
    learn.fit_one_cycle(1)
    with pytest.raises(RecipeError, match="before fit 2 the weights were changed by hand"):
        learn.recipe()
    learn.load("by-hand")
    with pytest.raises(RecipeError, match="after fit 1 the weights were changed by hand"):
        learn.recipe()


def test_another_augmentation_and_another_decoding() -> None:
    said = io.StringIO()
    learn = Learner(load(said), NET)
    learn.fit_one_cycle(1)
    learn.data = learn.data.at(augmentation="light", batch_size=16)
    learn.fit_one_cycle(1)
    with pytest.raises(RecipeError, match="another `augmentation`, `batch_size` than fit 1"):
        learn.recipe()
    learn.data = learn.data.at(size=48)
    assert "no recipe can repeat that exactly" in said.getvalue()
    learn.fit_one_cycle(1)
    with pytest.raises(RecipeError, match="decoded for 48 pixels, fit 1 for 32"):
        learn.recipe()


def test_other_pictures() -> None:
    learn = Learner(load(), NET)
    learn.fit_one_cycle(1)
    learn.data = load(split={"use": "stratified", "valid": 0.3, "seed": 42})
    learn.fit_one_cycle(1)
    with pytest.raises(RecipeError, match="another `split` than fit 1"):
        learn.recipe()


def test_data_of_other_classes(tmp_path: Path) -> None:
    learn = Learner(load(), NET)
    with pytest.raises(RecipeError, match="another `classes`"):
        learn.data = load(**pictures(tmp_path / "pictures"))
