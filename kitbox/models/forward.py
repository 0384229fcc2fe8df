"""The pass without targets: raw outputs of pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch

from kitbox.data.batches import Loader
from kitbox.data.frames import Frames


@torch.inference_mode()
def predict(
    model: torch.nn.Module,
    loader: Loader,
    rows: np.ndarray,
    size: tuple[int, int],
    show: Callable[..., None] = lambda n=1, note="": None,
) -> Iterator[tuple[np.ndarray, Frames]]:
    """Raw outputs (B, ...) float32 and frames of the rows, a batch at a time, in their order."""
    model.eval()
    for images, _, part in loader.fixed(rows, size, targets=False):
        outputs = model(images).float()
        show(1)
        yield outputs.cpu().numpy(), loader.frames(part, size)
