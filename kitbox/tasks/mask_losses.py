"""Losses of class maps, one number a picture; pixels that are `VOID` do not count.

Shapes: logits (B, K, H, W), targets (B, H, W) int64 with class numbers or `VOID`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import torch
from torch.nn import functional as F

from kitbox.tasks.codes import VOID

Weights = tuple[float, ...] | None


def total(
    logits: torch.Tensor,
    targets: torch.Tensor,
    parts: Mapping[str, float],
    *,
    weights: Weights = None,
    gamma: float = 2.0,
) -> torch.Tensor:
    """The sum of losses, by name with their weights, of each picture (B,).

    Args:
        parts: 'cross-entropy', 'dice' and 'focal' with what each is multiplied by.
        weights: of the classes (K,); None is 1 for all.
        gamma: of the focal loss.
    """
    logs = F.log_softmax(logits.float(), dim=1)
    spread = None if weights is None else _tensor(weights, logits.device)
    losses: Mapping[str, Callable[[], torch.Tensor]] = {
        "cross-entropy": lambda: focal(logs, targets, spread, 0.0),
        "focal": lambda: focal(logs, targets, spread, gamma),
        "dice": lambda: dice(logs, targets, spread),
    }
    terms = [factor * losses[name]() for name, factor in parts.items()]
    return torch.stack(terms).sum(0)


def focal(
    logs: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None, gamma: float
) -> torch.Tensor:
    """Mean over the counted pixels of (1 - p)^gamma * -log(p), weighted by class, (B,).

    p is the probability of the true class. Lin et al., "Focal Loss for Dense
    Object Detection", 2017; with gamma 0 it is cross-entropy.

    Args:
        logs: logarithms of probabilities (B, K, H, W).
    """
    losses = F.nll_loss(logs, targets, weight=weights, ignore_index=VOID, reduction="none")
    counted = targets != VOID
    if gamma:
        true = torch.where(counted, targets, 0).unsqueeze(1)
        p = logs.gather(1, true).squeeze(1).exp()
        losses = losses * (1 - p).clamp(min=0) ** gamma
    return losses.sum((1, 2)) / counted.sum((1, 2)).clamp(min=1)


def dice(logs: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
    """One minus the mean soft Dice coefficient of the classes that a picture shows, (B,).

    Milletari et al., "V-Net", 2016, with plain sums. A class that the truth does
    not show has no overlap to win; its pixels are wrong for the others.

    Args:
        logs: logarithms of probabilities (B, K, H, W).
    """
    classes = torch.arange(logs.shape[1], device=logs.device).view(1, -1, 1, 1)
    truth = targets.unsqueeze(1) == classes
    p = logs.exp() * (targets != VOID).unsqueeze(1)
    area = truth.sum((2, 3))
    overlap = (p * truth).sum((2, 3))
    losses = 1 - 2 * overlap / (p.sum((2, 3)) + area).clamp(min=1e-6)
    shares = (area > 0).to(losses.dtype)
    if weights is not None:
        shares = shares * weights
    return (losses * shares).sum(1) / shares.sum(1).clamp(min=1e-6)


@lru_cache(maxsize=8)
def _tensor(weights: tuple[float, ...], device: torch.device) -> torch.Tensor:
    """The weights on a device; sent once, as sending waits."""
    with torch.inference_mode(False):  # or training could not use it
        return torch.tensor(weights, device=device)
