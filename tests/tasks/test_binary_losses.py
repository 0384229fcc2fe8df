"""Losses against the papers' formulas in float64, and against torchvision's focal loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from kitbox.tasks import binary_losses

WEIGHTS = torch.tensor([1.0, 2.0, 0.5])


def made() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(20, 3, generator=generator) * 3
    return logits, (torch.rand(20, 3, generator=generator) > 0.5).float()


def test_bce_is_torch_s() -> None:
    logits, targets = made()
    found = binary_losses.bce(logits, targets, WEIGHTS)
    p = torch.sigmoid(logits.double())
    expected = -(WEIGHTS * targets * p.log() + (1 - targets) * (1 - p).log())
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("gamma", "alpha"), [(2.0, 0.25), (0.5, 0.6), (0.0, 0.5)])
def test_focal_is_torchvision_s(gamma: float, alpha: float) -> None:
    sigmoid_focal_loss = pytest.importorskip("torchvision.ops").sigmoid_focal_loss
    logits, targets = made()
    found = binary_losses.focal(logits, targets, torch.ones(3), gamma=gamma, alpha=alpha)
    expected = sigmoid_focal_loss(logits, targets, alpha=alpha, gamma=gamma)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


def test_focal_without_gamma_and_alpha_is_cross_entropy() -> None:
    logits, targets = made()
    found = binary_losses.focal(logits, targets, WEIGHTS, gamma=0, alpha=None)
    torch.testing.assert_close(found, binary_losses.bce(logits, targets, WEIGHTS))


@pytest.mark.parametrize(
    ("gamma", "margin"), [((0.0, 4.0), 0.05), ((1.0, 4.0), 0.05), ((0.0, 2.0), 0.0)]
)
def test_asymmetric_is_the_paper_s(gamma: tuple[float, float], margin: float) -> None:
    logits, targets = made()
    found = binary_losses.asymmetric(logits, targets, WEIGHTS, gamma=gamma, margin=margin)
    p = torch.sigmoid(logits.double()).numpy()
    shifted = np.maximum(p - margin, 0)
    there = WEIGHTS.numpy() * (1 - p) ** gamma[0] * np.log(p)
    absent = shifted ** gamma[1] * np.log(1 - shifted)
    expected = -np.where(targets.numpy() > 0, there, absent)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-4, atol=1e-6)


def test_asymmetric_without_asymmetry_is_cross_entropy() -> None:
    logits, targets = made()
    found = binary_losses.asymmetric(logits, targets, WEIGHTS, gamma=(0, 0), margin=0)
    torch.testing.assert_close(found, binary_losses.bce(logits, targets, WEIGHTS))


def test_easy_negatives_cost_nothing() -> None:
    logits = torch.tensor([[-5.0, -5.0]], requires_grad=True)
    losses = binary_losses.asymmetric(logits, torch.tensor([[0.0, 1.0]]), torch.ones(2))
    assert losses[0, 0] == 0
    losses.sum().backward()
    assert logits.grad is not None
    assert logits.grad[0, 0] == 0
    assert logits.grad[0, 1] < 0


@pytest.mark.parametrize(
    ("loss", "options"),
    [
        (binary_losses.bce, {}),
        (binary_losses.focal, {"gamma": 0.5}),
        (binary_losses.focal, {"gamma": 2.0}),
        (binary_losses.asymmetric, {"gamma": (0.5, 0.5)}),
        (binary_losses.asymmetric, {"gamma": (0.5, 0.5), "margin": 0.0}),
    ],
)
def test_great_logits_keep_losses_and_gradients_finite(
    loss: Callable[..., torch.Tensor], options: dict[str, Any]
) -> None:
    logits = torch.tensor([-1e4, -200.0, -20.0, 0.0, 20.0, 200.0, 1e4]).repeat(2, 1)
    logits.requires_grad_()
    targets = torch.stack([torch.zeros(7), torch.ones(7)])
    losses = loss(logits, targets, torch.ones(7), **options)
    losses.sum().backward()
    assert torch.isfinite(losses).all()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_all_losses_teach() -> None:
    targets = F.one_hot(torch.tensor([0, 1, 2])).float()
    for loss in (binary_losses.bce, binary_losses.focal, binary_losses.asymmetric):
        logits = torch.zeros(3, 3, requires_grad=True)
        optimizer = torch.optim.Adam([logits], lr=0.1)
        for _ in range(100):
            optimizer.zero_grad()
            loss(logits, targets, torch.ones(3)).mean().backward()
            optimizer.step()
        found = logits.detach()
        assert found[targets > 0].min() > found[targets == 0].max() + 1, loss.__name__
