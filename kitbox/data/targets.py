"""Targets: what a picture should give, moving with the picture where it lies on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from kitbox.data import geometry, warp
from kitbox.data.frames import normalize
from kitbox.data.masks import check_size
from kitbox.errors import LabelError, PluginError


class Targets(Protocol):
    """Encoded targets of N rows.

    A target goes the picture's way: `view` shows it as a part of the cached
    picture, scaled; `move` takes it through a warp, `enter` and `leave` through an
    albumentations pipeline; `finish` makes it what the loss gets.
    """

    @property
    def pipeline(self) -> Mapping[str, Any]:
        """Arguments that albumentations' Compose needs for such targets."""

    @property
    def fill(self) -> int:
        """Of a mask, where a transform adds a border."""

    def __len__(self) -> int: ...

    def bind(self, rows: np.ndarray, sizes: np.ndarray, extents: np.ndarray) -> Targets:
        """The targets for pictures of these (M, 2) sizes, cached at these (M, 2) extents.

        Row m of the result is row `rows[m]` of these; -1 where there is none.
        """

    def view(self, row: int, part: geometry.Box, shape: tuple[int, int]) -> Any:
        """The target of a row, its picture's `part` (in cached pixels) scaled to `shape`."""

    def move(self, target: Any, matrix: np.ndarray, size: tuple[int, int], *, reflect: bool) -> Any:
        """The target after a warp's `matrix` (see `kitbox.data.warp`) to `size` (H, W)."""

    def enter(self, target: Any) -> dict[str, Any]:
        """What Compose is given beside the picture."""

    def leave(self, moved: Mapping[str, Any], target: Any) -> Any:
        """The target out of what Compose gave back, and of what went in."""

    def finish(self, target: Any, size: tuple[int, int]) -> np.ndarray:
        """What the loss gets, for a picture of `size` (H, W)."""


