"""The head: one score, and cut points in order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

LEAST = 1e-3
"""Between two cut points, so that they stay in order."""


class CumulativeHead(nn.Module):
    """From features (B, F) to cumulative logits (B, K - 1), which fall from cut to cut.

    Args:
        features: F.
        shares: of training pictures above each cut; a new head predicts them.
        dropout: before the score.
    """

    def __init__(self, features: int, shares: Sequence[float], dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.score = nn.Linear(features, 1, bias=False)
        nn.init.normal_(self.score.weight, std=0.01)
        cuts = [-math.log(share / (1 - share)) for share in shares]
        gaps = [max(b - a - LEAST, 1e-2) for a, b in pairwise(cuts)]
        self.first = nn.Parameter(torch.tensor(cuts[:1]))
        # The inverse of softplus, so that the gaps begin as they are.
        self.gaps = nn.Parameter(torch.tensor([math.log(math.expm1(gap)) for gap in gaps]))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """The score less each cut."""
        steps = torch.cat([self.first, F.softplus(self.gaps) + LEAST])
        return self.score(self.dropout(features)) - steps.cumsum(0)
