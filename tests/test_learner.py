"""Training by hand against the runner, what is asked wrongly, and what it is put to use for."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from learning import NET, OF_DATA, cached, load, pictures, same_weights

import kitbox
from kitbox import recipe as recipes
from kitbox.errors import (
    KitboxError,
    PictureError,
    RecipeError,
    StorageError,
    TrainingError,
    WeightsError,
)
from kitbox.learner import Learner
from kitbox.models.state import fingerprint
from kitbox.progress import Progress

QUIET = Progress(quiet=True)


@pytest.fixture(autouse=True)
def _cached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cached(monkeypatch)
    monkeypatch.chdir(tmp_path)


def run(values: dict[str, Any], out: Path) -> Path:
    given = {k: v for k, v in values.items() if v is not None}
    kitbox.run(kitbox.make_recipe(given), out, progress=QUIET)
    return out


def weights(learn: Learner) -> str:
    return fingerprint(learn.model.state_dict())


def test_the_weights_of_a_run_on_digits(tmp_path: Path) -> None:
    learn = Learner(load(), NET)
    learn.fit_one_cycle(2)
    learn.unfreeze()
    learn.fit_one_cycle(2, slice(1e-4, 3e-3))
    stages = [{"epochs": 2, "freeze": True}, {"epochs": 2, "lr": [1e-4, 3e-3]}]
    out = run({**OF_DATA, "backbone": NET, "stages": stages}, tmp_path / "run")
    assert same_weights(learn, out)
    table = pd.read_csv(out / "log.csv")
    np.testing.assert_allclose(learn.recorder.table["train_loss"], table["train_loss"], rtol=1e-5)


def test_the_weights_of_a_run_with_balanced_drawing_dropout_and_a_found_rate(
    tmp_path: Path,
) -> None:
    """Dropout draws from torch's random numbers, which cells in between must not move."""
    net = {**NET, "drop": 0.3}
    keys = {
        **OF_DATA,
        **pictures(tmp_path / "pictures"),
        "sampler": "balanced",
        "mix": {"mixup": 0.2},
    }
    learn = Learner(load(**keys), net)
    torch.manual_seed(1)
    rate = learn.lr_find().lr
    learn.fit_one_cycle(2, rate)
    torch.rand(7)
    random.random()
    learn.freeze_to(1)
    learn.fit(2, 1e-3, hold_norm=False)
    notebook_s = torch.rand(3)
    torch.manual_seed(1)
    torch.rand(7)
    assert torch.equal(torch.rand(3), notebook_s)  # the fits did not move the notebook's
    stages = [
        {"epochs": 2, "freeze": True, "lr": "find"},
        {"epochs": 2, "freeze": 1, "lr": 1e-3, "schedule": "constant", "hold_norm": False},
    ]
    out = run({**keys, "backbone": net, "stages": stages}, tmp_path / "run")
    assert same_weights(learn, out)
    assert pd.read_csv(out / "log.csv")["lr"][0] == pytest.approx(rate, rel=1e-5)


def test_the_found_rate_is_that_of_a_run_s_later_stage(tmp_path: Path) -> None:
    learn = Learner(load(), NET)
    learn.fit_one_cycle(2)
    learn.unfreeze()
    learn.fit_one_cycle(1, learn.lr_find())
    stages = [{"epochs": 2, "freeze": True}, {"epochs": 1, "lr": "find"}]
    assert same_weights(
        learn, run({**OF_DATA, "backbone": NET, "stages": stages}, tmp_path / "run")
    )


def test_its_recipe_repeats_a_session(tmp_path: Path) -> None:
    """Sizes that grow, curves, names to go back to, and what was tried and left."""
    learn = Learner(load(size=24, largest=32), NET)
    learn.fit_one_cycle(1)
    learn.save("stage-1")
    learn.unfreeze()
    learn.lr_find()
    learn.fit_one_cycle(1, 0.5)  # too much
    learn.load("stage-1")
    learn.validate()
    learn.fit_one_cycle(1, "find")
    learn.data = learn.data.at(size=32)
    learn.predictions()
    learn.freeze()
    learn.fit_one_cycle(2)
    learn.unfreeze()
    learn.fit(1, (1e-5, 1e-4), hold_norm=False)
    recipe = learn.recipe("again")
    assert [stage.size for stage in recipe.stages] == [None, None, 32, 32]
    assert (recipe.name, recipe.size, recipe.keep) == ("again", 24, "last")
    Path("again.yaml").write_text(recipe.text())
    kitbox.run(kitbox.read_recipe("again.yaml"), tmp_path / "run", progress=QUIET)
    assert same_weights(learn, tmp_path / "run")


