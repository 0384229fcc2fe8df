"""Timm models as bodies: from images to a vector of features each, or to feature maps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from kitbox.errors import WeightsError


class TimmBody(nn.Module):
    """A timm model without classifier; see `kitbox.contracts.Body`.

    Args:
        model: made with `num_classes=0`, so it gives pooled features (B, F).
        size: (H, W) that F is measured with.
        weights: where its weights came from, a sentence.
        pretrained: whether they were trained before.
        channels: C; by default what the model's first convolution takes.

    Raises:
        WeightsError: when the model gives no vector for a picture of that size.
    """

    def __init__(
        self,
        model: Any,
        size: tuple[int, int],
        weights: str,
        pretrained: bool,
        *,
        channels: int | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        settings = model.pretrained_cfg
        self.channels = channels or _first_channels(model)
        self.mean = _per_channel(settings["mean"], self.channels)
        self.std = _per_channel(settings["std"], self.channels)
        self.interpolation = str(settings.get("interpolation") or "bilinear")
        self.weights, self.pretrained = weights, pretrained
        self.features: int | tuple[int, ...] = self._measure(size)
        self.strides: tuple[int, ...] = ()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images (B, C, H, W), normalised, to features (B, F)."""
        return self.model(images)

    def layers(self) -> list[list[nn.Parameter]]:
        """Parameters along timm's own layer groups, input first."""
        return _layers(self.model)

    @torch.no_grad()
    def _measure(self, size: tuple[int, int]) -> int:
        training = self.model.training
        made_for = self.model.pretrained_cfg.get("input_size")
        own = f", its weights' own is {made_for[-2]}x{made_for[-1]}" if made_for else ""
        try:
            features = self.model.eval()(torch.zeros(1, self.channels, *size))
        except Exception as error:  # models differ in how they refuse a size
            raise _refusal(self.model, size, error, own) from error
        finally:
            self.model.train(training)
        if features.ndim != 2:
            raise WeightsError(
                f"The model {self.model.__class__.__name__} gives {tuple(features.shape)} "
                "for a picture, expected one vector (1, F)",
                do="Set `pool: avg`, or choose another model",
            )
        return int(features.shape[1])


class TimmMaps(nn.Module):
    """A timm model that gives feature maps; see `kitbox.contracts.Body`.

    Pictures whose sides are no multiple of the last stride are padded at the right
    and bottom with their edge. Nets whose maps all have one size (plain vision
    transformers) give four of them, from shallow to deep, scaled to strides of 4 to
    32, as in Li et al., "Exploring Plain Vision Transformer Backbones for Object
    Detection", 2022, but without learned layers.

    Args:
        model: made with `features_only=True`.
        size: (H, W) that the maps are measured with.
        weights, pretrained, channels: as for `TimmBody`.

    Raises:
        WeightsError: when the model does not take pictures of that size.
    """

    def __init__(
        self, model: Any, size: tuple[int, int], weights: str, pretrained: bool, *, channels: int
    ) -> None:
        super().__init__()
        self.model = model
        settings = model.pretrained_cfg
        self.channels = channels
        self.mean = _per_channel(settings["mean"], channels)
        self.std = _per_channel(settings["std"], channels)
        self.interpolation = str(settings.get("interpolation") or "bilinear")
        self.weights, self.pretrained = weights, pretrained
        features, strides = model.feature_info.channels(), model.feature_info.reduction()
        self._chosen: list[int] | None = None
        if len(set(strides)) < len(strides):
            last = len(strides) - 1
            self._chosen = [round(last * (i + 1) / 4) for i in range(4)]
            features, strides = [features[i] for i in self._chosen], [4, 8, 16, 32]
        self.features: int | tuple[int, ...] = tuple(features)
        self.strides: tuple[int, ...] = tuple(strides)
        self._try(size)

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Images (B, C, H, W), normalised, to maps (B, F_i, H_i, W_i), finest first."""
        height, width = images.shape[-2:]
        down, right = -height % self.strides[-1], -width % self.strides[-1]
        if down or right:
            images = nn.functional.pad(images, (0, right, 0, down), mode="replicate")
        maps = self.model(images)
        if getattr(self.model, "output_fmt", None) == "NHWC":
            maps = [one.permute(0, 3, 1, 2).contiguous() for one in maps]
        if self._chosen is None:
            return list(maps)
        height, width = images.shape[-2:]
        return [
            nn.functional.interpolate(
                maps[i], (height // stride, width // stride), mode="bilinear", align_corners=False
            )
            for i, stride in zip(self._chosen, self.strides, strict=True)
        ]

    def layers(self) -> list[list[nn.Parameter]]:
        """Parameters along timm's own layer groups, input first."""
        return _layers(self.model)

    @torch.no_grad()
    def _try(self, size: tuple[int, int]) -> None:
        training = self.model.training
        try:
            self.eval()(torch.zeros(1, self.channels, *size))
        except Exception as error:  # models differ in how they refuse a size
            raise _refusal(self.model, size, error, "") from error
        finally:
            self.train(training)


def _layers(model: Any) -> list[list[nn.Parameter]]:
    """Parameters along timm's own layer groups, input first."""
    from timm.models import group_parameters

    inner = getattr(model, "model", model)  # what some wrappers for maps hold
    parameters = dict(inner.named_parameters())
    if hasattr(inner, "group_matcher"):
        groups = group_parameters(inner, inner.group_matcher(coarse=False))
        names = [groups[key] for key in sorted(groups)]
    else:
        names = list(_parts(inner))
        loose = set(parameters) - {name for group in names for name in group}
        names = [sorted(loose), *names]
    return [[parameters[name] for name in group] for group in names if group]


def _parts(module: nn.Module, path: str = "") -> Iterator[list[str]]:
    """Names of the parameters of each child; of a row of blocks, those of each block."""
    for name, child in module.named_children():
        if isinstance(child, nn.Sequential | nn.ModuleList):
            yield from _parts(child, f"{path}{name}.")
        else:
            yield [f"{path}{name}.{parameter}" for parameter, _ in child.named_parameters()]


def _refusal(model: nn.Module, size: tuple[int, int], error: Exception, own: str) -> WeightsError:
    return WeightsError(
        f"The model {model.__class__.__name__} does not take pictures of "
        f"{size[0]}x{size[1]} pixels",
        found=(str(error).splitlines() or [type(error).__name__])[0],
        do=f"Choose another size{own}; a multiple of 32 suits nearly all models. Or leave "
        "out `pool`",
    )


def _first_channels(model: nn.Module) -> int:
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            return module.in_channels
    return 3


def _per_channel(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    """Statistics for another number of channels: the mean for the ones that RGB does not have."""
    if len(values) == channels:
        return tuple(values)
    middle = sum(values) / len(values)
    if channels == 1:
        return (middle,)
    return (*values[:channels], *[middle] * (channels - len(values)))
