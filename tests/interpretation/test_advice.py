"""Advice as data: settings that a recipe takes, lines that a person reads, what is collected."""

from __future__ import annotations

from pathlib import Path

import pytest

from interpretation.made import classified, log, recipe
from kitbox.errors import RecipeError
from kitbox.interpretation import across
from kitbox.interpretation import advice as advices
from kitbox.interpretation.advice import Advice
from kitbox.tasks.regression import Regression
from kitbox.tasks.single_label import SingleLabel

FALLING = [(0.8, 0.8), (0.7, 0.7), (0.6, 0.6), (0.5, 0.5)]
HEALTHY = [[18, 1, 1], [1, 18, 1], [0, 1, 19]]


def test_settings_are_what_the_recipe_takes() -> None:
    change = {
        "stages.1.size": [96, 128],
        "mix": {"mixup": 0.2},
        "sampler": {"csv": "a b.csv"},
        "task.smoothing": 0.0,
        "exclude": "x: y.csv",
    }
    made = Advice("a", "b", "c", change).apply(recipe())
    assert made.stages[1].size == (96, 128)
    assert made.mix is not None
    assert made.mix.mixup == 0.2
    assert str(made.sampler.csv) == "a b.csv"  # type: ignore[union-attr]
    assert str(made.exclude) == "x: y.csv"
    assert made.stages[0] == recipe().stages[0]


def test_a_change_that_the_recipe_does_not_take_is_refused() -> None:
    with pytest.raises(RecipeError, match="unknown option"):
        Advice("", "", "", {"task.nonsense": 1}).apply(recipe())


def test_lines_have_the_commands() -> None:
    told = Advice("x", "seen", "why", {"mix": {"mixup": 0.2}}, ("kitbox clean R",)).lines()
    assert told[0] == "x: seen"
    assert "first: kitbox clean R" in told[2]
    assert told[3].endswith("--set 'mix={mixup: 0.2}'")
    assert len(Advice("x", "seen", "why").lines()) == 2


def test_without_a_run_the_lines_are_python() -> None:
    change = {"sampler": {"csv": "hard.csv"}}
    code = ['data = learn.data.at(sampler="balanced")']
    told = Advice("x", "seen", "why", change, ("learn.interpret()",), code).lines()
    assert told[2:] == ["  in Python:", "    learn.interpret()", f"    {code[0]}"]
    assert len(Advice("x", "seen", "why", change, ("learn.interpret()",), ()).lines()) == 2


def test_where_there_is_no_run_nothing_speaks_of_one() -> None:
    counts = [[12 if n == m else 0 for m in range(8)] for n in range(8)]
    counts[3] = [2, 2, 2, 2, 2, 2, 2, 2]
    copies = across.advice(classified(counts).scene, [("a.png", "b.png")])
    found = classified([[40, 2, 0], [0, 40, 2], [0, 0, 40]], sure=0.97).advice()
    found += [*classified(counts).advice(), copies]
    assert [one.about for one in found] == ["labels", "one class", "copies across the split"]
    for one in found:
        lines = "\n".join(one.lines()[2:] if one.code is not None else one.first)
        assert "learn." in lines
        assert "kitbox run" not in lines
        assert "kitbox interpret " not in lines
    of_run = classified(counts, run=Path("runs/x")).advice()
    assert [one.code for one in of_run] == [None]
    assert "kitbox interpret runs/x" in of_run[0].lines()[2]


def test_it_is_collected_from_the_log_and_the_task() -> None:
    assert classified(HEALTHY).advice() == []
    seen = classified(HEALTHY, log=log([(2, 2)], FALLING))
    assert [one.about for one in seen.advice()] == ["underfitting"]
    seen = classified([[2, 18, 0], [1, 19, 0], [0, 0, 20]], log=log([(2, 2)], FALLING))
    found = seen.advice()
    assert [one.about for one in found] == ["underfitting", "two classes"]
    for one in found:
        one.apply(recipe())


def test_without_a_recipe_there_is_no_advice_on_the_log() -> None:
    seen = classified(HEALTHY, log=log([(2, 2)], FALLING), recipe=None)
    assert seen.advice() == []


def test_balance_comes_first_then_weights_then_nothing() -> None:
    options = {"use": "single-label", "class_weights": "balanced"}
    for given, expected in (
        ({}, {"sampler": "balanced"}),
        ({"sampler": "balanced"}, {"task.class_weights": "balanced"}),
        ({"sampler": "balanced", "task": options}, {}),
    ):
        scene = classified(HEALTHY, recipe=recipe(**given)).scene
        assert advices.balanced(scene, "class_weights") == expected
    assert advices.has_option(SingleLabel(), "smoothing")
    assert not advices.has_option(Regression(), "smoothing")
