"""Stages: each a stretch of epochs with one schedule."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from kitbox.contracts import Augmentation, Batches, Tally, Task
from kitbox.data.batches import Loader
from kitbox.data.frames import Frames
from kitbox.errors import TrainingError
from kitbox.models.forward import predict
from kitbox.models.model import Model, parameter_groups
from kitbox.progress import Progress, clock
from kitbox.training import finder
from kitbox.training.step import evaluate, train_epoch

if TYPE_CHECKING:
    from accelerate import Accelerator

    from kitbox.environment import Environment
    from kitbox.recipe import Recipe, Stage

FROZEN_RATE = 4e-3
"""Rate of a head on a frozen body, for AdamW; see docs/decisions.md."""

FULL_RATES = (1e-5, 1e-3)
"""Rates from the first layer to the head where all is trained, for AdamW."""

SCRATCH_RATE = 3e-3
"""Rate where the body starts from random weights: all layers learn alike."""


@dataclass(frozen=True)
class Epoch:
    """What an epoch did: a row of `log.csv`."""

    stage: int
    epoch: int
    lr: float
    train_loss: float
    valid_loss: float
    scores: dict[str, float]
    seconds: float

    def row(self) -> dict[str, int | float]:
        """The row, metrics as columns of their own."""
        return {
            "stage": self.stage,
            "epoch": self.epoch,
            "lr": self.lr,
            "train_loss": self.train_loss,
            "valid_loss": self.valid_loss,
            **self.scores,
            "seconds": self.seconds,
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


@dataclass
class Trainer:
    """Trains a model on a loader's pictures, a stage at a time.

    Attributes:
        train, valid: row numbers.
        weights: how often each training row is drawn, relative to the others; None: once each.
        rate: the head's rate of the stage before, for the finder's rule.
    """

    model: Model
    task: Task
    loader: Loader
    augmentation: Augmentation
    train: np.ndarray
    valid: np.ndarray
    accelerator: Accelerator
    weight_decay: float
    seed: int
    progress: Progress
    weights: np.ndarray | None = None
    rate: float | None = None
    _prepared: Any = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._prepared = self.accelerator.prepare(self.model)

    def stage(self, number: int, stage: Stage, size: tuple[int, int]) -> Iterator[Epoch]:
        """Train one stage; yields after each epoch.

        Args:
            number: from 1; with the seed and the epoch it sets the order and the variation.
        """
        self._freeze(stage)
        lr = self._rate(number, stage, size)
        self.rate = lr[1] if isinstance(lr, tuple) else lr
        steps = self.loader.count(len(self.train))
        optimizer = self.accelerator.prepare(
            torch.optim.AdamW(
                parameter_groups(self.model, lr, self.weight_decay),
                fused=self.accelerator.device.type in ("cpu", "cuda"),
            )
        )
        schedule = one_cycle(optimizer.optimizer, stage.epochs * steps)
        for epoch in range(1, stage.epochs + 1):
            began = time.monotonic()
            what = f"stage {number}, epoch {epoch} of {stage.epochs}"
            with self.progress.bar(what, steps + self.loader.count(len(self.valid))) as step:
                train_loss = train_epoch(
                    self._prepared,
                    self.task,
                    self._varied(number, epoch, size),
                    optimizer,
                    schedule,
                    self.accelerator,
                    step,
                )
                valid_loss, tally = self.validate(size, step)
                scores = self.task.score(tally)
            yield Epoch(
                number,
                epoch,
                self.rate,
                train_loss,
                valid_loss,
                scores,
                time.monotonic() - began,
            )

    def try_batch(self, number: int, stage: Stage, size: tuple[int, int]) -> float:
        """The loss of one training batch, forward and backward; weights stay as they are.

        Raises:
            TrainingError: when the loss or a gradient is not finite.
        """
        self._freeze(stage)
        with finder.untouched(self.model):
            self.model.train()
            images, targets, _ = next(iter(self._varied(number, 0, size)))
            with self.accelerator.autocast():
                outputs = self.model(images)
            loss = self.task.loss(outputs.float(), targets).mean()
            loss.backward()
            gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
            if not all(bool(torch.isfinite(g).all()) for g in (loss.detach(), *gradients)):
                raise TrainingError(
                    f"One batch of stage {number} gives a loss or a gradient that is not finite",
                    found=f"loss {loss.item()}",
                    do="Check the pictures and the targets",
                )
            return float(loss.item())

    def validate(
        self, size: tuple[int, int], step: Callable[..., None] = lambda n=1, note="": None
    ) -> tuple[float, Tally]:
        """The mean loss and the task's tally of the validation rows."""
        return evaluate(self._prepared, self.task, self.loader, self.valid, size, step)

    def predict(
        self,
        rows: np.ndarray,
        size: tuple[int, int],
        step: Callable[..., None] = lambda n=1, note="": None,
    ) -> Iterator[tuple[np.ndarray, Frames]]:
        """Raw outputs (B, ...) and frames of the rows, a batch at a time, in their order."""
        return predict(self._prepared, self.loader, rows, size, step)

    def _freeze(self, stage: Stage) -> None:
        hold = self.model.body.pretrained if stage.hold_norm is None else stage.hold_norm
        # Statistics of one picture are none; PyTorch refuses them.
        hold = hold or len(self.train) // max(1, self.loader.count(len(self.train))) < 2
        self.model.freeze(stage.freeze, hold_norm=hold)

    def _rate(
        self, number: int, stage: Stage, size: tuple[int, int]
    ) -> float | tuple[float, float]:
        if stage.lr == "find":
            with self.progress.bar(f"stage {number}, learning-rate finder", 1) as step:
                curve = finder.sweep(
                    self.model,
                    self.task,
                    lambda epoch: self._varied(number, 1_000_000 + epoch, size),
                    self.accelerator,
                    weight_decay=self.weight_decay,
                )
                step()
            lr = finder.choose(curve, frozen=stage.freeze is True, first=self.rate)
            self.progress.say(f"learning-rate finder: the loss shoots up at {curve.shoots_up:.1e}")
            return lr
        if stage.lr is not None:
            return stage.lr
        return default_rate(stage, self.model.body.pretrained)

    def _varied(self, number: int, epoch: int, size: tuple[int, int]) -> Batches:
        seed = (self.seed, number, epoch)
        return self.loader.varied(self.train, size, self.augmentation, seed, weights=self.weights)


