"""Losses of labels that are there or not, each on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

LEAST = 1e-8
"""Bases of powers are at least this: the gradient of x ** 0.5 at 0 is infinite."""


def bce(logits: torch.Tensor, targets: torch.Tensor, positive: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy of logits and targets, (B, K) each: (B, K).

    Args:
        positive: weight of positives, by label (K,), here and in the others.
    """
    from torch.nn import functional as F

    return F.binary_cross_entropy_with_logits(
        logits, targets, pos_weight=positive, reduction="none"
    )


def focal(
    logits: torch.Tensor,
    targets: torch.Tensor,
    positive: torch.Tensor,
    *,
    gamma: float = 2.0,
    alpha: float | None = 0.25,
) -> torch.Tensor:
    """Cross-entropy times (1 - probability of the truth) ** gamma, (B, K).

    Lin et al., "Focal Loss for Dense Object Detection", 2017, equation 5.

    Args:
        alpha: weight of positives; negatives have 1 - alpha. None: neither.
    """
    import torch

    wrong = torch.where(targets > 0, torch.sigmoid(-logits), torch.sigmoid(logits))
    losses = bce(logits, targets, positive) * wrong.clamp(min=LEAST) ** gamma
    if alpha is not None:
        losses = losses * torch.where(targets > 0, alpha, 1 - alpha)
    return losses


def asymmetric(
    logits: torch.Tensor,
    targets: torch.Tensor,
    positive: torch.Tensor,
    *,
    gamma: tuple[float, float] = (0.0, 4.0),
    margin: float = 0.05,
) -> torch.Tensor:
    """Focal loss with a gamma for positives and one for negatives, easy negatives dropped, (B, K).

    Ridnik et al., "Asymmetric Loss For Multi-Label Classification", 2021, equation 7.

    Args:
        gamma: of positives, of negatives.
        margin: what is taken off the probability of negatives; below it they cost nothing.
    """
    import torch
    from torch.nn import functional as F

    probability = torch.sigmoid(logits)
    there = F.logsigmoid(logits) * torch.sigmoid(-logits).clamp(min=LEAST) ** gamma[0] * positive
    shifted = (probability - margin).clamp(min=0)
    # With a margin 1 - shifted is never 0; without one the logarithm needs the logits.
    absent = torch.log1p(-shifted) if margin > 0 else F.logsigmoid(-logits)
    absent = absent * shifted.clamp(min=LEAST) ** gamma[1]
    return -torch.where(targets > 0, there, absent)