@dataclass(frozen=True)
class Fixed:
    """Targets that do not move.

    Attributes:
        values: (N, ...).
    """

    values: np.ndarray
    pipeline: Mapping[str, Any] = field(default_factory=dict, repr=False)
    fill: int = field(default=0, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.values)

    def bind(self, rows: np.ndarray, sizes: np.ndarray, extents: np.ndarray) -> Fixed:
        """See `Targets`; rows without a target get zeros."""
        values = np.zeros((len(rows), *self.values.shape[1:]), self.values.dtype)
        values[rows >= 0] = self.values[rows[rows >= 0]]
        return Fixed(values)

    def view(self, row: int, part: geometry.Box, shape: tuple[int, int]) -> np.ndarray:
        """See `Targets`."""
        return self.values[row]

    def move(
        self, target: np.ndarray, matrix: np.ndarray, size: tuple[int, int], *, reflect: bool
    ) -> np.ndarray:
        """See `Targets`."""
        return target

    def enter(self, target: np.ndarray) -> dict[str, Any]:
        """See `Targets`."""
        return {}

    def leave(self, moved: Mapping[str, Any], target: np.ndarray) -> np.ndarray:
        """See `Targets`."""
        return target

    def finish(self, target: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """See `Targets`."""
        return target


@dataclass(frozen=True)
class Points:
    """P points on each picture.

    Attributes:
        xy: (N, P, 2) float, x and y in pixels of the picture, upright, (0, 0) the
            middle of its top left pixel; NaN where unknown. They may lie outside.
        pairs: points that change places when the picture is mirrored, as the two eyes do.
        far: how far outside at most, as a multiple of the picture's width and height.
        name: says which picture a row is, for messages.
    """

    xy: np.ndarray
    pairs: Sequence[tuple[int, int]] = ()
    far: float = float("inf")
    name: Callable[[int], str] = str
    pipeline: Mapping[str, Any] = field(init=False, repr=False)
    fill: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        from kitbox.data.pipelines import albumentations

        # albumentations drops points that leave the frame unless told not to.
        params = albumentations().KeypointParams(format="xy", remove_invisible=False)
        object.__setattr__(self, "pipeline", {"keypoint_params": params})

    def __len__(self) -> int:
        return len(self.xy)

    def bind(self, rows: np.ndarray, sizes: np.ndarray, extents: np.ndarray) -> Points:
        """See `Targets`: from pixels of the pictures to pixels of the cache.

        Raises:
            LabelError: for points that are farther outside than `far` allows.
        """
        self._check_far(rows, sizes)
        xy = np.full((len(rows), *self.xy.shape[1:]), np.nan, np.float32)
        known = rows >= 0
        factor = (extents[known] / np.maximum(1, sizes[known]))[:, None, ::-1]
        xy[known] = (self.xy[rows[known]] + 0.5) * factor - 0.5
        return replace(self, xy=xy, name=lambda row: self.name(int(rows[row])))

    def _check_far(self, rows: np.ndarray, sizes: np.ndarray) -> None:
        known = np.flatnonzero((rows >= 0) & (sizes > 0).all(axis=1))  # broken pictures have none
        xy, size = self.xy[rows[known]], sizes[known][:, None, ::-1]
        outside = np.maximum(-xy, xy - (size - 1)) > self.far * size
        far = np.flatnonzero(outside.any(axis=(1, 2)))
        if not len(far):
            return
        told = []
        for place in far[:5]:
            x, y = xy[place][outside[place].any(axis=1)][0]
            width, height = size[place][0]
            told.append(f"({x:g}, {y:g}) in {self.name(rows[known[place]])} ({width}x{height})")
        more = f" and {len(far) - len(told)} more" if len(far) > len(told) else ""
        raise LabelError(
            f"Points lie far outside their pictures, by more than {self.far:g} times the "
            f"picture's size, in {len(far)} of {len(known)}",
            found=f"{', '.join(told)}{more}",
            do="Points are given in pixels of the picture upright; correct these, or "
            "allow them with `far` of the task",
        )

    def view(self, row: int, part: geometry.Box, shape: tuple[int, int]) -> np.ndarray:
        """See `Targets`: (P, 2) in pixels of `shape`."""
        corner = np.array([part.left, part.top], np.float32)
        factor = np.array([shape[1] / part.width, shape[0] / part.height], np.float32)
        return (self.xy[row] - corner + 0.5) * factor - 0.5

    def move(
        self, target: np.ndarray, matrix: np.ndarray, size: tuple[int, int], *, reflect: bool
    ) -> np.ndarray:
        """See `Targets`; each point moves once, wherever a border mirrors the picture."""
        moved = warp.apply_to_points(target, matrix)
        return self._swapped(moved) if warp.mirrors(matrix) else moved

    def enter(self, target: np.ndarray) -> dict[str, Any]:
        """See `Targets`; a corner goes along, to tell whether the picture was mirrored."""
        points = np.concatenate([np.nan_to_num(target), _CORNER])
        return {"keypoints": points.astype(np.float32)}

    def leave(self, moved: Mapping[str, Any], target: np.ndarray) -> np.ndarray:
        """See `Targets`."""
        points = np.array(moved["keypoints"], np.float32).reshape(-1, 2)[:, :2]
        if len(points) != len(target) + len(_CORNER):
            raise PluginError(
                "The augmentation changes how many points there are",
                found=f"{len(target)} points became {max(0, len(points) - len(_CORNER))}",
                do="Leave out transforms that drop or repeat points",
            )
        points, corner = points[:-3], points[-3:]
        points[np.isnan(target)] = np.nan
        (ax, ay), (bx, by) = corner[1] - corner[0], corner[2] - corner[0]
        return self._swapped(points) if ax * by - ay * bx < 0 else points

    def _swapped(self, points: np.ndarray) -> np.ndarray:
        order = np.arange(len(points))
        for one, other in self.pairs:
            order[one], order[other] = other, one
        return points[order]

    def finish(self, target: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """See `Targets`: -1..1 across the frame."""
        return normalize(target, size).astype(np.float32)


_CORNER = np.array([[0, 0], [8, 0], [0, 8]], np.float32)


@dataclass(frozen=True)
class Masks:
    """A class number for each pixel of each picture.

    Attributes:
        count: N.
        read: gives the mask (h, w) uint8 of a row; called by several threads.
        fill: the class of what lies outside a picture.
        name: says which mask a row has, for messages.
    """

    count: int
    read: Callable[[int], np.ndarray]
    fill: int = 255
    name: Callable[[int], str] = str
    pipeline: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return self.count

    def bind(self, rows: np.ndarray, sizes: np.ndarray, extents: np.ndarray) -> Masks:
        """See `Targets`; a mask is read when first needed, and kept while memory allows."""
        area = int((extents[rows >= 0].astype(np.int64).prod(axis=1)).sum())
        keep: dict[int, np.ndarray] = {}

        def read(row: int) -> np.ndarray:
            if row in keep:
                return keep[row]
            number = int(rows[row])
            mask = self.read(number)
            check_size(mask, (int(sizes[row, 0]), int(sizes[row, 1])), self.name(number))
            mask = _nearest(mask, (int(extents[row, 0]), int(extents[row, 1])))
            if area <= KEPT:
                keep[row] = mask
            return mask

        return replace(self, count=len(rows), read=read, name=lambda row: self.name(int(rows[row])))

    def view(self, row: int, part: geometry.Box, shape: tuple[int, int]) -> np.ndarray:
        """See `Targets`: (H, W) uint8."""
        return _nearest(geometry.cut(self.read(row), part, self.fill), shape)

    def move(
        self, target: np.ndarray, matrix: np.ndarray, size: tuple[int, int], *, reflect: bool
    ) -> np.ndarray:
        """See `Targets`."""
        return warp.apply_nearest(target, matrix, size, fill=None if reflect else self.fill)

    def enter(self, target: np.ndarray) -> dict[str, Any]:
        """See `Targets`."""
        return {"mask": target}

    def leave(self, moved: Mapping[str, Any], target: np.ndarray) -> np.ndarray:
        """See `Targets`."""
        return moved["mask"]

    def finish(self, target: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """See `Targets`: class numbers (H, W) int64."""
        return target.astype(np.int64)


KEPT = 2 << 30
"""Bytes of masks that are kept in memory at most; more are read again in every epoch."""


def _nearest(mask: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    import cv2

    if mask.shape == shape:
        return mask
    return cv2.resize(mask, shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
