"""Networks without their head, and the weights they begin with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

if TYPE_CHECKING:
    import torch
    from torch import nn


class Body(Protocol):
    """A backbone that was built: an `nn.Module` from images (B, C, H, W) to features.

    Features are one vector a picture (B, F), or, when it was built for maps, a
    list of maps (B, F_i, H_i, W_i), finest first. In eval mode a picture's do not depend on the
    other pictures of the batch.

    Attributes:
        features: F, or for maps (F_1, F_2, ...).
        strides: for maps, how many pixels one place of each map stands for; () for a
            vector. Maps of a picture whose side is no multiple of the last stride
            are those of the picture padded at its right and bottom.
        channels: C.
        mean, std: statistics of the input per channel, for pictures in 0..1.
        interpolation: how the weights' own pictures were resized ('bicubic', ...).
        weights: where the weights came from, a sentence for the report.
        pretrained: whether the weights were trained before.
    """

    features: int | tuple[int, ...]
    strides: tuple[int, ...]
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str
    weights: str
    pretrained: bool

    def layers(self) -> list[list[nn.Parameter]]:
        """The parameters along the network's real layers, input first."""

    def __call__(self, images: torch.Tensor) -> torch.Tensor | list[torch.Tensor]: ...


@dataclass(frozen=True)
class Weights:
    """Where weights come from.

    Attributes:
        source: a sentence for the report.
        here: no network is needed for them.
        knock: asks in a few seconds whether they can be downloaded, and raises a WeightsError
            that says why not; None where that cannot be asked.
    """

    source: str
    here: bool = True
    knock: Callable[[], None] | None = field(default=None, compare=False)


class Backbone(Protocol):
    """A network without its head."""

    def find_weights(self) -> Weights:
        """Where the weights would come from; no network, nothing built.

        Raises:
            WeightsError: when they cannot be had, naming the file to attach.
        """

    def build(self, size: tuple[int, int], *, load: bool = True, maps: bool = False) -> Body:
        """Build the network for pictures of `size` (H, W).

        Args:
            maps: the head wants feature maps, not one vector a picture.
            load: False leaves the weights random, because the caller loads a
                saved model into it next.

        Raises:
            WeightsError: when the weights cannot be had or do not fit, or when it has no maps
                and is asked for them.
        """


@runtime_checkable
class Attaches(Protocol):
    """What a backbone may have besides: its weights as files, for a machine without network."""

    def attach(self, folder: Path) -> Self:
        """Put the weights into a folder; the backbone that finds them where it is attached.

        Nothing is put there where there are none to load.

        Raises:
            WeightsError: when the weights cannot be had.
        """
