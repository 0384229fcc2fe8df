"""One epoch of optimizer steps, and passes without them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from kitbox.contracts import Batches, Tally, Task
from kitbox.data.batches import Loader
from kitbox.errors import PluginError, TrainingError
from kitbox.training.crew import ALONE, Crew
from kitbox.training.cycle import Cycle

if TYPE_CHECKING:
    from accelerate import Accelerator

    from kitbox.interpretation.interpretation import Interpretation
    from kitbox.training.features import Features

LOOK_EVERY = 20
"""Steps between looks at the loss on an accelerator: each look waits for the device."""


@dataclass
class Part:
    """How far an epoch has come.

    Attributes:
        step: optimizer steps done.
        total: sum of the losses so far, on the device.
        pictures: how many those were.
    """

    total: torch.Tensor
    step: int = 0
    pictures: int = 0


class NotFiniteError(Exception):
    """The loss became NaN or infinite; `rows` are the row numbers since the last look."""

    def __init__(self, rows: np.ndarray) -> None:
        super().__init__("the loss is not finite")
        self.rows = rows


def losses_of(task: Task, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The loss of each picture (B,).

    Raises:
        PluginError: when the task gives something else, which would train at another rate.
    """
    losses = task.loss(outputs, targets)
    if losses.shape != (len(outputs),):
        raise PluginError(
            f"The loss of the task {type(task).__name__} is not one number for each picture",
            found=f"{tuple(losses.shape)}, expected ({len(outputs)},)",
            do="Sum, or take the mean, over all dimensions but the first: `losses.sum(dim=1)`",
        )
    return losses


def train_epoch(
    model: torch.nn.Module,
    task: Task,
    batches: Batches,
    optimizer: Any,
    cycle: Cycle,
    accelerator: Accelerator,
    part: Part,
    slices: Slices,
    done: Callable[[str], None] = lambda note: None,
    *,
    mix: Callable[[torch.Tensor, int], tuple[torch.Tensor, float]] = lambda images, step: (
        images,
        1.0,
    ),
    crew: Crew = ALONE,
) -> float:
    """Train on every batch once; the mean loss of the pictures of the epoch.

    Ends early when the cycle does, at once where it has ended before.

    Args:
        batches: those that are still to come.
        part: how far the epoch has come; it is counted on.
        done: called after every step, with a note for the progress bar.
        mix: mixes the batch of a step with itself in reverse; with the share of its own.
        crew: the processes that share the batches, of which `batches` has this one's parts.

    Raises:
        NotFiniteError: when the loss is not.
    """
    model.train()
    on_cpu = accelerator.device.type == "cpu"
    unseen: list[np.ndarray] = []
    for images, targets, rows in batches if cycle.left else ():
        # ---- one optimizer step ------------------------------------------
        mixed, own = mix(images, part.step)
        with crew.statistics(images.device):
            losses = slices.backward(  # (b,) of this process's part
                model, task, mixed, targets, accelerator.backward, own, of=crew.weight(len(rows))
            )
        total = crew.pool(model, losses, len(rows))  # of the whole batch, like the gradients
        optimizer.step()
        if not getattr(optimizer, "step_was_skipped", False):  # fp16's scaler met an overflow
            cycle.step()
        optimizer.zero_grad(set_to_none=True)
        # -------------------------------------------------------------------
        part.total += total
        part.pictures += len(rows)
        part.step += 1
        unseen.append(rows)
        note = ""
        if on_cpu or part.step % LOOK_EVERY == 0:
            loss = total.item() / len(rows)  # waits for the device
            if not np.isfinite(loss):
                raise NotFiniteError(np.concatenate(unseen))
            unseen, note = [], f"loss {loss:.3f}"
        done(note)
        if cycle.left == 0:
            break
    mean = part.total.item() / max(1, part.pictures)  # waits for the device
    if not np.isfinite(mean):
        raise NotFiniteError(np.concatenate(unseen) if unseen else np.empty(0, np.int64))
    return mean


