"""The learning-rate finder: reads curves, chooses rates, leaves no trace."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator

from kitbox.errors import TrainingError
from kitbox.tasks.single_label import SingleLabel
from kitbox.training import finder

from .conftest import changed, copy, make_loader, make_model, make_task

SIZE = (16, 16)


class Broken(SingleLabel):
    """A task whose loss raises after some good ones."""

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if finder_calls.append(1) or len(finder_calls) > 4:
            raise RuntimeError("a loss that raises")
        return super().loss(outputs, targets)


class Endless(SingleLabel):
    """A task whose loss is not a number."""

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return super().loss(outputs, targets) * math.nan


finder_calls: list[int] = []


def batches(epoch: int) -> Iterator[Any]:
    return make_loader().fixed(np.arange(24), SIZE)


def state(model: torch.nn.Module) -> tuple[Any, ...]:
    return (
        [p.requires_grad for p in model.parameters()],
        [m.training for m in model.modules()],
        [None if p.grad is None else p.grad.clone().tolist() for p in model.parameters()],
        torch.get_rng_state().tolist(),
    )


@pytest.mark.parametrize("grads", [False, True])
@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("kind", [SingleLabel, Broken, Endless])
def test_a_sweep_leaves_no_trace(
    accelerator: Accelerator, kind: type[SingleLabel], frozen: bool, grads: bool
) -> None:
    finder_calls.clear()
    model = make_model()
    model.freeze(frozen, hold_norm=True)
    model.eval()
    model.body.second.train()  # modes of its own
    if grads:
        for parameter in model.head.parameters():
            parameter.grad = torch.ones_like(parameter)
    task = kind(**make_task().model_dump())
    weights, before = copy(model), state(model)
    sweep = lambda: finder.sweep(  # noqa: E731
        model, task, batches, accelerator, weight_decay=0.01, steps=12
    )
    if kind is SingleLabel:
        assert len(sweep().rates) >= 5
    else:
        error = RuntimeError if kind is Broken else TrainingError
        with pytest.raises(error):
            sweep()
    assert changed(model, weights) == set()
    assert state(model) == before


def test_the_sweep_raises_the_rate_and_trains_on_the_way(accelerator: Accelerator) -> None:
    curve = finder.sweep(
        make_model(), make_task(), batches, accelerator, weight_decay=0.0, steps=60
    )
    expected = np.geomspace(finder.LOWEST, finder.HIGHEST, 60)[: len(curve.rates)]
    np.testing.assert_allclose(curve.rates, expected)
    assert min(curve.losses) < curve.losses[0] * 0.95  # it learned something
    assert curve.steepest <= curve.shoots_up
    assert 1e-5 < curve.steepest < 1


def test_the_sweep_asks_for_another_epoch(accelerator: Accelerator) -> None:
    asked: list[int] = []

    def epochs(epoch: int) -> Iterator[Any]:
        asked.append(epoch)
        return batches(epoch)

    finder.sweep(make_model(), make_task(), epochs, accelerator, weight_decay=0.0, steps=7)
    assert asked == [0, 1, 2]  # three batches an epoch


def test_read_finds_the_steepest_fall_and_the_turn() -> None:
    rates = np.geomspace(1e-7, 10, 801)
    # A fall whose middle, the steepest point, is at 1e-3; it turns far above.
    position = np.log10(rates)
    losses = 2 - np.tanh(position + 3) + np.exp(4 * (position - 0.5))
    curve = finder.read(rates.tolist(), losses.tolist())
    slopes = np.diff(losses) / np.diff(position)
    assert curve.steepest == pytest.approx(1e-3, rel=0.1)
    assert curve.steepest == pytest.approx(rates[slopes.argmin()], rel=0.05)
    assert curve.shoots_up == pytest.approx(rates[losses.argmin()])


def test_read_of_a_curve_that_only_rises_takes_the_lowest_rate() -> None:
    curve = finder.read([1e-3, 1e-2, 1e-1], [1.0, 2.0, 3.0])
    assert (curve.steepest, curve.shoots_up) == (1e-3, 1e-3)
    assert curve.flat


@pytest.mark.parametrize("seed", range(20))
def test_noise_without_a_fall_recommends_nothing(seed: int) -> None:
    """What a frozen body of random weights gives: the lowest loss is anywhere."""
    rng = np.random.default_rng(seed)
    rates = np.geomspace(1e-7, 10, 100)
    raw = 2.3 + 0.03 * rng.standard_normal(100) + np.maximum(0, np.log10(rates)) ** 2
    means = [raw[: n + 1][-10:].mean() for n in range(100)]
    assert finder.read(rates.tolist(), means).flat
    falling = [loss - 0.5 / (1 + (1e-3 / rate)) for rate, loss in zip(rates, means, strict=True)]
    curve = finder.read(rates.tolist(), falling)
    assert not curve.flat
    assert 1e-4 < curve.steepest < 1e-2


def test_a_frozen_or_first_stage_takes_the_steepest_rate() -> None:
    curve = finder.Curve((), (), steepest=2e-3, shoots_up=1e-1)
    assert finder.choose(curve, frozen=True, first=None) == 2e-3
    assert finder.choose(curve, frozen=True, first=1.0) == 2e-3
    assert finder.choose(curve, frozen=False, first=None) == 2e-3


def test_a_later_stage_spreads_from_below_the_turn_to_a_fifth() -> None:
    curve = finder.Curve((), (), steepest=2e-3, shoots_up=8e-4)
    found = finder.choose(curve, frozen=False, first=5e-3)
    assert found == pytest.approx((8e-5, 1e-3))
    assert all(type(one) is float for one in found)  # type: ignore[union-attr]
    late = finder.Curve((), (), steepest=2e-3, shoots_up=1.0)
    assert finder.choose(late, frozen=False, first=5e-3) == pytest.approx((1e-4, 1e-3))


def test_noise_right_before_the_turn_is_no_steepest_fall() -> None:
    curve = finder.Curve((), (), steepest=2.2e-2, shoots_up=2.6e-2)
    assert finder.choose(curve, frozen=True, first=None) == pytest.approx(6.5e-3)


def test_the_head_is_not_far_above_the_turn() -> None:
    """A head that learned at a high rate says nothing of what the body bears."""
    early = finder.Curve((), (), steepest=2e-4, shoots_up=np.float64(1e-3))
    found = finder.choose(early, frozen=False, first=2e-2)
    assert found == pytest.approx((1e-4, 2e-3))
    assert all(type(one) is float for one in found)  # type: ignore[union-attr]


def test_the_default_of_a_flat_curve_is_not_above_what_harms() -> None:
    rates = np.geomspace(1e-7, 10, 100)
    losses = 2 + np.maximum(0, np.log10(rates / 1e-5))
    curve = finder.read(rates.tolist(), losses.tolist())
    assert curve.flat
    assert curve.shoots_up == pytest.approx(1e-5, rel=0.25)
    low, high = finder.bounded((1e-5, 1e-3), curve)  # type: ignore[misc]
    assert (low, high) == pytest.approx((1e-6, 2e-5), rel=0.25)
    assert finder.bounded(4e-3, curve) == pytest.approx(2e-5, rel=0.25)
    level = finder.read(rates.tolist(), [2.0] * 100)
    assert finder.bounded((1e-5, 1e-3), level) == (1e-5, 1e-3)
    assert finder.bounded(4e-3, level) == 4e-3
