"""Advice for small classes: where it speaks, and where it is silent."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from interpretation.made import recipe
from kitbox.interpretation import area_rules
from kitbox.interpretation.advice import Advice
from kitbox.interpretation.areas import AreasInterpretation
from kitbox.recipe import Recipe


def advised(found: float, small: int, given: Recipe) -> list[Advice]:
    """Ten pictures with a large class that is found, and a small one of which a share is."""
    seen = AreasInterpretation(["big", "small"], lambda o: o, lambda p, m: p, lambda n: (0, 0, 0))
    hits = round(found * small)
    true, predicted = [10_000, small], [10_000 + small - hits, hits]
    seen.__dict__["pixels"] = np.array([[[10_000, hits], true, predicted]] * 10)
    scene: Any = SimpleNamespace(recipe=given, task=given.task, run=None)
    seen._scene = scene
    return area_rules.of(seen)


def test_a_small_class_that_is_missed() -> None:
    task = {"use": "segmentation", "losses": "cross-entropy"}
    (advice,) = advised(0.1, 100, given := recipe(task=task))
    assert advice.apply(given).task.losses == {"cross-entropy": 1, "dice": 1}  # type: ignore[attr-defined]
    assert "small 0.10" in advice.seen
    task = {"use": "segmentation", "losses": {"cross-entropy": 1, "dice": 1}}
    (advice,) = advised(0.1, 100, given := recipe(task=task))
    assert advice.apply(given).sampler == "balanced"


def test_a_small_class_that_is_found_or_a_large_one_that_is_not() -> None:
    given = recipe(task="segmentation")
    assert advised(0.9, 100, given) == []
    assert advised(0.1, 5_000, given) == []
