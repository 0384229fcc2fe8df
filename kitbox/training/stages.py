"""Stages: each a stretch of epochs with one schedule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kitbox.errors import RecipeError
from kitbox.progress import clock

if TYPE_CHECKING:
    from accelerate import Accelerator

    from kitbox.environment import Environment
    from kitbox.recipe import Stage

FROZEN_RATE = 4e-3
"""Rate of a head on a frozen body, for AdamW; see docs/decisions.md."""

FULL_RATES = (1e-5, 1e-3)
"""Rates from the first layer to the head where all is trained, for AdamW."""

SCRATCH_RATE = 3e-3
"""Rate where the body starts from random weights: all layers learn alike."""

CALMER = 0.3
"""What the rates are multiplied by after a loss that was not finite."""


@dataclass(frozen=True)
class Epoch:
    """What an epoch did: a row of `log.csv`.

    Attributes:
        seconds: in all; of these `validating` were not training, and `waited` only waiting for
            pictures.
        made: seconds of threads that made pictures ready, beside the training.
    """

    stage: int
    epoch: int
    lr: float
    train_loss: float
    valid_loss: float
    scores: dict[str, float]
    seconds: float
    validating: float = 0.0
    waited: float = 0.0
    made: float = 0.0

    def row(self) -> dict[str, int | float]:
        """The row, metrics as columns of their own; without the time, so that runs compare."""
        return {
            "stage": self.stage,
            "epoch": self.epoch,
            "lr": self.lr,
            "train_loss": self.train_loss,
            "valid_loss": self.valid_loss,
            **self.scores,
        }

    def time(self) -> dict[str, int | float]:
        """A row of `times.csv`."""
        return {
            "stage": self.stage,
            "epoch": self.epoch,
            "seconds": self.seconds,
            "validating": self.validating,
            "waited": self.waited,
            "made": self.made,
        }

    def cells(self) -> dict[str, str]:
        """The row as a person reads it."""
        numbers = {"train_loss": self.train_loss, "valid_loss": self.valid_loss, **self.scores}
        return {
            "stage": str(self.stage),
            "epoch": str(self.epoch),
            "lr": f"{self.lr:.1e}",
            **{name: f"{value:.4f}" for name, value in numbers.items()},
            "time": clock(self.seconds),
        }


def default_rate(stage: Stage, pretrained: bool) -> float | tuple[float, float]:
    """The rate of a stage that names none."""
    if stage.freeze is True:
        return FROZEN_RATE
    return FULL_RATES if pretrained else SCRATCH_RATE


def in_words(lr: float | tuple[float, float]) -> str:
    """A rate, or the first layer's and the head's."""
    return f"{lr[0]:.1e} to {lr[1]:.1e}" if isinstance(lr, tuple) else f"{lr:.1e}"


def place_of_best(values: Sequence[float], better: str) -> int:
    """Where the best value is: the last of those alike; the last of all where none is a number."""
    known = [value for value in values if not np.isnan(value)]
    if not known:
        return len(values) - 1  # nothing to choose by: the last weights are as good as any
    best = min(known) if better == "min" else max(known)
    return max(place for place, value in enumerate(values) if value == best)


def make_accelerator(environment: Environment, *, compiled: bool = False) -> Accelerator:
    """Accelerate, set to the environment's device and number format.

    Args:
        compiled: networks that it prepares are compiled by PyTorch's inductor, for batches of
            any size at once.

    Raises:
        RecipeError: when nothing can be compiled here.
    """
    from accelerate import Accelerator
    from accelerate.utils import TorchDynamoPlugin

    if compiled:
        _try_compiler(environment.device)
    plugin = TorchDynamoPlugin(backend="inductor", dynamic=True) if compiled else None
    cpu = environment.device == "cpu"
    return Accelerator(mixed_precision=environment.precision, cpu=cpu, dynamo_plugin=plugin)


def _try_compiler(device: str) -> None:
    """Compile next to nothing, which needs a C++ compiler (and on a GPU Triton).

    Raises:
        RecipeError: when it cannot be.
    """
    import logging

    import torch

    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)  # says: no GPU
    torch._dynamo.config.recompile_limit = 64  # stages, sizes, training or not
    try:
        torch.compile(lambda x: (x + 1).relu())(torch.zeros(64, device=device))
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else ""
        raise RecipeError(
            "`compile: true` asks for a compiled network, and nothing can be compiled here",
            mistakes=[f"{type(error).__name__}: {reason}"],
            do="Install a C++ compiler (`apt-get install g++`), or leave `compile` out",
        ) from error


def describe(stage: Stage, number: int, count: int, size: tuple[int, int]) -> str:
    """Stage `number` of `count` in words, at a size of (H, W)."""
    what = "all layers"
    if stage.freeze is True:
        what = "head alone, body frozen"
    elif stage.freeze is not False:
        what = _frozen(stage.freeze)
    if stage.schedule == "constant":
        what += ", constant rate"
    return f"stage {number} of {count}: {what}, {size[0]}x{size[1]} pixels"


def _frozen(freeze: int | str) -> str:
    """What is frozen, in words: a number counts layers, below 0 from the last one."""
    if isinstance(freeze, str):
        return f"body frozen up to {freeze}"
    if freeze == 0:
        return "all layers"
    count = "1 layer" if abs(freeze) == 1 else f"{abs(freeze)} layers"
    return f"body's first {count} frozen" if freeze > 0 else f"body frozen but for its last {count}"
