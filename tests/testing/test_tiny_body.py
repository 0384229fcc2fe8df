"""Tests of the tiny network."""

from __future__ import annotations

import torch
from torch import nn

from kitbox.testing import TinyBody


def test_it_learns() -> None:
    """Which half of a picture is bright, in a few steps."""
    torch.manual_seed(0)
    body = TinyBody()
    assert isinstance(body.features, int)
    net = nn.Sequential(body, nn.Linear(body.features, 1))
    images = torch.zeros(32, 3, 16, 24)
    wanted = torch.arange(32) % 2
    for image, side in zip(images, wanted, strict=True):
        image[..., 12 * side : 12 * (side + 1)] = 1
    optimizer = torch.optim.Adam(net.parameters(), 0.01)
    for _ in range(150):
        loss = nn.functional.binary_cross_entropy_with_logits(net(images)[:, 0], wanted.float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.2
