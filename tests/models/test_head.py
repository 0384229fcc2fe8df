"""The linear head."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from kitbox.models.head import linear


@pytest.mark.parametrize("hidden", [None, 16])
def test_shapes(hidden: int | None) -> None:
    head = linear(8, 5, hidden=hidden, dropout=0.5)
    assert head(torch.randn(3, 8)).shape == (3, 5)
    assert head(torch.randn(1, 8)).shape == (1, 5)  # a batch of one can be trained on


def test_one_linear_layer_is_linear() -> None:
    head = linear(8, 5).train()
    x, y = torch.randn(2, 8), torch.randn(2, 8)
    assert torch.allclose(head(x + y), head(x) + head(y), atol=1e-6)
    assert sum(p.numel() for p in head.parameters()) == 8 * 5 + 5


def test_a_hidden_layer_is_as_documented() -> None:
    head = linear(8, 5, hidden=16).eval()
    first, norm, last = (m for m in head.modules() if isinstance(m, nn.Linear | nn.LayerNorm))
    assert isinstance(norm, nn.LayerNorm)
    x = torch.randn(3, 8)
    assert torch.allclose(head(x), last(torch.relu(norm(first(x)))), atol=1e-6)


def test_first_predictions_are_nearly_even() -> None:
    torch.manual_seed(0)
    shares = linear(512, 10).eval()(torch.randn(64, 512)).softmax(dim=1)
    assert shares.max() < 0.25
    assert linear(8, 5)(torch.zeros(1, 8)).abs().max() == 0


def test_dropout_only_in_training() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 64).expand(2, 64)
    head = linear(64, 4, dropout=0.5)
    assert torch.equal(*head.eval()(x))
    assert not torch.equal(*head.train()(x))