def default_rate(stage: Stage, pretrained: bool) -> float | tuple[float, float]:
    """The rate of a stage that names none."""
    if stage.freeze is True:
        return FROZEN_RATE
    return FULL_RATES if pretrained else SCRATCH_RATE


def is_best(values: Sequence[float], better: str) -> bool:
    """Whether the last value is the best so far; the later one wins a draw, NaN never wins."""
    known = [value for value in values if not np.isnan(value)]
    if not known:
        return True  # nothing to choose by: the last weights are as good as any
    return bool(values[-1] == (min(known) if better == "min" else max(known)))


def one_cycle(optimizer: torch.optim.Optimizer, steps: int) -> torch.optim.lr_scheduler.LRScheduler:
    """Rates up for a quarter of the steps, then down, by cosine; momentum the other way.

    After Smith and Topin, "Super-Convergence", 2018. Each group's own rate is
    the height of its cycle.
    """
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=[group["lr"] for group in optimizer.param_groups],
        total_steps=max(2, steps),
        # PyTorch divides by 0.25 * 4 - 1 where there are four steps.
        pct_start=0.3 if steps == 4 else 0.25,
    )


def make_accelerator(environment: Environment) -> Accelerator:
    """Accelerate, set to the environment's device and number format."""
    from accelerate import Accelerator

    return Accelerator(mixed_precision=environment.precision, cpu=environment.device == "cpu")


def describe(recipe: Recipe, number: int) -> str:
    """A stage in words, for the terminal."""
    stage = recipe.stages[number - 1]
    height, width = recipe.stage_hw(stage)
    what = "all layers"
    if stage.freeze is True:
        what = "head alone, body frozen"
    elif stage.freeze is not False:
        what = f"body frozen up to {stage.freeze}"
    return f"stage {number} of {len(recipe.stages)}: {what}, {height}x{width} pixels"
