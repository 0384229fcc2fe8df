"""Advice for numbers: where it speaks, and where it is silent."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from interpretation.made import recipe
from kitbox.interpretation import value_rules

from .test_values import made


def scored(*r2: float, count: int = 50) -> Any:
    """What the rules ask of an interpretation."""
    table = pd.DataFrame({"r2": r2}, index=[f"n{n}" for n in range(len(r2))])
    scene = SimpleNamespace(recipe=recipe(task="regression"))
    return SimpleNamespace(scores=lambda: table, count=count, scene=scene)


@pytest.mark.parametrize("r2", [(-0.02,), (0.01, -0.3), (0.0, 0.0, 0.9)])
def test_predictions_that_hardly_differ_from_the_mean(r2: tuple[float, ...]) -> None:
    (advice,) = value_rules.of(scored(*r2))
    assert f"n0 {r2[0]:.2f}" in advice.seen
    changed = advice.apply(recipe(task="regression"))
    assert changed.stages[-1].lr == "find"
    assert changed.stages[-1].epochs > recipe().stages[-1].epochs


@pytest.mark.parametrize("r2", [(0.6,), (0.0, 0.5), (float("nan"),), (0.06, 0.1)])
def test_it_is_silent_where_something_was_learned(r2: tuple[float, ...]) -> None:
    assert value_rules.of(scored(*r2)) == []


def test_few_pictures_say_nothing() -> None:
    assert value_rules.of(scored(-1.0, count=10)) == []


def test_a_network_that_was_never_trained(tmp_path: Path) -> None:
    seen = made(tmp_path, count=90)
    assert [one.about for one in seen.own_advice()] == ["nothing learned"]
