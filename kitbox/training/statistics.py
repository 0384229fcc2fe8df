"""Batch normalisation over whole batches, where processes on CPUs share them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

Sum = Callable[[torch.Tensor], torch.Tensor]
"""The sum of a tensor over all processes."""


class Shared(TorchFunctionMode):
    """While it is entered, batch normalisation in training takes the statistics of all processes.

    PyTorch's own layer for that works on GPUs only. Gradients go through the statistics, also
    from the other processes' losses.

    Args:
        sum_up: called by all processes in the same order, as their networks are the same.
    """

    def __init__(self, sum_up: Sum) -> None:
        super().__init__()
        self._sum = sum_up

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is F.batch_norm:
            return _batch_norm(self._sum, *args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


class _Summed(torch.autograd.Function):
    """A sum over processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, sum_up: Sum) -> torch.Tensor:
        ctx.sum_up = sum_up
        return sum_up(values)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        return ctx.sum_up(gradients[0].contiguous()), None


def _batch_norm(
    sum_up: Sum,
    values: torch.Tensor,
    running_mean: torch.Tensor | None,
    running_var: torch.Tensor | None,
    weight: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> torch.Tensor:
    """`torch.nn.functional.batch_norm` of values (b, C, ...) that are a part of a batch."""
    if not training:
        return F.batch_norm(values, running_mean, running_var, weight, bias, False, momentum, eps)
    others = [dim for dim in range(values.ndim) if dim != 1]
    shape = [1, -1, *[1] * (values.ndim - 2)]
    exact = values.double()  # as PyTorch's own layer sums on a CPU
    each = exact.new_tensor([values.numel() / values.shape[1]])
    sums: torch.Tensor = _Summed.apply(torch.cat([exact.sum(others), each]), sum_up)
    count = sums[-1].detach()
    mean = sums[:-1] / count
    centred = exact - mean.view(shape)
    squares: torch.Tensor = _Summed.apply((centred * centred).sum(others), sum_up)
    var = squares / count
    with torch.no_grad():
        if running_mean is not None:
            running_mean.lerp_(mean.to(running_mean.dtype), momentum)
        if running_var is not None:
            running_var.lerp_((var * count / (count - 1)).to(running_var.dtype), momentum)
    scale = torch.rsqrt(var + eps)
    made = centred * (scale if weight is None else scale * weight).view(shape)
    return (made if bias is None else made + bias.view(shape)).to(values.dtype)
