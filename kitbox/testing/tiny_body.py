"""The network of the tiny backbone."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

FEATURES = 8
STRIDES = (2, 4, 8, 16, 32)


class TinyBody(nn.Module):
    """Five convolutions, each halving the sides; see `kitbox.contracts.Body`.

    Args:
        maps: give the map of each instead of a vector.
        channels: of the pictures.
    """

    def __init__(self, maps: bool = False, channels: int = 3) -> None:
        super().__init__()
        widths = [channels, *[FEATURES] * len(STRIDES)]
        self.steps = nn.ModuleList(
            nn.Conv2d(before, after, 3, stride=2, padding=1) for before, after in pairwise(widths)
        )
        self.features: int | tuple[int, ...] = tuple(widths[1:]) if maps else FEATURES
        self.strides: tuple[int, ...] = STRIDES if maps else ()
        self.channels = channels
        self.mean, self.std = (0.5,) * channels, (0.25,) * channels
        self.interpolation, self.weights, self.pretrained = "bilinear", "random", False

    def forward(self, images: torch.Tensor) -> torch.Tensor | list[torch.Tensor]:
        """Images (B, C, H, W) to a vector (B, F), or five maps."""
        height, width = images.shape[-2:]
        here = nn.functional.pad(images, (0, -width % 32, 0, -height % 32), mode="replicate")
        maps = []
        for step in self.steps:
            here = step(here).relu()
            maps.append(here)
        return maps if self.strides else maps[1].mean(dim=(2, 3)) + here.mean(dim=(2, 3))

    def layers(self) -> list[list[nn.Parameter]]:
        """The parameters of each convolution."""
        return [list(step.parameters()) for step in self.steps]
