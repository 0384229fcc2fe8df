"""A model: a body and a head, frozen or not, and its parameter groups."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from kitbox.contracts import Body


class Model(nn.Module):
    """A body and a head.

    Attributes:
        frozen: the body runs forward only, in evaluation mode, also after `.train()`.
        hold_norm: normalisation layers keep their statistics, also after `.train()`;
            their scale and shift are still trained unless the body is frozen.
    """

    def __init__(self, body: Body, head: nn.Module) -> None:
        super().__init__()
        self.body: Any = body
        self.head = head
        self.frozen = False
        self.hold_norm = False

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images (B, C, H, W), normalised, to outputs (B, K)."""
        if self.frozen:
            with torch.no_grad():
                features = self.body(images)
        else:
            features = self.body(images)
        return self.head(features)

    def freeze(self, frozen: bool, *, hold_norm: bool) -> None:
        """Freeze or unfreeze the body, and say what becomes of normalisation statistics."""
        self.frozen, self.hold_norm = frozen, hold_norm
        self.body.requires_grad_(not frozen)
        self.train(self.training)

    def train(self, mode: bool = True) -> Model:
        """As usual, except for what is frozen or held."""
        super().train(mode)
        if mode and self.frozen:
            self.body.eval()
        elif mode and self.hold_norm:
            for module in self.body.modules():
                if _has_statistics(module):
                    module.eval()
        return self


def _has_statistics(module: nn.Module) -> bool:
    """Whether a layer keeps running statistics: batch normalisation and its kin."""
    return any(name.startswith("running_") for name, _ in module.named_buffers(recurse=False))


@torch.inference_mode()
def count_outputs(model: Model) -> int:
    """K, by trying the head."""
    training = model.training
    device = next((p.device for p in model.head.parameters()), None)
    outputs = model.head.eval()(torch.zeros(1, model.body.features, device=device))
    model.train(training)
    return int(outputs.shape[1])


def parameter_groups(
    model: Model, lr: float | tuple[float, float], weight_decay: float
) -> list[dict[str, Any]]:
    """Groups for an optimizer along the network's real layers, input first, head last.

    A pair of rates is spread geometrically from the first layer to the head.
    Vectors (biases, normalisation) get no weight decay. Frozen parameters are
    left out.
    """
    layers = [*model.body.layers(), list(model.head.parameters())]
    rates = spread(lr, len(layers))
    groups = []
    for rate, layer in zip(rates, layers, strict=True):
        trained = [p for p in layer if p.requires_grad]
        for decay, parameters in (
            (weight_decay, [p for p in trained if p.ndim > 1]),
            (0.0, [p for p in trained if p.ndim <= 1]),
        ):
            if parameters:
                groups.append({"params": parameters, "lr": rate, "weight_decay": decay})
    return groups


def spread(lr: float | tuple[float, float], count: int) -> list[float]:
    """`count` rates; a pair is spread geometrically.

    >>> spread((1e-4, 1e-2), 3)
    [0.0001, 0.001, 0.01]
    """
    if not isinstance(lr, tuple):
        return [lr] * count
    low, high = lr
    if count == 1:
        return [high]
    return [float(f"{low * (high / low) ** (i / (count - 1)):.12g}") for i in range(count)]
