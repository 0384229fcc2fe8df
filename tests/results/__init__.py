"""One small finished run for the tests that read results."""

from __future__ import annotations

import functools
import io
import tempfile
from pathlib import Path
from typing import Any

import pytest

from kitbox import recipe as recipes
from kitbox.progress import Progress
from kitbox.recipe import Recipe

_PLACE = tempfile.TemporaryDirectory(prefix="kitbox-tests-", ignore_cleanup_errors=True)
PLACE = Path(_PLACE.name)
SMALL: dict[str, Any] = {
    "name": "small",
    "source": {"use": "digits", "pictures": 120},
    "labeler": {"use": "folder", "path": "train"},
    "test": {"folder": "test"},
    "split": {"use": "stratified", "valid": 0.2, "seed": 42},
    "task": "single-label",
    "backbone": {"use": "timm", "name": "test_resnet", "pretrained": False},
    "augmentation": {"use": "standard", "flip": 0},
    "size": 32,
    "batch_size": 32,
    "stages": [{"epochs": 1}],
    "submission": {"sample": "sample_submission.csv"},
}


def small(**changes: Any) -> Recipe:
    """The small recipe, keys replaced."""
    return recipes.make({**SMALL, **changes})


def follow(recipe: Recipe, out: Path, cache: Path = PLACE / "cache") -> str:
    """Run a recipe; what it said."""
    from kitbox.runner import run

    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KITBOX_CACHE", str(cache))
        run(recipe, out, progress=Progress(said))
    return said.getvalue()


@functools.cache
def finished() -> Path:
    """The folder of a finished run of `trained()`; tests only read it."""
    out = PLACE / "run"
    follow(trained(), out)
    return out


def trained() -> Recipe:
    """The recipe of the finished run."""
    return small(stages=[{"epochs": 1, "freeze": True}, {"epochs": 2}])


def source() -> Path:
    """The folder of the pictures of the finished run."""
    finished()
    return PLACE / "cache" / "digits-120"
