"""Advice for segmentations: where it speaks, and where it is silent."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from interpretation.made import recipe
from kitbox.interpretation import area_rules
from kitbox.interpretation.advice import Advice
from kitbox.interpretation.areas import AreasInterpretation
from kitbox.recipe import Recipe


def advised(found: float, small: int, given: Recipe, count: int = 10) -> list[Advice]:
    """Pictures with a large class that is found, and another of which a share is."""
    seen = AreasInterpretation(["big", "small"], lambda o: o, lambda p, m: p, lambda n: (0, 0, 0))
    hits = round(found * small)
    true, predicted = [10_000, small], [10_000 + small - hits, hits]
    seen.__dict__["pixels"] = np.array([[[10_000, hits], true, predicted]] * count)
    cells = np.array([[[10_000, 0], [small - hits, hits]]] * count)
    seen.kept = lambda name: cells  # type: ignore[assignment,method-assign]
    scene: Any = SimpleNamespace(recipe=given, task=given.task, run=None)
    seen._scene, seen._rows = scene, [np.arange(count)]
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
    assert advised(0.6, 5_000, given) == []


def test_a_large_class_that_is_missed() -> None:
    """Camvid's trees, of which an early model saw none."""
    given = recipe(task="segmentation")
    (advice,) = advised(0.1, 5_000, given)
    assert advice.about == "one class"
    assert "small reaches an IoU of 0.10" in advice.seen
    assert "90% of its pixels are taken for big" in advice.seen
    assert "write_hard" in advice.first[0]
    assert advice.apply(given).sampler is not None
    assert advised(0.1, 5_000, given, count=4) == []


def masked(counts: list[list[int]], count: int = 10) -> list[Advice]:
    """Pictures that all have these pixels, by true (rows) and predicted class."""
    cells, given = np.array(counts), recipe(task="segmentation")
    names = [f"c{n}" for n in range(len(cells))]
    seen = AreasInterpretation(names, lambda o: o, lambda p, m: p, lambda n: (0, 0, 0))
    own = np.stack([cells.diagonal(), cells.sum(axis=1), cells.sum(axis=0)])
    seen.__dict__["pixels"] = np.repeat(own[None], count, axis=0)
    seen.kept = lambda name: cells[None] * count  # type: ignore[assignment,method-assign]
    scene: Any = SimpleNamespace(recipe=given, task=given.task, run=None)
    seen._scene, seen._rows = scene, [np.arange(count)]
    return area_rules.of(seen)


def test_masks_of_which_nothing_was_learned() -> None:
    (advice,) = masked([[600, 0], [400, 0]])
    assert advice.about == "nothing learned"
    assert "60.0% of the pixels are right" in advice.seen
    (advice,) = masked([[300, 300], [200, 200]])
    assert advice.about == "nothing learned"
    assert masked([[550, 50], [100, 300]]) == []
    assert masked([[600, 0], [400, 0]], count=3) == []
