"""One epoch of optimizer steps, and one pass without them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from kitbox.contracts import Batches, Task
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
    batches: Batches,
    show: Callable[..., None] = lambda n=1, note="": None,
) -> np.ndarray:
    """Raw outputs (N, K) float32 of every picture, in the batches' order."""
    model.eval()
    parts = []
    for images, _, _ in batches:
        parts.append(model(images).float())
        show(1)
    if not parts:
        return np.empty((0, 0), np.float32)
    return torch.cat(parts).cpu().numpy()  # waits for the device, once


def mean_loss(task: Task, outputs: np.ndarray, targets: np.ndarray) -> float:
    """The mean loss of raw outputs (N, K) against encoded targets (N, ...)."""
    with torch.inference_mode():
        losses = task.loss(torch.from_numpy(outputs), torch.from_numpy(targets))
    return float(losses.mean())
