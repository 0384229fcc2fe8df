"""Pictures with one round mark each, its mask and its middle as a point."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from kitbox.data import geometry
from kitbox.data.batches import Loader
from kitbox.data.pixels import Pixels
from kitbox.data.targets import Fixed, Masks, Points, Targets
from kitbox.options import Options

SIDE = 96


class Marks:
    """N pictures (h, w) as their files would have them, and a loader of their cached pixels.

    Args:
        shrink: how many pixels of a file a cached pixel stands for, about.
    """

    def __init__(self, seed: int, count: int = 6, shrink: float = 1.0) -> None:
        rng = np.random.default_rng(seed)
        self.extents = rng.integers(48, SIDE + 1, (count, 2))
        self.sizes = np.rint(self.extents * shrink).astype(int)
        self.middle = (self.sizes[:, ::-1] - 1) * rng.uniform(0.3, 0.7, (count, 2))
        self.radius = 6.0 * shrink
        self.canvas = np.zeros((count, SIDE, SIDE, 1), np.uint8)
        self.masks = []
        for row, ((height, width), (h, w)) in enumerate(zip(self.sizes, self.extents, strict=True)):
            y, x = np.mgrid[:height, :width]
            away = np.hypot(x - self.middle[row, 0], y - self.middle[row, 1])
            self.masks.append((away <= self.radius).astype(np.uint8))
            bright = np.clip(self.radius + 0.5 - away, 0, 1)  # with a soft edge
            picture = (bright * 255).astype(np.uint8)
            how = cv2.INTER_AREA
            self.canvas[row, :h, :w, 0] = cv2.resize(picture, (int(w), int(h)), interpolation=how)

    def points(self, **options: Any) -> Points:
        return Points(self.middle[:, None].astype(np.float32), **options)

    def drawn(self, **options: Any) -> Masks:
        return Masks(len(self.masks), self.masks.__getitem__, **options)

    def loader(self, targets: Targets | None = None, fit: geometry.Fit = "crop") -> Loader:
        count = len(self.canvas)
        targets = targets if targets is not None else Fixed(np.zeros(count))
        return Loader(
            pixels=Pixels(self.canvas, self.extents, self.sizes, {}, "by hand"),
            targets=targets.bind(np.arange(count), self.sizes, self.extents),
            mean=(0.0,),
            std=(1.0,),
            interpolation=cv2.INTER_LINEAR,
            fit=fit,
            device="cpu",
            workers=2,
            batch_size=4,
        )


class Pipeline(Options):
    """Any albumentations, and at the end the size asked for."""

    steps: Any
    last: Any = None

    def transforms(self, height: int, width: int, interpolation: int) -> list[Any]:
        from kitbox.data.pipelines import albumentations

        end = self.last(height, width) if self.last else albumentations().Resize(height, width)
        return [*self.steps(), end]


def together(batches: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures (N, H, W), targets and rows of all batches."""
    images, targets, rows = zip(*batches, strict=True)
    joined = [np.concatenate([one.numpy() for one in part]) for part in (images, targets)]
    return joined[0][:, 0], joined[1], np.concatenate(rows)


def in_pixels(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """From -1..1 across a frame to pixels, (0, 0) the middle of the top left one."""
    return (points + 1) / 2 * np.array(size[::-1]) - 0.5


def centre(weights: np.ndarray) -> np.ndarray:
    """The centre of mass (x, y) in pixels."""
    y, x = np.mgrid[: weights.shape[0], : weights.shape[1]]
    return np.array([(x * weights).sum(), (y * weights).sum()]) / weights.sum()


def whole(mask: np.ndarray) -> bool:
    """Whether a mask shows the mark, once and away from the frame's edge."""
    count, _ = cv2.connectedComponents((mask == 1).astype(np.uint8))
    edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return count == 2 and not (edge == 1).any()


__all__ = ["SIDE", "Marks", "Pipeline", "centre", "in_pixels", "together", "whole"]
