"""Frames: how what the network sees lies on the files' pictures, upright."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Frames:
    """The evaluation geometry of some pictures, and the way back.

    Pixel coordinates name pixels' centres: (0, 0) is the middle of the top left one.

    Attributes:
        size: (H, W) of what the network sees.
        sizes: (N, 2) height and width of the pictures, upright.
        scale, shift: (N, 2) each, for x and y: coordinate in the frame =
            scale * coordinate in the picture + shift.
    """

    size: tuple[int, int]
    sizes: np.ndarray
    scale: np.ndarray
    shift: np.ndarray

    def __len__(self) -> int:
        return len(self.sizes)

    @staticmethod
    def whole(size: tuple[int, int], count: int) -> Frames:
        """The frames of pictures that have the network's size already."""
        sizes = np.tile(np.array(size, np.int64), (count, 1))
        return Frames(size, sizes, np.ones((count, 2)), np.zeros((count, 2)))

    def to_frame(self, points: np.ndarray) -> np.ndarray:
        """Points (N, P, 2), x and y in pixels of the pictures, to -1..1 across the frame."""
        inside = points * self.scale[:, None] + self.shift[:, None]
        return normalize(inside, self.size)

    def to_picture(self, points: np.ndarray) -> np.ndarray:
        """Points (N, P, 2), x and y from -1 to 1, to pixels of the pictures."""
        inside = (points + 1) * np.array(self.size[::-1]) / 2 - 0.5
        return (inside - self.shift[:, None]) / self.scale[:, None]

    def paste(self, number: int, planes: np.ndarray) -> np.ndarray:
        """Planes (K, H, W) float32 of picture `number`, scaled to its own size (K, h, w).

        Linear between the network's pixels; what the frame did not show
        continues its edge.
        """
        import cv2

        height, width = (int(side) for side in self.sizes[number])
        (x, y), (dx, dy) = self.scale[number], self.shift[number]
        matrix = np.array([[x, 0, dx], [0, y, dy]], np.float64)
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.stack(
            [
                cv2.warpAffine(
                    np.ascontiguousarray(plane, np.float32),
                    matrix,
                    (width, height),
                    flags=how,
                    borderMode=cv2.BORDER_REPLICATE,
                )
                for plane in planes
            ]
        )


def normalize(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Points (..., 2), x and y in pixels of a picture of `size` (H, W), to -1..1 across it."""
    return (points + 0.5) * 2 / np.array(size[::-1]) - 1
