"""Warps: all that varies a picture, as one matrix and one multiply-add.

A picture is resampled once, whatever flips, crops and turns it. On a CPU that is one
call of OpenCV a picture, on an accelerator one operation a batch; both take the same
numbers and give the same pictures, up to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Warp:
    """How one picture is varied.

    Attributes:
        matrix: (3, 3), homogeneous; from pixels (x, y, 1) of the result to pixels of the
            picture, (0, 0) the middle of the top left one.
        gain, shift: of values 0..255: value * gain + shift, cut off at both ends.
    """

    matrix: np.ndarray
    gain: float = 1.0
    shift: float = 0.0

    def of(self, matrix: np.ndarray) -> Warp:
        """The same, of the picture that a matrix (3, 3) leads to from this one's."""
        return Warp(matrix @ self.matrix, self.gain, self.shift)


class Draw(Protocol):
    """A function that draws the warp of a picture."""

    def __call__(self, rng: np.random.Generator, shape: tuple[int, int], /) -> Warp:
        """The warp of a picture of `shape` (h, w), drawn from `rng` alone."""


def scaling(x: float, y: float) -> np.ndarray:
    """From pixels to those of a picture that is x and y times as large (3, 3)."""
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1.0]])


def shifting(x: float, y: float) -> np.ndarray:
    """Moves by x and y (3, 3)."""
    return np.array([[1.0, 0, x], [0, 1, y], [0, 0, 1]])


def apply(
    picture: np.ndarray, warp: Warp, size: tuple[int, int], *, reflect: bool = True
) -> np.ndarray:
    """A picture (h, w, C) uint8, varied: (H, W, C) uint8.

    Args:
        reflect: what lies outside mirrors the picture; else it is black.
    """
    import cv2

    border = cv2.BORDER_REFLECT if reflect else cv2.BORDER_CONSTANT
    varied = _warp(picture, warp.matrix, size, cv2.INTER_LINEAR, border, 0)
    if warp.gain != 1 or warp.shift != 0:
        table = np.clip(np.arange(256) * warp.gain + warp.shift + 0.5, 0, 255).astype(np.uint8)
        varied = cv2.LUT(varied, table)
    return varied.reshape(*size, picture.shape[2])


def apply_nearest(
    mask: np.ndarray, matrix: np.ndarray, size: tuple[int, int], *, fill: int | None
) -> np.ndarray:
    """A mask (h, w) uint8 by a warp's matrix, each pixel the nearest: (H, W).

    Args:
        fill: what lies outside; None mirrors the mask.
    """
    import cv2

    border = cv2.BORDER_REFLECT if fill is None else cv2.BORDER_CONSTANT
    return _warp(mask, matrix, size, cv2.INTER_NEAREST, border, fill or 0)


def apply_to_points(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Where points (P, 2) of the picture lie in the result of a warp's matrix (P, 2)."""
    there = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ np.linalg.inv(matrix).T
    return there[:, :2] / there[:, 2:]


def mirrors(matrix: np.ndarray) -> bool:
    """Whether a warp's matrix shows the picture mirrored."""
    return bool(np.linalg.det(matrix) * np.sign(matrix[2, 2]) < 0)


def apply_to_batch(
    pictures: torch.Tensor,
    extents: torch.Tensor,
    warps: Sequence[Warp],
    size: tuple[int, int],
    *,
    reflect: bool = True,
) -> torch.Tensor:
    """A batch varied in one go, on its device.

    Args:
        pictures: (B, S, S, C) uint8; picture b fills its top left corner.
        extents: (B, 2) height and width in use.
        reflect: what lies outside mirrors the picture; else it is black.

    Returns:
        (B, C, H, W) float, 0..255.
    """
    import torch
    from torch.nn import functional as F

    device, side = pictures.device, pictures.shape[1]
    matrices = torch.from_numpy(np.stack([one.matrix for one in warps])).float()
    light = torch.tensor([(one.gain, one.shift) for one in warps])
    if device.type == "cuda":
        matrices, light = matrices.pin_memory(), light.pin_memory()
    matrices = matrices.to(device, non_blocking=True)
    light = light.to(device, non_blocking=True)[:, :, None, None, None]  # (B, 2, 1, 1, 1)

    y, x = torch.meshgrid(
        torch.arange(size[0], device=device, dtype=torch.float32),
        torch.arange(size[1], device=device, dtype=torch.float32),
        indexing="ij",
    )
    places = torch.stack([x, y, torch.ones_like(x)], dim=-1).reshape(1, -1, 3)  # (1, HW, 3)
    there = places @ matrices.transpose(1, 2)
    there = there[..., :2] / there[..., 2:]
    used = extents.flip(1)[:, None].float()  # (B, 1, 2) width and height
    inside = None
    if reflect:
        # Around the outer edges of the outer pixels, as often as needed.
        there = torch.remainder(there + 0.5, 2 * used)
        there = torch.minimum(there, 2 * used - there) - 0.5
    else:
        # A pixel beyond the edge is black: it fades in over one pixel, as OpenCV does it.
        near = torch.minimum(there + 1, used - there).clamp(0, 1).prod(dim=-1)
        inside = near.reshape(-1, 1, *size)
    there = torch.minimum(there.clamp(min=0), used - 1)
    grid = ((there + 0.5) * (2 / side) - 1).reshape(-1, *size, 2)
    planes = pictures.permute(0, 3, 1, 2).float()
    varied = F.grid_sample(planes, grid, mode="bilinear", align_corners=False)
    if inside is not None:
        varied = varied * inside
    return varied.mul_(light[:, 0]).add_(light[:, 1]).clamp_(0, 255)


def _warp(
    picture: np.ndarray,
    matrix: np.ndarray,
    size: tuple[int, int],
    interpolation: int,
    border: int,
    fill: int,
) -> np.ndarray:
    import cv2

    how = interpolation | cv2.WARP_INVERSE_MAP
    value = (fill,) * 4
    matrix = matrix / matrix[2, 2]
    if matrix[2, 0] == 0 and matrix[2, 1] == 0:
        return cv2.warpAffine(
            picture, matrix[:2], size[::-1], flags=how, borderMode=border, borderValue=value
        )
    return cv2.warpPerspective(
        picture, matrix, size[::-1], flags=how, borderMode=border, borderValue=value
    )
