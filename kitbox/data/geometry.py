"""From a cached picture to the size that the network sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np

Fit = Literal["crop", "squash", "pad"]


class Box(NamedTuple):
    """A part of a picture in pixels; it may reach beyond the picture."""

    top: int
    left: int
    height: int
    width: int


def box(shape: tuple[int, int], size: tuple[int, int], fit: Fit) -> Box:
    """The part of a picture of `shape` (h, w) that is shown at `size` (H, W).

    'crop' keeps the middle, 'squash' all of it whatever becomes of its shape,
    'pad' all of it and what is missing at both ends.
    """
    height, width = shape
    if fit == "squash":
        return Box(0, 0, height, width)
    scale = (min if fit == "crop" else max)(height / size[0], width / size[1])
    h, w = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    if fit == "crop":
        h, w = min(h, height), min(w, width)
        return Box((height - h) // 2, (width - w) // 2, h, w)
    h, w = max(h, height), max(w, width)
    return Box(-((h - height) // 2), -((w - width) // 2), h, w)


def cut(picture: np.ndarray, part: Box, fill: int = 0) -> np.ndarray:
    """The part of a picture (h, w) or (h, w, C) that a box shows, `fill` where there is none."""
    import cv2

    height, width = picture.shape[:2]
    bottom, right = part.top + part.height, part.left + part.width
    inside = picture[max(0, part.top) : bottom, max(0, part.left) : right]
    missing = (
        max(0, -part.top),
        max(0, bottom - height),
        max(0, -part.left),
        max(0, right - width),
    )
    if not any(missing):
        return inside
    padded = cv2.copyMakeBorder(
        inside, *missing, cv2.BORDER_CONSTANT, value=(fill, fill, fill, fill)
    )
    return padded.reshape(*padded.shape[:2], *picture.shape[2:])


def frame(picture: np.ndarray, size: tuple[int, int], fit: Fit) -> np.ndarray:
    """The part of a picture (h, w, C) that is shown at `size` (H, W), at its own resolution."""
    return cut(picture, box((picture.shape[0], picture.shape[1]), size, fit))


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


def shrink(picture: np.ndarray, factor: int) -> np.ndarray:
    """A picture (h, w, C) with the mean of factor by factor pixels as one; the rest is cut off."""
    import cv2

    height, width = picture.shape[0] // factor, picture.shape[1] // factor
    if factor == 1 or not height or not width:
        return picture[: max(1, height), : max(1, width)] if factor > 1 else picture
    small = cv2.resize(
        picture[: height * factor, : width * factor],
        (width, height),
        interpolation=cv2.INTER_AREA,
    )
    return small.reshape(height, width, picture.shape[2])


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