@dataclass
class Slices:
    """Passes of a batch, in as many slices as the device's memory needs.

    Attributes:
        count: slices of a batch; doubled when the device's memory is full, for good.
        say: told when that happens.
        whole: no slices in training: other processes wait for a batch's statistics.
    """

    say: Callable[[str], None] = lambda text: None
    count: int = 1
    whole: bool = False

    def backward(
        self,
        model: torch.nn.Module,
        task: Task,
        images: torch.Tensor,
        targets: torch.Tensor,
        backward: Callable[[torch.Tensor], object],
        own: float = 1.0,
        forward: Callable[[torch.Tensor], torch.Tensor] | None = None,
        of: int | None = None,
    ) -> torch.Tensor:
        """The losses (B,) of a batch, detached; gradients of their mean are added up.

        Args:
            backward: takes a loss backward.
            own: the share of a picture's own target in its loss; the rest is that of the
                picture it was mixed with, its counterpart in the batch in reverse.
            forward: takes images through the model; by default the model itself.
            of: what the sum of the losses is divided by, if not B.

        Raises:
            TrainingError: when one picture alone does not fit into the memory.
        """
        others, again = targets.flip(0), partial(model.zero_grad, set_to_none=True)

        def part(place: slice) -> torch.Tensor:
            outputs = (forward or model)(images[place]).float()
            losses = losses_of(task, outputs, targets[place])
            if own < 1:
                losses = own * losses + (1 - own) * losses_of(task, outputs, others[place])
            backward(losses.sum() / (of or len(images)))
            return losses.detach()

        return self.each(len(images), part, again, sliced=not self.whole)

    def forward(self, model: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
        """The outputs (B, ...) of a batch, in full precision.

        Raises:
            TrainingError: when one picture alone does not fit into the memory.
        """
        return self.each(len(images), lambda place: model(images[place]).float())

    def each(
        self,
        count: int,
        part: Callable[[slice], torch.Tensor],
        again: Callable[[], object] = lambda: None,
        *,
        sliced: bool = True,
    ) -> torch.Tensor:
        """What `part` gives for each slice of a batch of `count` pictures, joined.

        Args:
            again: called before all of them are tried again, in smaller slices.
            sliced: whether they may be.

        Raises:
            TrainingError: when it does not fit into the memory in the slices that may be.
        """
        while True:
            step = -(-count // self.count) if sliced else count
            try:
                return torch.cat([part(slice(i, i + step)) for i in range(0, count, step)])
            except torch.OutOfMemoryError as error:
                if not sliced:
                    raise TrainingError(
                        "A batch does not fit into the device's memory, and cannot be sliced "
                        "while processes share the statistics of its normalisation",
                        found=str(error).splitlines()[0],
                        do="Use a smaller `batch_size`, or `hold_norm: true` in the stage",
                    ) from error
                if self.count >= count:
                    raise TrainingError(
                        "One picture alone does not fit into the device's memory",
                        found=str(error).splitlines()[0],
                        do="Use a smaller `size` or a smaller backbone",
                    ) from error
            again()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            self.count = min(count, 2 * self.count)
            self.say(
                f"The device's memory is full: batches of {count} go in {self.count} slices, "
                "gradients are added up"
            )


@torch.inference_mode()
def evaluate(
    model: torch.nn.Module,
    task: Task,
    loader: Loader | Features,
    rows: np.ndarray,
    size: tuple[int, int],
    show: Callable[..., None] = lambda n=1, note="": None,
    slices: Slices | None = None,
    crew: Crew = ALONE,
    watch: Interpretation | None = None,
) -> tuple[float, Tally]:
    """The mean loss of labelled rows and the task's tally of them.

    Args:
        watch: sees the same batches.
        crew: the processes that share the batches; the main one's tally is of all rows, the
            others' is empty and their loss is nan.
    """
    slices = slices or Slices()
    model.eval()
    tally = task.tally()
    total = torch.zeros((), device=loader.device, dtype=torch.float32)
    for images, wanted, part in loader.fixed(rows, size):
        outputs = crew.brought(slices.forward(model, images), len(part))
        targets = crew.brought(wanted, len(part))
        if outputs is not None and targets is not None:
            losses, frames = losses_of(task, outputs, targets), loader.frames(part, size)
            total += losses.sum()
            tally.add(outputs, targets, frames)
            if watch is not None:
                watch.add(outputs, targets, losses, frames, part)
        show(1)
    if not crew.main:
        return math.nan, tally
    return total.item() / max(1, len(rows)), tally  # waits for the device
