"""Recipes of sessions, and what they refuse."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

import kitbox
from kitbox.errors import RecipeError, WeightsError
from kitbox.learner import Learner
from kitbox.progress import Progress
from learning import NET, cached, load, same_weights

QUIET = Progress(quiet=True)


@pytest.fixture(autouse=True)
def _cached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cached(monkeypatch)
    monkeypatch.chdir(tmp_path)


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


def test_a_network_built_for_one_size_alone() -> None:
    net = {"use": "timm", "name": "test_vit", "pretrained": False}
    learn = Learner(load(size=32, largest=48), net)
    learn.fit_one_cycle(1)
    with pytest.raises(RecipeError, match="built for 48 pixels, a run builds it for"):
        learn.recipe()
    with pytest.raises(WeightsError, match="built for 48 pixels"):
        learn.export("model")
    learn.data = learn.data.at(size=48)
    learn.fit_one_cycle(1)
    learn.export("model")
    kitbox.run(learn.recipe(), "run", progress=QUIET)
    assert same_weights(learn, Path("run"))
