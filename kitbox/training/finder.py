"""The learning-rate finder: rates swept upward over a few batches, all traces removed."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from kitbox.contracts import Batches, Task
from kitbox.errors import TrainingError
from kitbox.models.model import Model, parameter_groups
from kitbox.training.crew import ALONE, Crew
from kitbox.training.step import Slices

if TYPE_CHECKING:
    from accelerate import Accelerator

LOWEST, HIGHEST, STEPS = 1e-7, 10.0, 100
_SMOOTHING = 0.9
_DIVERGED = 4.0
_FIRST = 0.1
"""The part of a sweep whose losses are means of few batches: they say little."""
_FALL = 0.02
"""The part of the loss that must go, or the curve says nothing."""
_ABOVE = 2.0
"""How far above the rate where the loss shoots up a head's may be; see docs/decisions.md."""
_BEFORE = 4.0
"""How far before it the steepest rate must be at least."""


@dataclass(frozen=True)
class Curve:
    """What a sweep saw, and what follows from it.

    Attributes:
        rates: the head's rate at each step.
        losses: smoothed losses at those rates.
        steepest: the rate where the loss falls fastest.
        shoots_up: the rate from which on the loss only rises: that of its lowest value. Of a
            flat curve, whose lowest value may be anywhere, the last rate that does not harm.
        flat: the loss hardly falls anywhere; the curve recommends nothing.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    steepest: float
    shoots_up: float
    flat: bool = False


def sweep(
    model: Model,
    task: Task,
    epochs: Callable[[int], Batches],
    accelerator: Accelerator,
    *,
    weight_decay: float,
    forward: torch.nn.Module | None = None,
    slices: Slices | None = None,
    steps: int = STEPS,
    step: Callable[..., None] = lambda n=1, note="": None,
    crew: Crew = ALONE,
) -> Curve:
    """Raise the rate exponentially from 1e-7 to 10 and watch the loss.

    After Smith, "Cyclical Learning Rates for Training Neural Networks", 2017.
    The sweep ends early once the loss is four times its best. Weights, modes
    and random states are afterwards as before, also when it fails.

    Args:
        epochs: gives the batches of epoch n; it is asked again when they run out.
        forward: what the batches go through; by default the model.
        slices: of a batch, where the device's memory is too small for all of it.
        crew: the processes that share the batches; all of them find the same.

    Raises:
        TrainingError: when the loss is not finite from the start.
    """
    slices = slices or Slices()
    rates: list[float] = []
    smooth: list[float] = []
    # Small gradients vanish in fp16; AdamW's step does not depend on the scale.
    scale = 1024.0 if accelerator.mixed_precision == "fp16" else 1.0

    def through(images: torch.Tensor) -> torch.Tensor:
        with accelerator.autocast():
            outputs: torch.Tensor = (forward or model)(images)
        return outputs

    with untouched(model):
        model.train()
        groups = parameter_groups(model, 1.0, weight_decay)
        optimizer = torch.optim.AdamW(groups, lr=LOWEST)
        best, average = math.inf, 0.0
        for i, (images, targets, rows) in enumerate(islice(_endless(epochs), steps)):
            rate = LOWEST * (HIGHEST / LOWEST) ** (i / max(1, steps - 1))
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.zero_grad(set_to_none=True)
            with crew.statistics(images.device):
                losses = slices.backward(
                    model,
                    task,
                    images,
                    targets,
                    lambda loss: (loss * scale).backward(),
                    forward=through,
                    of=crew.weight(len(rows)),
                )
            total = crew.pool(forward or model, losses, len(rows))
            value = total.item() / len(rows)  # the sweep needs each loss at once
            if not math.isfinite(value):
                break
            average = _SMOOTHING * average + (1 - _SMOOTHING) * value
            smoothed = average / (1 - _SMOOTHING ** (i + 1))
            rates.append(rate)
            smooth.append(smoothed)
            best = min(best, smoothed)
            if i > steps // 10 and smoothed > _DIVERGED * best:
                break
            optimizer.step()
            step(1, note=f"loss {smoothed:.3f} at {rate:.1e}")
    if len(smooth) < 5:
        raise TrainingError(
            "The learning-rate finder met a loss that is not finite at the smallest rates",
            do="Check the pictures and labels, or give `lr` in the stage",
        )
    return read(rates, smooth)


def read(rates: list[float], losses: list[float]) -> Curve:
    """Where a curve falls fastest, and where it begins to shoot up."""
    first = int(len(losses) * _FIRST)
    lowest = first + int(np.argmin(losses[first:]))
    slopes = np.gradient(np.asarray(losses), np.log(np.asarray(rates)))
    steepest = first + int(np.argmin(slopes[first : lowest + 1]))
    flat = losses[first] - losses[lowest] <= _FALL * abs(losses[first])
    turn = lowest
    if flat:
        harmless = losses[lowest] + _FALL * abs(losses[first])
        turn = max(place for place, loss in enumerate(losses) if loss <= harmless)
    return Curve(tuple(rates), tuple(losses), rates[steepest], rates[turn], flat)


def choose(curve: Curve, *, frozen: bool, first: float | None) -> float | tuple[float, float]:
    """The rate of a stage from its curve, by the craft of the fast.ai course.

    A frozen stage (or one that no frozen one came before) takes the steepest rate. A
    later stage takes (a, b): a is ten times below where the loss shoots up, b a fifth of the
    frozen stage's rate. Beyond the course, b is not far above where the loss shoots up (there
    the layers next to the head lose what they know), a at least ten times below b, and a
    steepest rate right before the loss shoots up is not taken: noise put it there.

    Args:
        first: the head's rate in the last stage that was frozen; None where there was none.
    """
    if frozen or first is None:
        return min(float(curve.steepest), float(curve.shoots_up) / _BEFORE)
    return bounded((first / 50, first / 5), curve)


def bounded(lr: float | tuple[float, float], curve: Curve) -> float | tuple[float, float]:
    """A rate, or rates of the first layer and the head, not far above where the loss shoots up."""
    turn = float(curve.shoots_up)
    if not isinstance(lr, tuple):
        return min(float(lr), _ABOVE * turn)
    high = min(float(lr[1]), _ABOVE * turn)
    return (min(float(lr[0]), high / 10, turn / 10), high)


@contextmanager
def untouched(model: Model) -> Iterator[None]:
    """Put weights, gradients, modes and random states back afterwards."""
    state = copy.deepcopy(model.state_dict())
    modes = {name: module.training for name, module in model.named_modules()}
    gradients = [(parameter, parameter.grad) for parameter in model.parameters()]
    plain, legacy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else None
    try:
        for parameter, _ in gradients:
            parameter.grad = None  # so that nothing is added to the ones kept
        yield
    finally:
        model.load_state_dict(state)
        for name, module in model.named_modules():
            module.training = modes[name]
        for parameter, gradient in gradients:
            parameter.grad = gradient
        random.setstate(plain)  # these two for augmentations of others
        np.random.set_state(legacy)
        torch.set_rng_state(cpu)
        if devices is not None:
            torch.cuda.set_rng_state_all(devices)


def _endless(epochs: Callable[[int], Batches]) -> Iterator[tuple[Any, Any, Any]]:
    number = 0
    for number in range(STEPS * 1000):
        yield from epochs(number)
