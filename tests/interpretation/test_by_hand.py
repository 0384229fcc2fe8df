"""Advice in a notebook: its lines are run, and come to what the recipe would have been."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from learning import NET, cached, load

import kitbox
from interpretation.made import recipe
from kitbox.interpretation import advice as advices
from kitbox.interpretation import by_hand
from kitbox.interpretation.advice import Advice
from kitbox.interpretation.classification import ClassificationInterpretation


@pytest.fixture(scope="module")
def learn() -> kitbox.Learner:
    with pytest.MonkeyPatch.context() as patch:
        cached(patch)
        made = kitbox.Learner(load(), NET)
        made.fit_one_cycle(1, features=False)
        made.unfreeze()
        made.fit_one_cycle(1, (1e-5, 1e-3))
        return made


def told(advice: Advice, learn: kitbox.Learner) -> Advice:
    """The advice as `collect` gives it without a run."""
    return replace(advice, code=by_hand.code(advice.change, learn.recipe()))


def done(advice: Advice, learn: kitbox.Learner) -> kitbox.Learner:
    """What a person has who copies the advice's lines of Python into a cell."""
    lines = [one for one in advice.lines() if one.startswith("    ")]
    assert lines
    names: dict[str, Any] = {"kitbox": kitbox, "learn": learn}
    exec(textwrap.dedent("\n".join(lines)), names)
    assert names["learn"] is not learn
    found: kitbox.Learner = names["learn"]
    return found


@pytest.mark.parametrize(
    "change",
    [
        {"sampler": "balanced"},
        {"mix": {"mixup": 0.2}},
        {"task.smoothing": 0.3},
        {"task.class_weights": "balanced", "batch_size": 16},
        {"augmentation.flip": 0.5, "weight_decay": 0.05},
        {"stages.1.epochs": 2, "stages.1.lr": "find"},
        {"stages.1.size": 48},
        {"stages.1.size": [48, 32], "stages.0.epochs": 2},
        {"stages.1.freeze": 1},
        {"stages.1.freeze": -1, "stages.1.schedule": "constant", "stages.1.hold_norm": True},
    ],
    ids=str,
)
def test_the_lines_do_what_the_recipe_would(
    change: dict, learn: kitbox.Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached(monkeypatch)
    advice = told(Advice("x", "seen", "why", change), learn)
    expected = advice.apply(learn.recipe())
    assert expected != learn.recipe()
    found = done(advice, learn).recipe()
    for name in type(expected).model_fields:
        if name != "largest":  # that decodes as large is what counts
            assert getattr(found, name) == getattr(expected, name), name
    assert found.decode_hw == expected.decode_hw


def test_files_are_made_before(
    learn: kitbox.Learner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached(monkeypatch)
    monkeypatch.chdir(tmp_path)
    scene = learn.interpret().scene
    change, first = advices.oversampled(scene)
    found = done(told(Advice("one class", "", "", change, first), learn), learn)
    assert len(pd.read_csv("hard.csv")) == 8
    assert str(found.data.recipe.sampler.csv) == "hard.csv"  # type: ignore[union-attr]

    def worst(self: ClassificationInterpretation) -> pd.DataFrame:
        return self.described(self.worst(2))

    for trained, part in ((False, "valid"), (True, "train")):
        monkeypatch.setattr(ClassificationInterpretation, "suspects", worst)
        first = advices.suspected(scene, trained=trained)
        change = {"exclude": "suspects.csv"}
        found = done(told(Advice("labels", "", "", change, first), learn), learn)
        left = pd.read_csv("suspects.csv")["image"].tolist()
        rows = learn.data.rows.set_index("image")["part"]
        assert set(rows[left]) == {part}
        assert not set(found.data.rows["image"]) & set(left)
        Path("suspects.csv").unlink()


def test_a_learner_s_own_advice_can_be_run(
    learn: kitbox.Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached(monkeypatch)
    given = [Advice("x", "seen", "why", {"sampler": "balanced"})]
    monkeypatch.setattr(ClassificationInterpretation, "own_advice", lambda self: given)
    (advice,) = [one for one in learn.interpret().advice() if one.about == "x"]
    found = done(advice, learn).recipe()
    assert found.sampler == "balanced"
    assert found.stages == learn.recipe().stages


def test_copies_are_left_out(
    learn: kitbox.Learner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"learn": learn}
    exec(advices.copied(learn.interpret().scene)[0], names)
    assert "image" in Path("exclude.csv").read_text()


def test_options_that_were_given_stay() -> None:
    task = {"use": "single-label", "smoothing": 0.0}
    net = {"use": "timm", "name": "resnet18", "pretrained": False}
    given = recipe(task=task, backbone=net, weight_decay=0.03)
    lines = by_hand.code({"task.class_weights": "balanced"}, given)
    assert lines[0] == (
        "data = kitbox.load(learn.data.recipe, task={'use': 'single-label', 'smoothing': 0.0, "
        "'class_weights': 'balanced'}, size=64)"
    )
    assert lines[1] == (
        "learn = kitbox.Learner(data, {'use': 'timm', 'name': 'resnet18', 'pretrained': False}, "
        "weight_decay=0.03)"
    )
    plain = by_hand.code({"sampler": "balanced"}, recipe(backbone={"use": "timm", "name": "vit"}))
    assert plain == [
        "data = learn.data.at(sampler='balanced', size=64)",
        "learn = kitbox.Learner(data, 'vit')",
        "learn.fit_one_cycle(4)",
        "learn.unfreeze()",
        "learn.fit_one_cycle(4)",
    ]


def test_where_nothing_was_trained_there_is_nothing_to_repeat() -> None:
    assert by_hand.code({"sampler": "balanced"}, None) == []
    assert by_hand.code({}, recipe()) == []
