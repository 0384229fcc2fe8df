"""Advice for several labels: where it speaks, and where it is silent."""

from __future__ import annotations

import numpy as np

from interpretation.made import recipe, tagged
from kitbox.interpretation import tag_rules

TAGS = {"task": "multi-label"}


def made(found: float, **changes: object) -> list:
    """A common label that is found, and a rare one of which a share is."""
    targets = np.zeros((200, 2), int)
    targets[:100, 0] = targets[:12, 1] = 1
    chosen = targets.copy()
    chosen[round(12 * found) : 12, 1] = 0
    return tag_rules.of(tagged(chosen, targets, recipe=recipe(**TAGS, **changes)))


def test_a_rare_label_that_is_missed() -> None:
    (advice,) = made(0.1)
    assert "t1 (12)" in advice.seen
    assert advice.apply(recipe(**TAGS)).sampler == "balanced"
    (advice,) = made(0.1, sampler="balanced")
    given = recipe(**TAGS, sampler="balanced")
    assert advice.apply(given).task.positive_weights == "balanced"  # type: ignore[attr-defined]


def test_labels_of_which_nothing_was_learned() -> None:
    """Chosen at random, or never, or always."""
    rng = np.random.default_rng(0)
    targets = (rng.random((400, 3)) < [0.5, 0.3, 0.6]).astype(int)
    for chosen in (rng.random((400, 3)) < 0.5, 0 * targets, 0 * targets + 1):
        (advice,) = tag_rules.of(tagged(np.array(chosen), targets, recipe=recipe(**TAGS)))
        assert advice.about == "nothing learned"
        assert advice.apply(recipe(**TAGS)).stages[-1].lr == "find"
    learned = np.where(rng.random((400, 3)) < 0.8, targets, 1 - targets)
    assert tag_rules.of(tagged(learned, targets, recipe=recipe(**TAGS))) == []
    everywhere = 0 * targets + 1
    everywhere[:8] = 0
    assert tag_rules.of(tagged(0 * targets + 1, everywhere, recipe=recipe(**TAGS))) == []


def test_a_rare_label_that_is_found_and_no_rare_label() -> None:
    assert made(0.9) == []
    even = np.eye(4, dtype=int)[np.arange(80) % 4]
    assert tag_rules.of(tagged(even, even, recipe=recipe(**TAGS))) == []
    one = np.eye(2, dtype=int)[:1]
    assert tag_rules.of(tagged(1 - one, one, recipe=recipe(**TAGS))) == []
