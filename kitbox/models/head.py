"""Heads that tasks share."""

from __future__ import annotations

from torch import nn


def linear(
    features: int, outputs: int, *, hidden: int | None = None, dropout: float = 0.0
) -> nn.Module:
    """A head from features (B, F) to outputs (B, K).

    Args:
        hidden: width of a hidden layer between them (normalised, ReLU); None for none.
        dropout: probability, before each linear layer.
    """
    layers: list[nn.Module] = []
    if hidden is not None:
        layers += [
            nn.Dropout(dropout),
            nn.Linear(features, hidden),
            nn.LayerNorm(hidden),
            nn.ReLU(),
        ]
    last = nn.Linear(hidden or features, outputs)
    # Small weights: the first predictions are even, so the first losses teach, not shock.
    nn.init.normal_(last.weight, std=0.01)
    nn.init.zeros_(last.bias)
    return nn.Sequential(*layers, nn.Dropout(dropout), last)
