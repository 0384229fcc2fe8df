"""From a cached picture to the size that the network sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

Fit = Literal["crop", "squash", "pad"]


def frame(picture: np.ndarray, size: tuple[int, int], fit: Fit) -> np.ndarray:
    """Bring a picture (h, w, C) to the aspect ratio of `size` (H, W), at its own resolution.

    'crop' keeps the middle, 'squash' leaves it to the scaling that follows,
    'pad' adds black at both ends.
    """
    import cv2

    height, width = picture.shape[:2]
    if fit == "squash":
        return picture
    scale = (min if fit == "crop" else max)(height / size[0], width / size[1])
    h, w = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    if fit == "crop":
        top, left = (height - h) // 2, (width - w) // 2
        return picture[max(0, top) : max(0, top) + h, max(0, left) : max(0, left) + w]
    down, right = max(0, h - height), max(0, w - width)
    padded = cv2.copyMakeBorder(
        picture, down // 2, down - down // 2, right // 2, right - right // 2, cv2.BORDER_CONSTANT
    )
    return padded.reshape(*padded.shape[:2], picture.shape[2])


def scale(picture: np.ndarray, size: tuple[int, int], interpolation: int) -> np.ndarray:
    """Scale a picture (h, w, C) to exactly `size` (H, W).

    Area interpolation when both sides shrink, else `interpolation` (OpenCV's constant).
    """
    import cv2

    if picture.shape[:2] == size:
        return picture
    shrinks = picture.shape[0] >= size[0] and picture.shape[1] >= size[1]
    resized = cv2.resize(
        picture, size[::-1], interpolation=cv2.INTER_AREA if shrinks else interpolation
    )
    return resized.reshape(*size, picture.shape[2])


def interpolation(name: str) -> int:
    """OpenCV's constant for the name that timm's weights give; linear where it has none."""
    import cv2

    names = {
        "nearest": cv2.INTER_NEAREST,
        "bilinear": cv2.INTER_LINEAR,
        "bicubic": cv2.INTER_CUBIC,
        "lanczos": cv2.INTER_LANCZOS4,
    }
    return int(names.get(name, cv2.INTER_LINEAR))
