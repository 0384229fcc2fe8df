"""What comes between fits: curves without a trace, weights and data from elsewhere."""

from __future__ import annotations

import io
import os
import random
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from kitbox.errors import RecipeError, TrainingError
from kitbox.learner import Learner
from kitbox.models.state import fingerprint
from kitbox.progress import Progress
from kitbox.stopping import Interrupted
from kitbox.training import finder
from learning import NET, cached, interrupt_at, load, pictures, weights

QUIET = Progress(quiet=True)


@pytest.fixture(autouse=True)
def _cached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cached(monkeypatch)
    monkeypatch.chdir(tmp_path)


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


def test_data_of_other_classes(tmp_path: Path) -> None:
    learn = Learner(load(), NET)
    with pytest.raises(RecipeError, match="another `classes`"):
        learn.data = load(**pictures(tmp_path / "pictures"))


def test_validation_pictures_that_were_trained_on_are_counted() -> None:
    said = io.StringIO()
    learn = Learner(load(said), NET)

    def use(**changes: Any) -> tuple[set[str], str]:
        """The validation pictures, and what was said of them."""
        said.seek(0)
        said.truncate(0)
        learn.data = load(said, **changes) if changes else learn.data.at(size=24)
        rows = learn.data.rows
        notes = [line for line in said.getvalue().splitlines() if "trained on" in line]
        return set(rows.loc[rows["part"] == "valid", "image"]), " ".join(notes)

    other = {"use": "stratified", "valid": 0.3, "seed": 7}
    first = set(learn.data.rows.loc[learn.data.rows["part"] == "train", "image"])
    assert use(split=other)[1] == ""  # nothing was trained yet
    learn.data = load()
    learn.fit_one_cycle(1)
    assert use()[1] == ""
    valid, note = use(split=other)
    assert f"Note: {len(valid & first)} of the 30 validation pictures were trained on" in note
    assert len(valid & first) > 15
    # Of a fit that was cut short, too.
    interrupt_at(learn, 2, 1, 1)
    learn.unfreeze()
    with pytest.raises(Interrupted):
        learn.fit(1)
    assert "of the 20 validation pictures were trained on" in use(size=32)[1]
