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
DRAWS, LEAST = 96, 0.7
"""Varied pictures that are judged one by one, and the share of a disc that must be right: what
is wrong in one of twenty is missed once in a hundred times."""


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
        """In every varied picture the disc lies within its mask, give or take a pixel."""
        import cv2

        discs, masks = self._discs(plugin)
        shares = []
        for disc, mask in zip(discs, masks, strict=True):
            around = cv2.dilate((mask == 1).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
            if disc is not None:
                shares.append((disc & around).sum() / disc.sum())
        assert shares, "the disc was in none of the varied pictures"
        outside = sum(share < LEAST for share in shares)
        assert not outside, (
            f"in {outside} of {len(shares)} varied pictures the disc is not where its mask is: of "
            f"its pixels expected at least {LEAST:.0%} within the mask, found {min(shares):.0%}"
        )

    def test_points_move_with_the_picture(self, plugin: Augmentation) -> None:
        """Where a disc's middle was said to be, each varied picture shows it.

        A picture may hide the very middle; those that hide more of the disc are not judged.
        """
        marks, size = Marks(DRAWS), np.array(SIZES[1][::-1])  # width, height
        discs, masks = self._discs(plugin)
        _, points = self._varied(marks.loader(marks.points()), plugin, SIZES[1])
        area = float(
            np.median(
                [(mask == 1).sum() for mask, d in zip(masks, discs, strict=True) if d is not None]
            )
        )
        away = []
        for disc, point in zip(discs, points, strict=True):
            place = (point[0] + 1) * size / 2 - 0.5
            inside = (place >= 2).all() and (place < size - 2).all()
            if inside and disc is not None and disc.sum() >= LEAST * area:
                y, x = np.nonzero(disc)
                away.append(float(np.hypot(x - place[0], y - place[1]).min()))
        assert away, "the disc was in none of the varied pictures"
        most, radius = float(np.median(away)), np.sqrt(area / np.pi)
        assert most <= 1, (
            f"points are not on their discs: expected each within a pixel, found most {most:.0f} "
            "pixels away"
        )
        astray = sum(distance > radius for distance in away)
        assert not astray, (
            f"in {astray} of {len(away)} varied pictures the point is not on its disc: expected "
            f"it there, found it up to {max(away):.0f} pixels away"
        )

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

    def _discs(self, plugin: Any) -> tuple[list[np.ndarray | None], np.ndarray]:
        """Where each varied picture shows its disc (H, W), or None, and its mask (N, H, W).

        That is where it differs from the same picture without a disc, varied alike: whatever
        else an augmentation draws on pictures is on both.
        """
        marks = Marks(DRAWS)
        images, masks = self._varied(marks.loader(marks.drawn()), plugin, SIZES[1])
        blank, _ = self._varied(marks.loader(marks.drawn(), blank=True), plugin, SIZES[1])
        return [_seen(one) for one in abs(images - blank).mean(axis=1)], masks


def _seen(difference: np.ndarray) -> np.ndarray | None:
    """Where a disc is seen, in the middle between nothing and its brightest; None: nowhere."""
    high = float(difference.max())
    found: np.ndarray = difference > high / 2
    return found if high >= 0.15 and found.sum() >= 8 else None
