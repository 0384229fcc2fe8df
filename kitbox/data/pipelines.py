"""Pipelines of albumentations, made to move masks and points exactly as their picture."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from kitbox.errors import PluginError

_SCALING = (
    *("Resize", "RandomScale", "LongestMaxSize", "SmallestMaxSize"),
    *("RandomResizedCrop", "RandomSizedCrop", "RandomSizedBBoxSafeCrop"),
)
"""Transforms that scale. They take points from the corner of a pixel, others from its middle,
and give a pixel of a mask the upper left of those that it covers, not the middle one."""
_LOSING = ("ThinPlateSpline", "MaskDropout")
"""Transforms that lose or misplace points, whatever they are told."""


# Before anybody imports albumentations, a plugin say: it would ask the network for updates.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")


def albumentations() -> Any:
    """The module; it does not ask the network for updates when it is imported."""
    import albumentations

    return albumentations


def compose(transforms: Sequence[Any], options: Mapping[str, Any], fill: int = 0) -> Any:
    """One pipeline of transforms, which are changed so that targets keep their place.

    Args:
        options: of albumentations' Compose, those of `Targets.pipeline`.
        fill: of a mask, where a transform adds a border.

    Raises:
        PluginError: for a transform that cannot keep points.
    """
    import cv2

    made = albumentations().Compose(transforms, **options)
    for transform in _each(made):
        _set(transform, "fill_mask", fill)
        if type(transform).__name__ in _SCALING:
            _set(transform, "mask_interpolation", cv2.INTER_NEAREST_EXACT)
            _around(transform, _from_the_middle)
        if "keypoint_params" in options:
            if type(transform).__name__ in _LOSING:
                raise PluginError(
                    f"The transform {type(transform).__name__} does not keep points in their place",
                    do="Leave it out of this augmentation: the task's targets are points",
                )
            _set(transform, "keypoint_remapping_method", "direct")
            if hasattr(transform, "border_mode"):
                _around(transform, _once)
    return made


def _each(transform: Any) -> Iterator[Any]:
    """A transform and those inside it."""
    yield transform
    for inner in getattr(transform, "transforms", ()):
        yield from _each(inner)


def _set(transform: Any, name: str, value: Any) -> None:
    if hasattr(transform, name):
        setattr(transform, name, value)


def _around(transform: Any, wrap: Callable[[Any, Any], Any]) -> None:
    """Replace what a transform does to points, if it does anything, once."""
    handlers = getattr(transform, "_key2func", {})
    if (move := handlers.get("keypoints")) is None or wrap in getattr(move, "wraps", ()):
        return
    moved = wrap(transform, move)
    moved.wraps = (*getattr(move, "wraps", ()), wrap)
    handlers["keypoints"] = moved


def _from_the_middle(transform: Any, move: Any) -> Any:
    """Points count from the middle of a pixel, also where the transform takes its corner."""

    def moved(points: Any, **params: Any) -> Any:
        corner = points.copy()
        corner[:, :2] += 0.5
        there = move(corner, **params).copy()
        there[:, :2] -= 0.5
        return there

    return moved


def _once(transform: Any, move: Any) -> Any:
    """Points move once where a border reflects: albumentations would add their reflections."""
    import cv2

    def moved(points: Any, **params: Any) -> Any:
        kept, transform.border_mode = transform.border_mode, cv2.BORDER_CONSTANT
        try:
            return move(points, **params)
        finally:
            transform.border_mode = kept

    return moved
