"""Pictures with one bright disc each: its mask and its middle tell where an augmentation put it."""

from __future__ import annotations

import numpy as np

from kitbox.data.batches import Loader
from kitbox.data.pixels import Pixels
from kitbox.data.targets import Fixed, Masks, Points, Targets

SIDE, RADIUS = 96, 9
NEAR, FAR = 0.22, 0.32
"""How far from an edge the discs' middles are, as shares of the picture: none is near its own
mirror image."""


class Marks:
    """N cached pictures (h, w, C), rectangular ones among them, each with a disc on black.

    The discs lie in the corners in turn.
    """

    def __init__(self, count: int = 12, channels: int = 3) -> None:
        rng = np.random.default_rng(0)
        self.extents = rng.integers(56, SIDE + 1, (count, 2))
        shares = rng.uniform(NEAR, FAR, (count, 2))
        corner = np.stack([np.arange(count) % 2, np.arange(count) // 2 % 2], axis=1)
        self.middle = (self.extents[:, ::-1] - 1) * np.where(corner, 1 - shares, shares)
        self.canvas = np.zeros((count, SIDE, SIDE, channels), np.uint8)
        self.masks = []
        for row, (height, width) in enumerate(self.extents):
            y, x = np.mgrid[:height, :width]
            away = np.hypot(x - self.middle[row, 0], y - self.middle[row, 1])
            self.masks.append((away <= RADIUS).astype(np.uint8))
            bright = (np.clip(RADIUS + 0.5 - away, 0, 1) * 200).astype(np.uint8)
            self.canvas[row, :height, :width] = bright[..., None]

    def __len__(self) -> int:
        return len(self.canvas)

    def points(self) -> Points:
        """The middle of each disc (N, 1, 2)."""
        return Points(self.middle[:, None].astype(np.float32))

    def drawn(self) -> Masks:
        """The disc of each picture: 1, and 0 around it."""
        return Masks(len(self), self.masks.__getitem__, fill=0)

    def loader(
        self, targets: Targets | None = None, workers: int = 2, *, blank: bool = False
    ) -> Loader:
        """Batches of at most 8 of the pictures, on the CPU; their values are 0 to 1.

        Args:
            blank: the pictures without their discs.
        """
        count, channels = len(self), self.canvas.shape[-1]
        targets = Fixed(np.arange(count)) if targets is None else targets
        canvas = np.zeros_like(self.canvas) if blank else self.canvas
        return Loader(
            pixels=Pixels(canvas, self.extents, self.extents, {}, "made up"),
            targets=targets.bind(np.arange(count), self.extents, self.extents),
            mean=(0.0,) * channels,
            std=(1.0,) * channels,
            interpolation=1,  # OpenCV's INTER_LINEAR
            fit="crop",
            device="cpu",
            workers=workers,
            batch_size=8,
        )
