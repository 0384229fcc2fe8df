"""The network of the backbone; apart from it, because it imports torch."""

from __future__ import annotations

import torch
from torch import nn


class TemplateBody(nn.Module):
    """From images (B, 3, H, W) to features (B, F); see `kitbox.contracts.Body`."""

    strides = ()
    channels = 3
    mean, std = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
    interpolation = "bilinear"
    weights, pretrained = "random", False

    def __init__(self, width: int) -> None:
        super().__init__()
        self.features = width
        self.steps = nn.Sequential(
            nn.Conv2d(3, width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, stride=2, padding=1),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """The mean over all places."""
        return self.steps(images).mean(dim=(2, 3))

    def layers(self) -> list[list[nn.Parameter]]:
        """The parameters along the layers, input first."""
        return [list(step.parameters()) for step in self.steps if list(step.parameters())]
