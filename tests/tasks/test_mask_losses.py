"""Losses of class maps, beside PyTorch's, segmentation_models_pytorch's and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch
from torch.nn import functional as F

from kitbox.tasks.codes import VOID
from kitbox.tasks.mask_losses import total

WEIGHTS = (0.5, 2.0, 1.0)


@pytest.fixture
def given() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    logits = torch.randn(4, 3, 6, 5)
    targets = torch.randint(0, 3, (4, 6, 5))
    targets[torch.rand(targets.shape) < 0.2] = VOID
    return logits, targets


def test_cross_entropy_is_pytorch_s_of_each_picture(
    given: tuple[torch.Tensor, torch.Tensor],
) -> None:
    logits, targets = given
    losses = total(logits, targets, {"cross-entropy": 1})
    for one, logit, target in zip(losses, logits, targets, strict=True):
        expected = F.cross_entropy(logit[None], target[None], ignore_index=VOID)
        assert one.item() == pytest.approx(expected.item(), rel=1e-5)


def test_class_weights_multiply_each_pixel_s_loss(
    given: tuple[torch.Tensor, torch.Tensor],
) -> None:
    logits, targets = given
    losses = total(logits, targets, {"cross-entropy": 1}, weights=WEIGHTS)
    each = -F.log_softmax(logits, 1).numpy()
    for number, target in enumerate(targets.numpy()):
        pixels = [
            WEIGHTS[k] * each[number, k, y, x] for (y, x), k in np.ndenumerate(target) if k != VOID
        ]
        assert losses[number].item() == pytest.approx(np.mean(pixels), rel=1e-5)


def test_focal_is_smp_s_and_with_gamma_0_cross_entropy() -> None:
    torch.manual_seed(1)
    logits, targets = torch.randn(1, 2, 8, 8), torch.randint(0, 2, (1, 8, 8))
    ours = total(logits, targets, {"focal": 1}, gamma=2.0).item()
    # Two classes by softmax are one by the difference of logits.
    binary = smp.losses.FocalLoss("binary", gamma=2.0)
    expected = binary((logits[:, 1] - logits[:, 0])[:, None], targets[:, None]).item()
    assert ours == pytest.approx(expected, rel=1e-5)
    zero = total(logits, targets, {"focal": 1}, gamma=0.0)
    assert torch.equal(zero, total(logits, targets, {"cross-entropy": 1}))


def test_dice_is_smp_s_where_all_classes_are_there() -> None:
    torch.manual_seed(2)
    logits, targets = torch.randn(1, 3, 9, 9), torch.randint(0, 3, (1, 9, 9))
    expected = smp.losses.DiceLoss("multiclass", smooth=0.0)(logits, targets).item()
    assert total(logits, targets, {"dice": 1}).item() == pytest.approx(expected, rel=1e-5)
    right = 50 * F.one_hot(targets, 3).permute(0, 3, 1, 2).float()
    assert total(right, targets, {"dice": 1}).item() == pytest.approx(0, abs=1e-6)
    one_class = torch.zeros_like(targets)
    assert total(right * 0, one_class, {"dice": 1}).item() == pytest.approx(1 - 2 / 4, rel=1e-5)


def test_sums_have_their_factors(given: tuple[torch.Tensor, torch.Tensor]) -> None:
    parts = {"cross-entropy": 2.0, "dice": 0.5, "focal": 1.0}
    alone = [factor * total(*given, {name: 1}, weights=WEIGHTS) for name, factor in parts.items()]
    assert torch.allclose(total(*given, parts, weights=WEIGHTS), sum(alone))


@pytest.mark.parametrize("name", ["cross-entropy", "dice", "focal"])
def test_void_pixels_change_nothing_and_have_no_gradient(
    name: str, given: tuple[torch.Tensor, torch.Tensor]
) -> None:
    logits, targets = given
    logits.requires_grad_()
    losses = total(logits, targets, {name: 1}, weights=WEIGHTS)
    losses.sum().backward()
    void = (targets == VOID)[:, None].expand_as(logits)
    assert logits.grad is not None
    assert logits.grad[void].abs().max() == 0
    assert logits.grad[~void].abs().max() > 0
    changed = torch.where(void, 9.0, logits.detach())
    assert torch.allclose(total(changed, targets, {name: 1}, weights=WEIGHTS), losses)


@pytest.mark.parametrize("name", ["cross-entropy", "dice", "focal"])
def test_a_picture_of_void_alone_costs_nothing(name: str) -> None:
    logits = torch.randn(2, 3, 4, 4, requires_grad=True)
    loss = total(logits, torch.full((2, 4, 4), VOID), {name: 1})
    loss.sum().backward()
    assert loss.tolist() == [0, 0]
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_weights_first_used_in_inference_can_train_later() -> None:
    weights = (0.25, 4.0)
    targets = torch.zeros(1, 2, 2, dtype=torch.int64)
    with torch.inference_mode():
        total(torch.zeros(1, 2, 2, 2), targets, {"cross-entropy": 1, "dice": 1}, weights=weights)
    logits = torch.zeros(1, 2, 2, 2, requires_grad=True)
    total(logits, targets, {"cross-entropy": 1, "dice": 1}, weights=weights).sum().backward()


def test_half_precision_and_large_logits_stay_finite() -> None:
    logits = torch.full((1, 3, 2, 2), -200.0, dtype=torch.float16)
    logits[:, 0] = 200
    targets = torch.ones(1, 2, 2, dtype=torch.int64)
    for name in ("cross-entropy", "dice", "focal"):
        assert torch.isfinite(total(logits, targets, {name: 1})).all()
