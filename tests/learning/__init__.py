"""Small data for the tests of training by hand."""

from __future__ import annotations

import io
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from results import PLACE, SMALL

import kitbox
from kitbox.learning.data import Data
from kitbox.models.state import fingerprint, load_weights
from kitbox.progress import Progress
from kitbox.testing.pictures import write_picture
from kitbox.training.step import Slices

NET = {"use": "timm", "name": "test_resnet", "pretrained": False}
OF_DATA = {k: v for k, v in SMALL.items() if k not in ("name", "backbone", "stages")}


def cached(patch: pytest.MonkeyPatch) -> None:
    """Use the cache of the small run."""
    patch.setenv("KITBOX_CACHE", str(PLACE / "cache"))


def load(said: io.StringIO | None = None, **changes: Any) -> Data:
    """The small recipe's data, keys replaced."""
    progress = Progress(said) if said is not None else Progress(quiet=True)
    given = {k: v for k, v in {**OF_DATA, **changes}.items() if v is not None}
    return kitbox.load(**given, progress=progress)


def pictures(folder: Path, count: int = 30) -> dict[str, Any]:
    """A folder of made pictures of two classes, one of them rare, as keys of a recipe."""
    for number in range(count):
        kind = "rare" if number % 5 == 0 else "often"
        write_picture(folder / kind / f"{number:03d}.png", 40, 56, seed=number)
    return {
        "source": {"use": "folder", "path": str(folder)},
        "labeler": "folder",
        "task": "single-label",
        "test": None,
        "submission": None,
        "batch_size": 8,
    }


def same_weights(learn: kitbox.Learner, folder: Path) -> bool:
    """Whether a run's last weights are the learner's, to the byte."""
    theirs, mine = load_weights(folder / "last.safetensors"), learn.model.state_dict()
    assert set(theirs) == set(mine)
    return all(
        mine[name].cpu().contiguous().numpy().tobytes() == value.numpy().tobytes()
        for name, value in theirs.items()
    )


def weights(learn: kitbox.Learner) -> str:
    """A hash of the learner's weights."""
    return fingerprint(learn.model.state_dict())


def interrupt_at(learn: kitbox.Learner, fit: int, epoch: int, step: int) -> None:
    """Ctrl-C in a fit, once."""
    watch = learn._session.trainer.watch
    asked = []

    def watching(*seen: Any) -> None:
        watch(*seen)
        if not asked and (seen[0], seen[1], seen[2].step) == (fit, epoch, step):
            asked.append(True)
            os.kill(os.getpid(), signal.SIGINT)

    learn._session.trainer.watch = watching


def not_finite(patch: pytest.MonkeyPatch, call: int) -> None:
    """Make the loss of one batch not finite: that of the call with this number, from 1."""
    whole, calls = Slices.backward, 0

    def backward(*given: Any, **more: Any) -> torch.Tensor:
        nonlocal calls
        calls += 1
        losses = whole(*given, **more)
        return losses * float("nan") if calls == call else losses

    patch.setattr(Slices, "backward", backward)
