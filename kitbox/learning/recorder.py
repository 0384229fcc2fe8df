"""What a learner's fits did, step by step and epoch by epoch, and its curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from kitbox.errors import TrainingError
from kitbox.learning import curves

if TYPE_CHECKING:
    import torch
    from PIL import Image

    from kitbox.learning.suggestion import Suggestion
    from kitbox.training.stages import Epoch
    from kitbox.training.step import Part


@dataclass
class Steps:
    """The optimizer steps of a fit.

    Attributes:
        fit: its number.
        epochs: of each step.
        losses: of each step, the batch's mean.
        rates: of each step, the head's.
    """

    fit: int
    epochs: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)


class Recorder:
    """Losses, rates and metrics of all fits so far.

    Args:
        log: gives every epoch so far.
    """

    def __init__(self, log: Callable[[], Sequence[Epoch]]) -> None:
        self._log = log
        self._steps: dict[int, Steps] = {}
        self._sums: list[tuple[torch.Tensor, int]] = []  # still on the device
        self._rate, self._began = 0.0, False
        self.found: Suggestion | None = None

    def watch(self, fit: int, epoch: int, part: Part, optimizer: torch.optim.Optimizer) -> None:
        """A step was made; see `Trainer.watch`. Waits for no device."""
        if epoch == 0:
            self._read()
            self._steps.setdefault(fit, Steps(fit))
            self._sums = [(part.total.clone(), part.pictures)]
            self.found = None
        else:
            if part.step == 1:
                self._read()
                self._sums = [(part.total * 0, 0)]
            if self._began:
                self._forget_from(fit, epoch, part.step)
            self._sums.append((part.total.clone(), part.pictures))
            self._steps[fit].epochs.append(epoch)
            self._steps[fit].rates.append(self._rate)
        self._began = epoch == 0
        self._current = fit
        self._rate = float(optimizer.param_groups[-1]["lr"])

    def _forget_from(self, fit: int, epoch: int, step: int) -> None:
        """Forget the steps of a fit that are made again, from one of an epoch on."""
        one = self._steps[fit]
        kept = sum(of < epoch for of in one.epochs) + min(one.epochs.count(epoch), step - 1)
        del one.epochs[kept:], one.losses[kept:], one.rates[kept:]

    def _read(self) -> None:
        """Bring the losses of an epoch from the device."""
        if len(self._sums) > 1:
            totals = [total.item() for total, _ in self._sums]
            counts = [count for _, count in self._sums]
            losses = self._steps[self._current].losses
            for i in range(1, len(totals)):
                losses.append((totals[i] - totals[i - 1]) / max(1, counts[i] - counts[i - 1]))
        self._sums = self._sums[-1:]

    def steps(self, fit: int) -> Steps:
        """The steps of a fit that were made here, or were kept with it."""
        self._read()
        return self._steps.get(fit, Steps(fit))

    def give(self, fit: int, kept: dict[str, Any] | None) -> None:
        """Take what `plain` gave, and forget later fits."""
        self._read()
        self._steps = {number: one for number, one in self._steps.items() if number < fit}
        if kept:
            self._steps[fit] = Steps(fit, **kept)

    def back(self, kept: Sequence[dict[str, Any]]) -> None:
        """Go back to the fits whose steps `plain` gave, and to no others."""
        self._read()
        self._steps = {number: Steps(number, **one) for number, one in enumerate(kept, 1)}
        self.found = None

    def plain(self, fit: int) -> dict[str, Any]:
        """The steps of a fit as plain values, as a checkpoint keeps them."""
        one = self.steps(fit)
        return {
            "epochs": list(one.epochs),
            "losses": [float(f"{loss:.5g}") for loss in one.losses],
            "rates": [float(f"{rate:.5g}") for rate in one.rates],
        }

    @property
    def table(self) -> pd.DataFrame:
        """A row an epoch: fit, epoch, head's highest rate, losses, metrics, seconds."""
        rows = [{**one.row(), "seconds": one.seconds} for one in self._log()]
        return pd.DataFrame(rows).rename(columns={"stage": "fit"})

    def __repr__(self) -> str:
        table = self.table
        if not len(table):
            return "Recorder: nothing was trained yet"
        return str(table.round(4).to_string(index=False)) + "\nplot() draws it"

    def plot(self) -> Image.Image:
        """The finder's curve if it was asked last; else losses, rates and metrics, side by side.

        Raises:
            TrainingError: when nothing was trained or found yet.
        """
        if self.found is not None:
            return self.found.plot()
        return curves.panels(*self._all(), ("losses", "rates", "metrics"))

    def plot_losses(self) -> Image.Image:
        """The loss of each step, smoothed, and of the validation pictures after each epoch.

        Raises:
            TrainingError: when nothing was trained yet.
        """
        return curves.panels(*self._all(), ("losses",))

    def plot_lr(self) -> Image.Image:
        """The head's rate at each step.

        Raises:
            TrainingError: when nothing was trained yet.
        """
        return curves.panels(*self._all(), ("rates",))

    def plot_metrics(self) -> Image.Image:
        """The metrics after each epoch, a line each.

        Raises:
            TrainingError: when nothing was trained yet.
        """
        return curves.panels(*self._all(), ("metrics",))

    def _all(self) -> tuple[list[Epoch], dict[int, Steps]]:
        log = list(self._log())
        self._read()
        if not log:
            raise TrainingError(
                "No epoch was trained yet, so there is nothing to draw",
                do="Train first: learn.fit_one_cycle(4)",
            )
        return log, self._steps
