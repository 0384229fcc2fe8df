"""The pass without targets: raw outputs of pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch

from kitbox.contracts import Mirrors, Task
from kitbox.data.batches import Loader
from kitbox.data.frames import Frames


def upright(task: Task, outputs: torch.Tensor) -> torch.Tensor:
    """Raw outputs of mirror images as those of the pictures themselves (B, ...)."""
    if isinstance(task, Mirrors):
        return task.mirrored(outputs)
    return outputs.flip(-1) if outputs.ndim == 4 else outputs


class BothWays(torch.nn.Module):
    """The mean of a model's outputs for pictures and for their mirror images."""

    def __init__(self, model: torch.nn.Module, task: Task) -> None:
        super().__init__()
        self.model = model
        self._task = task

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images (B, C, H, W) to outputs (B, K) or maps (B, K, H, W)."""
        outputs, other = self.model(images), self.model(images.flip(-1))
        mean: torch.Tensor = (outputs + upright(self._task, other)) / 2
        return mean


@torch.inference_mode()
def predict(
    model: torch.nn.Module,
    loader: Loader,
    rows: np.ndarray,
    size: tuple[int, int],
    show: Callable[..., None] = lambda n=1, note="": None,
    forward: Callable[[torch.nn.Module, torch.Tensor], torch.Tensor] = lambda model, images: model(
        images
    ).float(),
    whole: Callable[[torch.Tensor, int], torch.Tensor | None] = lambda outputs, batch: outputs,
) -> Iterator[tuple[np.ndarray, Frames]]:
    """Raw outputs (B, ...) float32 and frames of the rows, a batch at a time, in their order.

    Args:
        forward: takes a batch through the model.
        whole: the outputs (B, ...) of a batch from those of the loader's share of it, and B;
            None in a process that is not to have them.
    """
    model.eval()
    for images, _, part in loader.fixed(rows, size, targets=False):
        outputs = whole(forward(model, images), len(part))
        show(1)
        if outputs is not None:
            yield outputs.cpu().numpy(), loader.frames(part, size)
