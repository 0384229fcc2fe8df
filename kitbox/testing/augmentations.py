"""Tests of the contract of augmentations, to inherit."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest

from kitbox.contracts import Augmentation
from kitbox.data.batches import Loader
from kitbox.data.pixels import Pixels
from kitbox.data.targets import Fixed
from kitbox.testing.marks import Marks
from kitbox.testing.network import offline
from kitbox.testing.pictures import picture
from kitbox.testing.plugins import PluginTests

SIZES = ((64, 64), (48, 80), (80, 48))
"""Height and width that pictures are varied to."""


class AugmentationTests(PluginTests):
    """What every augmentation keeps to.

    Fixture: `plugin`. `channels` are the numbers of channels that it takes.
    """

    kind: ClassVar[str] = "augmentation"
    channels: ClassVar[tuple[int, ...]] = (1, 3)

    @pytest.mark.parametrize("size", SIZES)
    def test_it_ends_with_the_size_asked_for(
        self, plugin: Augmentation, size: tuple[int, int]
    ) -> None:
        """From pictures of any shape, landscape and portrait, to one of (height, width, C)."""
        for channels in self.channels:
            images, _ = self._varied(Marks(channels=channels).loader(), plugin, size)
            assert images.shape == (len(Marks()), channels, *size)

    def test_it_does_not_change_the_cache(self, plugin: Augmentation) -> None:
        marks = Marks()
        before = marks.canvas.copy()
        self._varied(marks.loader(), plugin, SIZES[1])
        assert np.array_equal(marks.canvas, before), "it wrote into the picture that it was given"

    def test_it_is_deterministic(self, plugin: Augmentation) -> None:
        """The seed alone decides, not how many threads share the work."""
        first, again, others = (
            self._varied(Marks().loader(workers=workers), plugin, SIZES[0])[0]
            for workers in (1, 1, 3)
        )
        assert np.array_equal(first, again), "the same seed gave other pictures"
        assert np.array_equal(first, others), "another number of threads gave other pictures"

    def test_one_picture_and_none(self, plugin: Augmentation) -> None:
        loader = Marks().loader()
        for count in (0, 1):
            batches = list(loader.varied(range(count), SIZES[0], plugin, (1, 2)))
            assert sum(len(images) for images, _, _ in batches) == count

    def test_masks_move_with_the_picture(self, plugin: Augmentation) -> None:
        """What is bright in a varied picture is within its varied mask, give or take a pixel."""
        import cv2

        marks, shares = Marks(), []
        for seed in range(3):
            images, masks = self._varied(marks.loader(marks.drawn()), plugin, SIZES[1], seed)
            for image, mask in zip(images, masks, strict=True):
                bright = _bright(image)
                around = cv2.dilate((mask == 1).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
                if bright is not None:
                    shares.append((bright & around).sum() / bright.sum())
        assert shares, "the disc was in none of the varied pictures"
        found = float(np.median(shares))
        assert found > 0.85, f"of the discs' pixels only {found:.0%} lie within their masks"

    def test_points_move_with_the_picture(self, plugin: Augmentation) -> None:
        """Where a disc's middle was said to be, the varied picture is bright."""
        marks, hits = Marks(), []
        for seed in range(3):
            images, points = self._varied(marks.loader(marks.points()), plugin, SIZES[1], seed)
            for image, point in zip(images, points, strict=True):
                bright = _bright(image)
                x, y = (point[0] + 1) * np.array(SIZES[1][::-1]) / 2 - 0.5
                inside = 2 <= x < SIZES[1][1] - 2 and 2 <= y < SIZES[1][0] - 2
                if bright is not None and inside:
                    hits.append(bright[round(float(y)), round(float(x))])
        assert hits, "the disc was in none of the varied pictures"
        found = float(np.mean(hits))
        assert found > 0.5, f"only {found:.0%} of the points lie on their discs"

    def test_speed(self, plugin: Augmentation, report: Callable[[str, int, float], None]) -> None:
        """Reported, not judged: 64 pictures of 336 pixels to 224, by two threads."""
        count, side = 64, 336
        canvas = np.stack([picture(side, side, seed) for seed in range(count)])
        extents = np.full((count, 2), side)
        loader = Loader(
            pixels=Pixels(canvas, extents, extents, {}, "made up"),
            targets=Fixed(np.zeros(count)),
            mean=(0.5,) * 3,
            std=(0.25,) * 3,
            interpolation=1,
            fit="crop",
            device="cpu",
            workers=2,
            batch_size=count,
        )
        began = time.perf_counter()
        for _ in loader.varied(range(count), (224, 224), plugin, (1, 2)):
            pass
        report("pictures varied", count, time.perf_counter() - began)

    def _varied(
        self, loader: Loader, plugin: Any, size: tuple[int, int], seed: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Pictures (N, C, H, W), 0 to 1, and targets, in the rows' order."""
        with offline():
            rows = range(len(loader.pixels))
            batches = list(loader.varied(rows, size, plugin, (seed, 1, 1)))
        images, targets, numbers = zip(*batches, strict=True)
        order = np.argsort(np.concatenate(numbers))
        return (
            np.concatenate([one.numpy() for one in images])[order],
            np.concatenate([one.numpy() for one in targets])[order],
        )


def _bright(image: np.ndarray) -> np.ndarray | None:
    """Where a picture (C, H, W) shows the disc, in the middle between dark and bright."""
    plane = image.mean(axis=0)
    low, high = float(plane.min()), float(plane.max())
    if high - low < 0.3:
        return None
    found: np.ndarray = plane > (low + high) / 2
    return found if found.sum() >= 8 else None
