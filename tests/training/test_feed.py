"""What a stage is fed: pictures, or features of a frozen body."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from kitbox.data.augment import Standard
from kitbox.recipe import Stage
from kitbox.training import features
from kitbox.training.crew import Crew
from kitbox.training.trainer import Trainer

from .conftest import SIDE

SIZE = (SIDE, SIDE)
Make = Callable[..., Trainer]
VARIED = Standard(area=(0.6, 1.0), light=0.3)


def stage(**options: Any) -> Stage:
    return Stage(**{"freeze": True, "lr": 1e-2, "epochs": 3, **options})


def fed(run: Trainer, views: int) -> int:
    """Have the first stage fed features of so many views."""
    return run.feed.choose(1, SIZE, views, lambda step: step)


def test_views_differ_and_come_round(trainer: Make) -> None:
    run = trainer(augmentation=VARIED)
    run.model.freeze(True, hold_norm=True)
    fed(run, 2)
    seen = []
    for epoch in (1, 2, 3):
        rows, values = [], []
        for batch, _, part in run.feed.varied(1, epoch, SIZE):
            rows.append(part)
            values.append(batch)
        seen.append(torch.cat(values)[np.argsort(np.concatenate(rows))])
    assert torch.equal(seen[0], seen[2])
    assert not torch.allclose(seen[0], seen[1])


@pytest.mark.parametrize("weights", [None, np.linspace(1, 9, 24)])
def test_rows_come_as_the_loader_draws_them(trainer: Make, weights: np.ndarray | None) -> None:
    """Also where some are drawn twice, and where an epoch goes on in its middle."""
    run = trainer(augmentation=VARIED, weights=weights)
    run.model.freeze(True, hold_norm=True)
    expected = [part.tolist() for _, _, part in run.feed.varied(1, 2, SIZE, 1)]
    fed(run, 2)
    found = [part.tolist() for _, _, part in run.feed.varied(1, 2, SIZE, 1)]
    assert found == expected
    assert len(found) == 2


def test_what_is_computed_is_what_the_body_says(trainer: Make) -> None:
    run = trainer()
    run.model.freeze(True, hold_norm=True)
    fed(run, 2)
    rows = run.valid[[3, 1, 7]]
    found, wanted, same = next(iter(run.feed.source.fixed(rows, SIZE)))
    images, targets, _ = next(iter(run.loader.fixed(rows, SIZE)))
    torch.testing.assert_close(found, run.model.eval().body(images))
    assert torch.equal(wanted, targets)
    assert same.tolist() == rows.tolist()


def test_too_large_for_the_memory(trainer: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kitbox.environment.free_memory", lambda: 4 * (2 * 24 + 12) * 8 * 4 - 1)
    run = trainer()
    assert run.feed.views(stage()) == 0
    monkeypatch.setattr("kitbox.environment.free_memory", lambda: 4 * (2 * 24 + 12) * 8 * 4)
    assert run.feed.views(stage()) == features.VIEWS


def test_maps_and_trained_bodies_have_none(trainer: Make) -> None:
    run = trainer()
    assert run.feed.views(stage(epochs=1)) == 1
    assert run.feed.views(stage(features=False)) == 0
    for freeze in (False, 1, -1):
        assert run.feed.views(Stage(epochs=2, freeze=freeze, features=2)) == 0
    run.model.body.features = (4, 8)
    assert run.feed.views(stage()) == 0


@pytest.mark.parametrize("other", [False, True])
def test_features_fit_in_all_processes_or_in_none(
    trainer: Make, monkeypatch: pytest.MonkeyPatch, other: bool
) -> None:
    """Another machine's memory may be smaller."""
    run = trainer()
    asked: list[int] = []
    run.feed.crew = Crew(0, 2, 2)
    monkeypatch.setattr(Crew, "same", lambda crew, value: value)
    monkeypatch.setattr(Crew, "any", lambda crew, flag: flag or other)
    monkeypatch.setattr(features, "fit", lambda *of: bool(asked.append(of[3]) or True))
    assert (run.feed.views(stage()) > 0) != other
    assert asked == [2]


def test_features_are_computed_again_only_where_something_changed(trainer: Make) -> None:
    run = trainer()
    batches = fed(run, 2)
    assert batches == 2 * run.loader.count(24) + run.loader.count_fixed(12)
    first = run.feed.source
    assert (fed(run, 2), run.feed.source) == (0, first)
    assert fed(run, 1) > 0
    run.feed.forget()
    assert fed(run, 1) > 0


def test_without_views_it_is_pictures_through_all_of_the_model(trainer: Make) -> None:
    run = trainer()
    fed(run, 2)
    assert run.feed.forward is not run.feed.whole
    assert fed(run, 0) == 0
    assert (run.feed.source, run.feed.forward) == (run.loader, run.feed.whole)


@pytest.mark.parametrize("use", [True, False])
def test_no_features_where_they_may_not_be_used(trainer: Make, use: bool) -> None:
    assert bool(trainer().feed.views(stage(), use=use)) == use
