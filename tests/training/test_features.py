"""Features of a frozen body, computed once for a stage."""

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

from .conftest import SIDE, TinyBody

SIZE = (SIDE, SIDE)
Make = Callable[..., Trainer]
VARIED = Standard(area=(0.6, 1.0), light=0.3)


def stage(**options: Any) -> Stage:
    return Stage(**{"freeze": True, "lr": 1e-2, "epochs": 3, **options})


def train(run: Trainer, *stages: Stage) -> list[Any]:
    return list(run.stages(stages, lambda one: SIZE))


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the batches that went through a body."""
    seen: list[int] = []
    forward = TinyBody.forward

    def counted(self: TinyBody, images: torch.Tensor) -> torch.Tensor:
        seen.append(len(images))
        return forward(self, images)

    monkeypatch.setattr(TinyBody, "forward", counted)
    return seen


@pytest.mark.parametrize("pretrained", [True, False])
def test_with_a_view_an_epoch_the_head_learns_the_same(trainer: Make, pretrained: bool) -> None:
    """The pictures, their order and the steps are those of a stage without features."""
    runs = [trainer(pretrained=pretrained, augmentation=VARIED) for _ in range(2)]
    train(runs[0], stage(features=False))
    train(runs[1], stage(features=3))
    for name, value in runs[0].model.state_dict().items():
        torch.testing.assert_close(runs[1].model.state_dict()[name], value, rtol=1e-4, atol=1e-5)
    for one, other in zip(*(run.log for run in runs), strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=1e-4)
        assert one.scores == pytest.approx(other.scores)


@pytest.mark.parametrize("views", [1, 2, 5])
def test_the_body_runs_once_a_view(trainer: Make, passes: list[int], views: int) -> None:
    train(trainer(augmentation=VARIED), stage(epochs=4, features=views))
    assert sum(passes) == min(views, 4) * 24 + 12
    passes.clear()
    train(trainer(augmentation=VARIED), stage(epochs=4, features=False))
    assert sum(passes) == 4 * (24 + 12)


def test_views_differ_and_come_round(trainer: Make) -> None:
    run = trainer(augmentation=VARIED)
    run._freeze(stage())
    run._feed(1, SIZE, 2)
    seen = []
    for epoch in (1, 2, 3):
        rows, values = [], []
        for batch, _, part in run._varied(1, epoch, SIZE):
            rows.append(part)
            values.append(batch)
        seen.append(torch.cat(values)[np.argsort(np.concatenate(rows))])
    assert torch.equal(seen[0], seen[2])
    assert not torch.allclose(seen[0], seen[1])


@pytest.mark.parametrize("weights", [None, np.linspace(1, 9, 24)])
def test_rows_come_as_the_loader_draws_them(trainer: Make, weights: np.ndarray | None) -> None:
    """Also where some are drawn twice, and where an epoch goes on in its middle."""
    run = trainer(augmentation=VARIED, weights=weights)
    run._freeze(stage())
    expected = [part.tolist() for _, _, part in run._varied(1, 2, SIZE, 1)]
    run._feed(1, SIZE, 2)
    found = [part.tolist() for _, _, part in run._varied(1, 2, SIZE, 1)]
    assert found == expected
    assert len(found) == 2


def test_what_is_computed_is_what_the_body_says(trainer: Make) -> None:
    run = trainer()
    run._freeze(stage())
    run._feed(1, SIZE, 2)
    rows = run.valid[[3, 1, 7]]
    found, wanted, same = next(iter(run._fed.fixed(rows, SIZE)))
    images, targets, _ = next(iter(run.loader.fixed(rows, SIZE)))
    torch.testing.assert_close(found, run.model.eval().body(images))
    assert torch.equal(wanted, targets)
    assert same.tolist() == rows.tolist()


def test_full_stages_see_pictures_again(trainer: Make, passes: list[int]) -> None:
    run = trainer()
    train(run, stage(epochs=2, features=1), Stage(epochs=1))
    assert sum(passes) == 24 + 12 + 24 + 12
    assert run._fed is run.loader


def test_the_finder_sweeps_the_head_on_features(trainer: Make, passes: list[int]) -> None:
    run = trainer(augmentation=VARIED)
    train(run, stage(epochs=1, features=1, lr="find"))
    assert sum(passes) == 24 + 12


def test_too_large_for_the_memory(trainer: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kitbox.environment.free_memory", lambda: 4 * (2 * 24 + 12) * 8 * 4 - 1)
    run = trainer()
    assert run._views(stage()) == 0
    monkeypatch.setattr("kitbox.environment.free_memory", lambda: 4 * (2 * 24 + 12) * 8 * 4)
    assert run._views(stage()) == features.VIEWS


def test_maps_and_trained_bodies_have_none(trainer: Make) -> None:
    run = trainer()
    assert run._views(stage(epochs=1)) == 1
    assert run._views(stage(features=False)) == 0
    for freeze in (False, 1, -1):
        assert run._views(Stage(epochs=2, freeze=freeze, features=2)) == 0
    run.model.body.features = (4, 8)
    assert run._views(stage()) == 0


def test_processes_of_a_machine_share_its_memory_not_its_gpus(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from kitbox import environment

    monkeypatch.setattr(environment, "free_memory", lambda: 4 * 4000)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (4 * 4000, 0))
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert features.fit(100, 10, cpu)
    assert not features.fit(100, 10, cpu, processes=2)
    assert features.fit(50, 10, cpu, processes=2)
    assert features.fit(100, 10, gpu, processes=2)


@pytest.mark.parametrize("other", [False, True])
def test_features_fit_in_all_processes_or_in_none(
    trainer: Make, monkeypatch: pytest.MonkeyPatch, other: bool
) -> None:
    """Another machine's memory may be smaller."""
    run = trainer()
    asked: list[int] = []
    run.crew = Crew(0, 2, 2)
    monkeypatch.setattr(Crew, "same", lambda crew, value: value)
    monkeypatch.setattr(Crew, "any", lambda crew, flag: flag or other)
    monkeypatch.setattr(features, "fit", lambda *of: bool(asked.append(of[3]) or True))
    assert (run._views(stage()) > 0) != other
    assert asked == [2]
