"""Decoders of segmentation_models_pytorch as heads over any body's maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import torch
from torch import nn

from kitbox.errors import RecipeError

Decoder = Literal[
    "unet", "unetplusplus", "manet", "linknet", "fpn", "deeplabv3plus", "segformer", "upernet"
]
EVERY_HALVING = ("unetplusplus", "linknet")
"""Decoders that need a map of every stride from 2 on."""


class Norm(nn.BatchNorm2d):
    """Batch normalisation that takes one picture too: its pooled branch has a value a channel.

    A single value has no spread, so then the running statistics stand in, as when predicting.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Maps (B, C, H, W), normalised by channel."""
        if self.training and input.numel() == input.shape[1]:
            return nn.functional.batch_norm(
                input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        return super().forward(input)


class MapHead(nn.Module):
    """From maps to outputs (B, K, H, W) of the picture's size.

    Args:
        decoder: takes a map for every halving, gives one map.
        strides: of the body's maps.
        width: channels of the decoder's map.
        outputs: K.
        kernel: side of the last convolution.
    """

    def __init__(
        self, decoder: nn.Module, strides: Sequence[int], width: int, outputs: int, kernel: int
    ) -> None:
        super().__init__()
        self.decoder = decoder
        self.strides = tuple(strides)
        self.last = nn.Conv2d(width, outputs, kernel, padding=kernel // 2)
        # As segmentation_models_pytorch has it. Tiny weights keep rare classes out for epochs.
        nn.init.xavier_uniform_(self.last.weight)
        nn.init.constant_(self.last.bias, 0.0)  # type: ignore[arg-type]

    def forward(self, maps: list[torch.Tensor]) -> torch.Tensor:
        """Maps (B, F_i, H_i, W_i), finest first, to outputs (B, K, H, W)."""
        levels = _levels(maps, self.strides)
        outputs = self.last(self.decoder(levels))
        size = levels[0].shape[-2:]
        if outputs.shape[-2:] != size:
            outputs = nn.functional.interpolate(outputs, size, mode="bilinear", align_corners=False)
        return outputs


def make(
    name: Decoder,
    features: Sequence[int],
    strides: Sequence[int],
    outputs: int,
    *,
    width: float = 1.0,
) -> MapHead:
    """A head from maps with these channels and strides to K `outputs`.

    Args:
        width: factor of the decoder's usual numbers of channels.

    Raises:
        RecipeError: when the decoder does not suit the strides.
    """
    from segmentation_models_pytorch.base.initialization import initialize_decoder

    _check(name, strides)
    by_stride = dict(zip(strides, features, strict=True))
    depth = strides[-1].bit_length() - 1
    # The first level is the picture itself, which no decoder reads.
    channels = [3, *(by_stride.get(2**level, 0) for level in range(1, depth + 1))]
    decoder, last, kernel = _MAKERS[name](
        channels, depth, lambda usual: max(8, round(usual * width / 8) * 8)
    )
    _norm(decoder)
    initialize_decoder(decoder)
    return MapHead(decoder, strides, last, outputs, kernel)


def _norm(module: nn.Module) -> None:
    """Put `Norm` in the place of every batch normalisation below a module."""
    for name, part in module.named_children():
        if isinstance(part, nn.BatchNorm2d):
            setattr(module, name, Norm(part.num_features, part.eps, part.momentum))
        else:
            _norm(part)


def _check(name: str, strides: Sequence[int]) -> None:
    told = ", ".join(map(str, strides))
    if any(s & (s - 1) for s in strides) or list(strides) != sorted(set(strides)):
        raise RecipeError(
            f"The decoder '{name}' needs maps that halve from one to the next; the backbone's "
            f"strides are {told}",
            do="Choose another backbone",
        )
    wanted = [2**level for level in range(1, strides[-1].bit_length())]
    if name not in EVERY_HALVING:  # the U-Nets do without a map of stride 2, and so do the others
        wanted = [stride for stride in wanted if stride >= 4]
    if len(wanted) < 3 or not set(wanted) <= set(strides):
        others = [one for one in get_args(Decoder) if one not in EVERY_HALVING]
        raise RecipeError(
            f"The decoder '{name}' needs maps with the strides {', '.join(map(str, wanted))}; "
            f"the backbone gives {told}",
            do="Choose another backbone"
            + (f", or one of the decoders {', '.join(others)}" if name in EVERY_HALVING else ""),
        )


def _levels(maps: Sequence[torch.Tensor], strides: Sequence[int]) -> list[torch.Tensor]:
    """A map for every halving from the picture's size on, empty ones where there is none."""
    by_stride = dict(zip(strides, maps, strict=True))
    last = maps[-1]
    batch, height, width = last.shape[0], last.shape[2] * strides[-1], last.shape[3] * strides[-1]
    levels = [last.new_empty(batch, 0, height, width)]
    stride = 2
    while stride <= strides[-1]:
        missing = last.new_empty(batch, 0, height // stride, width // stride)
        levels.append(by_stride.get(stride, missing))
        stride *= 2
    return levels


Widths = Callable[[int], int]
Made = tuple[nn.Module, int, int]
"""A decoder, the channels of its map, and the side of the last convolution."""


def _steps(depth: int, widths: Widths) -> list[int]:
    """Channels of U-Nets from the coarsest step to the finest: 256, 128, 64, 32, 16."""
    return [widths(min(256, 16 * 2**step)) for step in reversed(range(depth))]


def _unet(channels: list[int], depth: int, widths: Widths) -> Made:
    from segmentation_models_pytorch.decoders.unet.decoder import UnetDecoder

    steps = _steps(depth, widths)
    return UnetDecoder(channels, steps, n_blocks=depth), steps[-1], 3


def _unetplusplus(channels: list[int], depth: int, widths: Widths) -> Made:
    from segmentation_models_pytorch.decoders.unetplusplus.decoder import UnetPlusPlusDecoder

    steps = _steps(depth, widths)
    return UnetPlusPlusDecoder(channels, steps, n_blocks=depth), steps[-1], 3


def _manet(channels: list[int], depth: int, widths: Widths) -> Made:
    from segmentation_models_pytorch.decoders.manet.decoder import MAnetDecoder

    steps = _steps(depth, widths)
    least = min(*steps, *(count for count in channels[1:] if count))
    return MAnetDecoder(channels, steps, n_blocks=depth, reduction=min(16, least)), steps[-1], 3


def _linknet(channels: list[int], depth: int, widths: Widths) -> Made:
    from segmentation_models_pytorch.decoders.linknet.decoder import LinknetDecoder

    last = widths(32)
    return LinknetDecoder(channels, prefinal_channels=last, n_blocks=depth), last, 1


def _fpn(channels: list[int], depth: int, widths: Widths) -> Made:
    from segmentation_models_pytorch.decoders.fpn.decoder import FPNDecoder

    pyramid, last = widths(256), max(32, widths(128) // 32 * 32)  # normalised in 32 groups
    return FPNDecoder(channels, depth, pyramid, last), last, 1


def _deeplabv3plus(channels: list[int], depth: int, widths: Widths) -> Made:
    """With the body's own strides instead of a dilated body; the rates shrink with them."""
    from segmentation_models_pytorch.decoders.deeplabv3.decoder import DeepLabV3PlusDecoder

    stride, last = 2**depth, widths(256)
    rate = max(1, 96 // stride)  # the paper's 6 at stride 16
    decoder: Any = DeepLabV3PlusDecoder(
        channels, 5, last, (rate, 2 * rate, 3 * rate), 16, aspp_separable=True, aspp_dropout=0.5
    )
    decoder.up = nn.Upsample(scale_factor=stride // 4, mode="bilinear", align_corners=False)
    return decoder, last, 1


def _segformer(channels: list[int], depth: int, widths: Widths) -> Made:
    from segmentation_models_pytorch.decoders.segformer.decoder import SegformerDecoder

    last = widths(256)
    return SegformerDecoder(channels, depth, last), last, 1


def _upernet(channels: list[int], depth: int, widths: Widths) -> Made:
    from segmentation_models_pytorch.decoders.upernet.decoder import UPerNetDecoder

    last = widths(256)
    return UPerNetDecoder(channels, depth, last), last, 1


_MAKERS: dict[str, Callable[[list[int], int, Widths], Made]] = {
    "unet": _unet,
    "unetplusplus": _unetplusplus,
    "manet": _manet,
    "linknet": _linknet,
    "fpn": _fpn,
    "deeplabv3plus": _deeplabv3plus,
    "segformer": _segformer,
    "upernet": _upernet,
}
