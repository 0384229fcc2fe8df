"""Heat maps: which parts of a picture an output of the network comes from."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from kitbox.models.model import Model


@dataclass(frozen=True)
class Spot:
    """Where in a network its last map is.

    Attributes:
        layer: whose output it is.
        kind: 'first' where channels come before rows and columns (B, C, h, w), 'last' where
            after (B, h, w, C), 'tokens' where places are in a row (B, N, C).
        grid: (h, w).
        prefix: tokens before those of places: the class token, registers.
    """

    layer: nn.Module
    kind: str
    grid: tuple[int, int]
    prefix: int = 0


def heat(model: Model, images: torch.Tensor, outputs: Sequence[int]) -> np.ndarray | None:
    """Grad-CAM of one output for each picture (B, H, W) float32, from 0 to 1.

    After Selvaraju et al., "Grad-CAM", 2017, by captum: the last map weighted by the mean
    gradients of the output by its channels, what speaks against the output left out. Of a
    vision transformer the map is what goes into its last block, whose attention mixes the
    places. Each place of a map is drawn where in the picture it looks, which in most
    convolutional networks is half a step further up and left than the map's own grid says.
    Weights and modes stay as they are.

    Args:
        images: (B, C, H, W), normalised, on the model's device.
        outputs: the number of an output (B, K) for each picture.

    Returns:
        None where the network has no map.
    """
    from captum.attr import LayerGradCam

    training = model.training
    model.eval()

    def forward(given: torch.Tensor) -> torch.Tensor:
        return model.head(model.body(given))  # also where the body is frozen

    try:
        spot = find(model.body, images[:1])
        if spot is None:
            return None
        centre = _centre(model.body, spot, images[:LOOKS])
        with _seen(spot) as seen, torch.enable_grad():
            given = images.detach().clone().requires_grad_(True)
            target = torch.as_tensor(list(outputs), device=images.device)
            maps = LayerGradCam(forward, seen).attribute(
                given, target=target, relu_attributions=True
            )
    finally:
        model.train(training)
    height, width = images.shape[-2:]
    sized = _sized(maps.detach().float(), (height, width), centre)[:, 0]
    highest = sized.amax(dim=(1, 2), keepdim=True)
    found: np.ndarray = (sized / highest.clamp(min=1e-12)).clamp(0, 1).cpu().numpy()
    return found


LOOKS = 4
"""Pictures that say where the places of a map look."""


def _centre(body: nn.Module, spot: Spot, images: torch.Tensor) -> tuple[float, float] | None:
    """Row and column of the picture that the map's middle place, at (h // 2, w // 2), looks at.

    The mean of where its values come from, by the squares of their gradients. None where the
    places are patches of the picture.
    """
    if spot.kind != "first":
        return None
    kept: list[torch.Tensor] = []
    hook = spot.layer.register_forward_hook(lambda layer, given, output: kept.append(output))
    try:
        with torch.enable_grad():
            given = images.detach().clone().requires_grad_(True)
            body(given)
            place = kept[-1][:, :, spot.grid[0] // 2, spot.grid[1] // 2].float()
            (found,) = torch.autograd.grad(place.square().sum(), given)
    finally:
        hook.remove()
    weights = found.double().square().sum(dim=(0, 1))
    total = float(weights.sum())
    if not total > 0:
        return None
    rows, columns = (torch.arange(n, device=weights.device) for n in weights.shape)
    row, column = (weights.sum(1) * rows).sum() / total, (weights.sum(0) * columns).sum() / total
    return float(row), float(column)


def _sized(
    maps: torch.Tensor, size: tuple[int, int], centre: tuple[float, float] | None
) -> torch.Tensor:
    """Maps (B, 1, h, w) as large as the pictures, (B, 1, H, W), by linear interpolation.

    Args:
        centre: where the place at (h // 2, w // 2) belongs, in pixels; None: as the grid lies.
    """
    axes = []
    for side, count, at in zip(size, maps.shape[-2:], centre or (None, None), strict=True):
        step, middle = side / count, count // 2
        usual = (middle + 0.5) * step - 0.5
        shift = 0.0 if at is None else max(-step, min(step, at - usual))
        places = (torch.arange(side, device=maps.device) - usual - shift) / step + middle
        axes.append(2 * places / max(1, count - 1) - 1)
    grid = torch.stack(torch.meshgrid(axes[1], axes[0], indexing="xy"), dim=-1)
    grid = grid.expand(len(maps), -1, -1, -1).to(maps.dtype)
    return nn.functional.grid_sample(
        maps, grid, mode="bilinear", padding_mode="border", align_corners=True
    )


def find(body: nn.Module, image: torch.Tensor) -> Spot | None:
    """The last map of a network: of timm's models as they say it, else as it is seen to pass.

    Args:
        image: (1, C, H, W), to try it with.
    """
    named = _by_timm(body)
    if named is not None:
        layer, channels, prefix = named
        passed = _passed(body, list(body.modules()), image)
        last = max((n for n, (one, _) in enumerate(passed) if one is layer), default=None)
        if last is not None:
            spot = _spot(layer, passed[last][1], image, channels, prefix)
            if spot is not None:
                return _later(spot, passed[last + 1 :])
    for layer, output in reversed(_passed(body, list(body.modules()), image)):
        if output.ndim == 4 and (spot := _spot(layer, output, image)) is not None:
            return spot
    return None


def _later(spot: Spot, passed: Sequence[tuple[nn.Module, torch.Tensor]]) -> Spot:
    """The same places further on, where more layers follow before the map is pooled.

    timm names mobilenet's last stage, after which come one more convolution and its activation.
    In front of the pooling a map says exactly what it brings to the output.
    """
    for layer, output in reversed(passed):
        if spot.kind == "first" and output.ndim == 4 and output.shape[2:] == spot.grid:
            return replace(spot, layer=layer)
    return spot


def _by_timm(body: nn.Module) -> tuple[nn.Module, int, int] | None:
    """The layer of the last map of a timm model, its channels, and its tokens of no place."""
    model: Any = getattr(body, "model", body)
    told = getattr(model, "feature_info", None)
    try:
        last = told[-1]  # type: ignore[index]
        layer, channels = model.get_submodule(last["module"]), int(last["num_chs"])
    except (TypeError, KeyError, IndexError, AttributeError):
        return None
    # What the class token's output is made of: after it, other tokens change nothing.
    layer = getattr(layer, "norm1", layer) if hasattr(layer, "attn") else layer
    return layer, channels, int(getattr(model, "num_prefix_tokens", 0))


def _passed(
    body: nn.Module, layers: Sequence[nn.Module], image: torch.Tensor
) -> list[tuple[nn.Module, torch.Tensor]]:
    """Layers whose output is one tensor, with it, in the order in which a picture passes them."""
    seen: list[tuple[nn.Module, torch.Tensor]] = []

    def note(layer: nn.Module, given: Any, output: Any) -> None:
        if isinstance(output, torch.Tensor):
            seen.append((layer, output))

    hooks = [layer.register_forward_hook(note) for layer in layers if layer is not body]
    try:
        with torch.no_grad():
            body(image)
    finally:
        for hook in hooks:
            hook.remove()
    return seen


def _spot(
    layer: nn.Module, output: torch.Tensor, image: torch.Tensor, channels: int = 0, prefix: int = 0
) -> Spot | None:
    """The spot of a layer, from its output for a picture; None where that has no places."""
    spot = None
    if output.ndim == 4 and channels and output.shape[1] != channels == output.shape[3]:
        spot = Spot(layer, "last", (output.shape[1], output.shape[2]))
    elif output.ndim == 4:
        spot = Spot(layer, "first", (output.shape[2], output.shape[3]))
    elif output.ndim == 3 and channels == output.shape[2]:
        height, width = image.shape[-2:]
        grid = _grid(output.shape[1] - prefix, height / width)
        spot = Spot(layer, "tokens", grid, prefix)
    return spot if spot is not None and spot.grid[0] * spot.grid[1] > 1 else None


def _grid(count: int, ratio: float) -> tuple[int, int]:
    """Rows and columns of `count` places whose shape is nearest to `ratio` (height by width).

    >>> _grid(196, 1.0), _grid(12, 3 / 4)
    ((14, 14), (3, 4))
    """
    pairs = [(h, count // h) for h in range(1, count + 1) if count % h == 0]
    return min(pairs, key=lambda pair: abs(pair[0] / pair[1] - ratio), default=(0, 0))


@contextmanager
def _seen(spot: Spot) -> Iterator[nn.Module]:
    """A layer through which the map passes as (B, C, h, w), put behind the spot's."""
    through = nn.Identity()
    height, width = spot.grid

    def pass_on(layer: nn.Module, given: Any, output: torch.Tensor) -> torch.Tensor:
        # Copies: what comes before or after may write in place.
        if spot.kind == "first":
            return through(output.clone()).clone()
        if spot.kind == "last":
            return through(output.permute(0, 3, 1, 2).clone()).permute(0, 2, 3, 1).clone()
        before, places = output[:, : spot.prefix], output[:, spot.prefix :]
        maps = places.transpose(1, 2).reshape(len(output), -1, height, width)
        after = through(maps).flatten(2).transpose(1, 2)
        return torch.cat([before, after], dim=1)

    hook = spot.layer.register_forward_hook(pass_on)
    try:
        yield through
    finally:
        hook.remove()
