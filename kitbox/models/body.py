"""A timm model as a body: from images to one vector of features each."""

from __future__ import annotations

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
        self.features = self._measure(size)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images (B, C, H, W), normalised, to features (B, F)."""
        return self.model(images)

    def layers(self) -> list[list[nn.Parameter]]:
        """Parameters along timm's own layer groups, input first."""
        from timm.models import group_parameters

        parameters = dict(self.model.named_parameters())
        if hasattr(self.model, "group_matcher"):
            groups = group_parameters(self.model, self.model.group_matcher(coarse=False))
            names = [groups[key] for key in sorted(groups)]
        else:
            names = [
                [f"{child}.{name}" for name, _ in module.named_parameters()]
                for child, module in self.model.named_children()
            ]
            loose = set(parameters) - {name for group in names for name in group}
            names = [sorted(loose), *names]
        return [[parameters[name] for name in group] for group in names if group]

    @torch.no_grad()
    def _measure(self, size: tuple[int, int]) -> int:
        training = self.model.training
        made_for = self.model.pretrained_cfg.get("input_size")
        own = f", its weights' own is {made_for[-2]}x{made_for[-1]}" if made_for else ""
        try:
            features = self.model.eval()(torch.zeros(1, self.channels, *size))
        except Exception as error:  # models differ in how they refuse a size
            raise WeightsError(
                f"The model {self.model.__class__.__name__} does not take pictures of "
                f"{size[0]}x{size[1]} pixels",
                found=(str(error).splitlines() or [type(error).__name__])[0],
                do=f"Choose another size{own}; a multiple of 32 suits nearly all models. Or leave "
                "out `pool`",
            ) from error
        finally:
            self.model.train(training)
        if features.ndim != 2:
            raise WeightsError(
                f"The model {self.model.__class__.__name__} gives {tuple(features.shape)} "
                "for a picture, expected one vector (1, F)",
                do="Set `pool: avg`, or choose another model",
            )
        return int(features.shape[1])


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
