"""What pictures are decoded and shown for where there is no network yet."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Eye:
    """What of a network's body decoding and showing ask for.

    Attributes:
        channels: C.
        interpolation: how pictures are resized.
    """

    channels: int
    interpolation: str = "bicubic"

    @property
    def mean(self) -> tuple[float, ...]:
        """Nothing is taken off the values."""
        return (0.0,) * self.channels

    @property
    def std(self) -> tuple[float, ...]:
        """Values stay as they are."""
        return (1.0,) * self.channels
