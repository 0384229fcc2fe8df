"""What flows to the network; no plugin implements it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import torch

Batches = Iterator[tuple["torch.Tensor", "torch.Tensor", "np.ndarray"]]
"""Images (B, C, H, W) on the device, targets (B, ...), row numbers (B,)."""
