"""Batch normalisation over the parts of a batch, in threads that stand for processes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from kitbox.training.statistics import Shared


def summing(count: int) -> Callable[[int, torch.Tensor], torch.Tensor]:
    """What sums a tensor over so many threads, given a thread's number."""
    barrier, given = threading.Barrier(count), [torch.empty(0)] * count

    def sum_up(index: int, values: torch.Tensor) -> torch.Tensor:
        given[index] = values.detach().clone()
        barrier.wait(10)
        total = torch.stack(given).sum(0)
        barrier.wait(10)
        return total

    return sum_up


@pytest.mark.parametrize("layer", [nn.BatchNorm1d, nn.BatchNorm2d])
@pytest.mark.parametrize("affine", [True, False])
def test_parts_get_what_the_whole_gets(layer: type[nn.Module], affine: bool) -> None:
    """Outputs, gradients of inputs and parameters, and running statistics."""
    torch.manual_seed(0)
    shape = (7, 3) if layer is nn.BatchNorm1d else (7, 3, 4, 5)
    batch, pull = torch.randn(shape).double() * 3 + 5, torch.randn(shape).double()
    alone = layer(3, affine=affine).double()
    whole = batch.clone().requires_grad_()
    outputs = alone(whole)
    (outputs * pull).square().sum().backward()

    parts = [slice(0, 4), slice(4, 7)]
    sum_up = summing(2)
    layers = [layer(3, affine=affine).double() for _ in parts]

    def work(index: int) -> tuple[torch.Tensor, torch.Tensor]:
        own = batch[parts[index]].clone().requires_grad_()
        with Shared(lambda values: sum_up(index, values)):
            made = layers[index](own)
            (made * pull[parts[index]]).square().sum().backward()
        assert own.grad is not None
        return made.detach(), own.grad

    with ThreadPoolExecutor(2) as pool:
        made, gradients = zip(*pool.map(work, range(2)), strict=True)
    torch.testing.assert_close(torch.cat(made), outputs.detach())
    torch.testing.assert_close(torch.cat(gradients), whole.grad)
    for name, parameter in alone.named_parameters():
        summed = sum(dict(one.named_parameters())[name].grad for one in layers)
        torch.testing.assert_close(summed, parameter.grad)
    for one in layers:
        for name, value in alone.named_buffers():
            torch.testing.assert_close(dict(one.named_buffers())[name], value)


def test_evaluation_is_left_alone() -> None:
    layer, values = nn.BatchNorm2d(3).eval(), torch.randn(2, 3, 4, 4)

    def never(values: torch.Tensor) -> torch.Tensor:
        raise AssertionError

    with Shared(never):
        found = layer(values)
    torch.testing.assert_close(found, layer(values), rtol=0, atol=0)
