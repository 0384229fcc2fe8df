"""The head of ArcFace, and its loss."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

EDGE = 1e-4
"""Cosines keep away from 1 and -1, where the angle has no derivative."""


class ArcHead(nn.Module):
    """From features (B, F) to an embedding of length 1 and cosines to class centres (B, E + K)."""

    def __init__(self, features: int, size: int, classes: int) -> None:
        super().__init__()
        self.embed = nn.Linear(features, size)
        self.centres = nn.Parameter(torch.empty(classes, size))
        nn.init.xavier_normal_(self.centres)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """The embedding first, then the cosines."""
        embedded = F.normalize(self.embed(features).float())
        with torch.autocast(features.device.type, enabled=False):  # near 1 every bit counts
            cosines = embedded @ F.normalize(self.centres.float()).T
        return torch.cat([embedded, cosines], dim=1)


def arcface(
    cosines: torch.Tensor, targets: torch.Tensor, scale: float, margin: float
) -> torch.Tensor:
    """The loss of each picture (B,) from cosines (B, K) and class numbers (B,); 0 for -1.

    The angle to the right class is made larger by the margin before the softmax. Where it
    would pass 180 degrees the cosine falls linearly instead, as in the authors' code, so
    that the loss goes on rising.
    """
    known = targets >= 0
    right = targets.clamp(min=0)[:, None]
    given = cosines.float().clamp(-1 + EDGE, 1 - EDGE)
    cosine = given.gather(1, right)
    further = torch.cos(torch.acos(cosine) + margin)
    beyond = cosine <= math.cos(math.pi - margin)
    further = torch.where(beyond, cosine - margin * math.sin(margin), further)
    logits = scale * given.scatter(1, right, further)
    return F.cross_entropy(logits, right[:, 0], reduction="none") * known