def test_a_size_that_was_named_and_never_reached_is_in_the_recipe(tmp_path: Path) -> None:
    learn = Learner(load(size=24, largest=64), NET)
    learn.fit_one_cycle(1)
    assert learn.recipe().largest == (64, 64)
    kitbox.run(learn.recipe(), tmp_path / "run", progress=QUIET)
    assert same_weights(learn, tmp_path / "run")


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        (lambda learn: learn.fit_one_cycle(0), RecipeError, "epochs: found 0"),
        (lambda learn: learn.fit_one_cycle(1.5), RecipeError, "epochs: found 1.5"),
        (lambda learn: learn.fit_one_cycle(1, float("nan")), RecipeError, "lr: found nan"),
        (lambda learn: learn.fit_one_cycle(1, -1e-3), RecipeError, "lr: found -0.001"),
        (lambda learn: learn.fit_one_cycle(1, "fnid"), RecipeError, "lr: found 'fnid'"),
        (lambda learn: learn.fit(1, slice(None)), RecipeError, "no range of rates"),
        (lambda learn: learn.load("stage-1"), StorageError, "Save it first"),
        (lambda learn: learn.save("a/b"), StorageError, "no name to save under"),
        (lambda learn: learn.freeze_to("layer9"), RecipeError, "no layer 'layer9'"),
        (lambda learn: learn.freeze_to(99), RecipeError, "99 of them cannot be frozen"),
        (lambda learn: learn.freeze_to(None), RecipeError, "None is no layer"),
        (lambda learn: learn.recipe(), TrainingError, "No fit was made yet"),
        (lambda learn: learn.recorder.plot(), TrainingError, "No epoch was trained yet"),
        (lambda learn: learn.predict(3), PictureError, "A int is no picture"),
        (lambda learn: learn.predict("away.jpg"), PictureError, "no picture at away.jpg"),
        (lambda learn: learn.predict(np.zeros((9, 9, 3))), PictureError, "float64"),
        (lambda learn: learn.predictions("train"), RecipeError, "no part 'train'"),
        (lambda learn: learn.data.at(size=3), RecipeError, "size"),
        (lambda learn: Learner(learn.data, "resnet43"), WeightsError, "resnet43"),
        (lambda learn: Learner("data", "resnet34"), RecipeError, "what kitbox.load gives"),
        (lambda learn: Learner(learn.data, NET, weight_decay=-1), RecipeError, "weight_decay"),
    ],
)
def test_mistakes_in_one_paragraph(
    wrong: Callable[[Learner], Any], error: type[KitboxError], says: str
) -> None:
    learn = Learner(load(), NET)
    before = weights(learn)
    with pytest.raises(error, match=says) as caught:
        wrong(learn)
    assert len(caught.value._render_traceback_()) == 1
    assert weights(learn) == before


def test_a_rate_that_ruins_the_model_is_refused() -> None:
    learn = Learner(load(), NET)
    for rate in (1e6, slice(1e-3, 11)):
        with pytest.raises(RecipeError, match=r"lr.*at most 10.*1e-5 to 1e-2 are usual"):
            learn.fit_one_cycle(1, rate)


def test_a_loss_that_is_not_finite_leaves_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipes, "HIGHEST_LR", 1e31)  # a usual one does not get there
    learn = Learner(load(), NET)
    learn.unfreeze()
    before = weights(learn)
    with pytest.raises(TrainingError, match="not a finite number"):
        learn.fit(3, 1e30)
    assert weights(learn) == before
    learn.fit_one_cycle(1)


def test_help_answers(capsys: pytest.CaptureFixture[str]) -> None:
    help(kitbox.Learner.lr_find)
    said = capsys.readouterr().out
    assert "Find a learning rate for the next fit" in said
    for name, member in vars(Learner).items():
        if not name.startswith("_"):
            assert member.__doc__, name


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ({"bs": 16}, "batch_size"),
        ({"batchsize": 16}, "Did you mean 'batch_size'"),
        ({"backbone": "resnet18"}, "kitbox.Learner"),
    ],
)
def test_words_that_load_does_not_know(others: dict, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        load(**others)


def test_words_that_a_fit_does_not_know() -> None:
    learn = Learner(load(), NET)
    with pytest.raises(RecipeError, match="`lr`"):
        learn.fit_one_cycle(1, lr_max=1e-3)
    with pytest.raises(RecipeError, match="wd"):
        learn.fit(1, wd=0.1)
    assert not learn.recorder.table.shape[0]
