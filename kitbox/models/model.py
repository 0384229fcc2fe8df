"""A model: a body and a head, frozen or not, and its parameter groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from kitbox.contracts import Body
from kitbox.errors import RecipeError, WeightsError, nearest, some

Freeze = bool | int | str


class Model(nn.Module):
    """A body and a head.

    Attributes:
        frozen: how much of the body runs forward only, in evaluation mode, also after
            `.train()`: all of it (True), none, the first n of its layers, or (a name) all
            before the layer of that name.
        hold_norm: normalisation layers keep their statistics, also after `.train()`;
            their scale and shift are still trained unless the body is frozen.
    """

    def __init__(self, body: Body, head: nn.Module) -> None:
        super().__init__()
        self.body: Any = body
        self.head = head
        self.frozen: Freeze = False
        self.hold_norm = False
        self._still: list[nn.Module] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images (B, C, H, W), normalised, to outputs (B, K) or maps (B, K, H, W)."""
        if self.frozen is True:
            with torch.no_grad():
                features = self.body(images)
        else:
            features = self.body(images)
        outputs = self.head(features)
        if outputs.ndim == 4:  # what padding added goes
            outputs = outputs[..., : images.shape[-2], : images.shape[-1]]
        return outputs

    def freeze(self, frozen: Freeze, *, hold_norm: bool) -> None:
        """Freeze a part of the body, and say what becomes of normalisation statistics.

        Raises:
            RecipeError: when the body has no such layer.
        """
        held = {id(parameter) for layer in _first(self.body, frozen) for parameter in layer}
        self.frozen, self.hold_norm = frozen, hold_norm
        for parameter in self.body.parameters():
            parameter.requires_grad_(id(parameter) not in held)
        self._still = [
            module
            for module in self.body.modules()
            if (own := list(module.parameters())) and all(id(p) in held for p in own)
        ]
        self.train(self.training)

    def train(self, mode: bool = True) -> Model:
        """As usual, except for what is frozen or held."""
        super().train(mode)
        if mode and self.frozen is True:
            self.body.eval()
        elif mode:
            for module in self._still:
                module.eval()
            for module in self.body.modules():
                if self.hold_norm and has_statistics(module):
                    module.eval()
        return self


def _first(body: Any, frozen: Freeze) -> list[list[nn.Parameter]]:
    """The layers of a body that are frozen."""
    layers: list[list[nn.Parameter]] = body.layers()
    if isinstance(frozen, bool):
        return layers if frozen else []
    if isinstance(frozen, int):
        if not -len(layers) < frozen < len(layers):
            raise RecipeError(
                f"The backbone has {len(layers)} layers, {abs(frozen)} of them cannot be frozen "
                "or left",
                do=f"Choose a number below {len(layers)}, or `true` for all of them",
            )
        return layers[:frozen]
    named = {
        id(parameter)
        for name, parameter in body.named_parameters()
        if f".{frozen}." in f".{name.rpartition('.')[0]}."
    }
    for number, layer in enumerate(layers):
        if any(id(parameter) in named for parameter in layer):
            return layers[:number]
    words = _layer_names([name for name, _ in body.named_parameters()])
    close = nearest(frozen, words)
    raise RecipeError(
        f"The backbone has no layer '{frozen}' to freeze up to, it has {some(words, most=20)}",
        do=close if close.startswith("Did") else "",
    )


def _layer_names(parameters: Sequence[str]) -> list[str]:
    """What a person may call the layers of a network, in its order, from its parameters' names.

    Without what all of them are inside of; of a part that holds most of the network
    its numbered parts.

    >>> _layer_names(["model.stem.weight", "model.layer1.0.weight", "model.layer2.0.weight"])
    ['stem', 'layer1', 'layer2']
    >>> _layer_names(["m.stem.bias", "m.blocks.0.bias", "m.blocks.1.bias", "m.blocks.1.weight"])
    ['stem', 'blocks.0', 'blocks.1']
    """
    paths = [name.split(".")[:-1] for name in parameters]
    while len({path[0] for path in paths if path}) == 1 and all(len(path) > 1 for path in paths):
        paths = [path[1:] for path in paths]
    counts = Counter(path[0] for path in paths if path)
    names = []
    for path in filter(None, paths):
        inner = counts[path[0]] * 2 > len(paths) and len(path) > 1 and path[1].isdigit()
        names.append(".".join(path[: 2 if inner else 1]))
    return list(dict.fromkeys(names))


def has_statistics(module: nn.Module) -> bool:
    """Whether a layer keeps running statistics: batch normalisation and its kin."""
    return any(name.startswith("running_") for name, _ in module.named_buffers(recurse=False))


@torch.inference_mode()
def shape_of_outputs(model: Model, size: tuple[int, int]) -> tuple[int, ...]:
    """The shape of a picture's raw outputs, by trying a blank picture of `size` (H, W).

    Raises:
        WeightsError: when the network does not take pictures of that size.
    """
    training = model.training
    device = next((p.device for p in model.parameters()), None)
    try:
        outputs = model.eval()(torch.zeros(1, model.body.channels, *size, device=device))
    except Exception as error:  # networks differ in how they refuse a size
        raise WeightsError(
            f"The network does not take pictures of {size[0]}x{size[1]} pixels",
            found=(str(error).splitlines() or [type(error).__name__])[0],
            do="Choose another `size` for the recipe or the stage; its weights' own always works",
        ) from error
    finally:
        model.train(training)
    return tuple(outputs.shape[1:])


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
