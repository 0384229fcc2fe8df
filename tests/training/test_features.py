"""Features of a frozen body, computed once for a stage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from kitbox.data.augment import Standard
from kitbox.recipe import Stage
from kitbox.training import features
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


def test_full_stages_see_pictures_again(trainer: Make, passes: list[int]) -> None:
    run = trainer()
    train(run, stage(epochs=2, features=1), Stage(epochs=1))
    assert sum(passes) == 24 + 12 + 24 + 12
    assert run.feed.source is run.loader


def test_the_finder_sweeps_the_head_on_features(trainer: Make, passes: list[int]) -> None:
    run = trainer(augmentation=VARIED)
    train(run, stage(epochs=1, features=1, lr="find"))
    assert sum(passes) == 24 + 12


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
