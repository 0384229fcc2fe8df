"""Advice for points: where it speaks, and where it is silent."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from interpretation.made import recipe
from kitbox.interpretation import point_rules

SIZES = np.array([[100, 200]] * 20 + [[50, 100]] * 20)
"""Heights and widths: half of the pictures are half as large."""


def pointed(off: float, *, count: int = 40, unknown: bool = False) -> Any:
    """Points spread over the pictures, and predictions between them (0) and their mean (1)."""
    rng = np.random.default_rng(0)
    places = rng.uniform(0.3, 0.7, (len(SIZES), 2, 2))
    sides = SIZES[:, None, ::-1]
    right = places * sides
    given = (places + off * (places.mean(axis=0) - places)) * sides
    if unknown:
        right[:, 1] = np.nan
    errors = np.hypot(*np.moveaxis(given - right, 2, 0))[:count]
    frames = SimpleNamespace(sizes=SIZES[:count])
    scene = SimpleNamespace(recipe=recipe(task="points"))
    return SimpleNamespace(
        right=right[:count], errors=errors, frames=frames, count=count, scene=scene
    )


@pytest.mark.parametrize("unknown", [False, True])
def test_points_that_are_where_they_are_in_the_mean(unknown: bool) -> None:
    (advice,) = point_rules.of(pointed(1.0, unknown=unknown))
    assert advice.about == "nothing learned"
    changed = advice.apply(recipe(task="points"))
    assert (changed.stages[-1].lr, changed.stages[-1].epochs) == ("find", 12)
    assert point_rules.of(pointed(0.7, unknown=unknown)) == []


def test_few_pictures_say_nothing() -> None:
    assert point_rules.of(pointed(1.5, count=10)) == []
