"""One epoch of optimizer steps, and passes without them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from kitbox.contracts import Batches, Tally, Task
from kitbox.data.batches import Loader
from kitbox.errors import TrainingError

if TYPE_CHECKING:
    from accelerate import Accelerator

SHOW_EVERY = 20
"""Steps between looks at the loss on an accelerator: each look waits for the device."""


def train_epoch(
    model: torch.nn.Module,
    task: Task,
    batches: Batches,
    optimizer: Any,
    schedule: Any,
    accelerator: Accelerator,
    show: Callable[..., None] = lambda n=1, note="": None,
) -> float:
    """Train on every batch once; the mean loss of the pictures.

    Raises:
        TrainingError: when the mean loss is not a finite number.
    """
    model.train()
    total = torch.zeros((), device=accelerator.device, dtype=torch.float32)
    pictures = 0
    for number, (images, targets, rows) in enumerate(batches):
        # ---- one optimizer step ------------------------------------------
        outputs = model(images)
        losses = task.loss(outputs, targets)  # (B,)
        accelerator.backward(losses.mean())
        optimizer.step()
        if not accelerator.optimizer_step_was_skipped:  # fp16's scaler met an overflow
            schedule.step()
        optimizer.zero_grad(set_to_none=True)
        # -------------------------------------------------------------------
        total += losses.detach().sum()
        pictures += len(rows)
        if accelerator.device.type == "cpu" or number % SHOW_EVERY == 0:
            show(1, note=f"loss {losses.detach().mean().item():.3f}")  # waits for the device
        else:
            show(1)
    mean = total.item() / max(1, pictures)  # waits for the device
    if not np.isfinite(mean):
        raise TrainingError(
            f"The training loss became {mean}",
            do="Lower the learning rate of this stage, or let `lr: find` choose it",
        )
    return mean


@torch.inference_mode()
def evaluate(
    model: torch.nn.Module,
    task: Task,
    loader: Loader,
    rows: np.ndarray,
    size: tuple[int, int],
    show: Callable[..., None] = lambda n=1, note="": None,
) -> tuple[float, Tally]:
    """The mean loss of labelled rows and the task's tally of them."""
    model.eval()
    tally = task.tally()
    total = torch.zeros((), device=loader.device, dtype=torch.float32)
    for images, targets, part in loader.fixed(rows, size):
        outputs = model(images).float()
        total += task.loss(outputs, targets).sum()
        tally.add(outputs, targets, loader.frames(part, size))
        show(1)
    return total.item() / max(1, len(rows)), tally  # waits for the device
