"""What a checkpoint holds in tensors."""

from __future__ import annotations

import torch
from torch import nn

from kitbox.training.packing import pack, unpack, unpack_into


def trained() -> tuple[nn.Module, torch.optim.Optimizer]:
    """A layer after one step, and its optimizer."""
    model = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.randn(4, 3)).square().sum().backward()
    optimizer.step()
    return model, optimizer


def test_another_goes_on_the_same() -> None:
    """Weights, moments and random numbers."""
    with torch.random.fork_rng():
        one, first = trained()
        tensors = {name: value.clone() for name, value in pack(one, first).items()}
        expected = torch.rand(3)
        other, second = trained()
        unpack(other, tensors)
        unpack_into(second, tensors)
        torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)
        for model, optimizer in ((one, first), (other, second)):
            optimizer.zero_grad()
            model(torch.ones(4, 3)).square().sum().backward()
            optimizer.step()
    for name, value in one.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], value, rtol=0, atol=0)


def test_a_stage_that_has_ended_keeps_no_optimizer() -> None:
    model, optimizer = trained()
    assert any(name.startswith("optimizer.") for name in pack(model, optimizer))
    assert not any(name.startswith("optimizer.") for name in pack(model, None))
