"""Augmentations: how a training picture is varied, once, on cached pixels."""

from __future__ import annotations

import os
from typing import Annotated, Any

from pydantic import Field, model_validator

from kitbox.options import Options

Share = Annotated[float, Field(ge=0, le=1)]


class Standard(Options):
    """Crop, flip, rotation and light, as suits most photographs.

    The crop and its scaling are one resampling; a rotation is a second one, on
    the pictures that get it.
    """

    area: tuple[Annotated[float, Field(gt=0, le=1)], Annotated[float, Field(gt=0, le=1)]] = Field(
        (0.4, 1.0), description="least and greatest share of the picture that a crop keeps"
    )
    stretch: Annotated[float, Field(ge=1, le=4)] = Field(
        4 / 3, description="how far a crop's aspect ratio may differ, as a factor"
    )
    flip: Share = Field(0.5, description="probability of a left-right flip")
    flip_vertical: Share = Field(0.0, description="probability of an upside-down flip")
    rotate: Annotated[float, Field(ge=0, le=180)] = Field(10.0, description="degrees, either way")
    rotate_share: Share = Field(0.5, description="probability of a rotation")
    light: Share = Field(0.2, description="greatest change of brightness and contrast")

    @model_validator(mode="after")
    def _ordered(self) -> Standard:
        if self.area[0] > self.area[1]:
            raise ValueError(f"found area {list(self.area)}, expected the smaller share first")
        return self

    def transforms(self, height: int, width: int, interpolation: int) -> list[Any]:
        """See `kitbox.contracts.Augmentation`."""
        A = albumentations()  # noqa: N806  as the field writes it
        import cv2

        ratio = width / height
        steps: list[Any] = [
            A.RandomResizedCrop(
                size=(height, width),
                scale=self.area,
                ratio=(ratio / self.stretch, ratio * self.stretch),
                interpolation=interpolation,
            )
        ]
        if self.flip:
            steps.append(A.HorizontalFlip(p=self.flip))
        if self.flip_vertical:
            steps.append(A.VerticalFlip(p=self.flip_vertical))
        if self.rotate and self.rotate_share:
            steps.append(
                A.Rotate(
                    limit=self.rotate,
                    interpolation=cv2.INTER_LINEAR,
                    border_mode=cv2.BORDER_REFLECT_101,
                    p=self.rotate_share,
                )
            )
        if self.light:
            steps.append(
                A.RandomBrightnessContrast(
                    brightness_limit=self.light, contrast_limit=self.light, p=0.75
                )
            )
        return steps


class Nothing(Options):
    """No variation: every epoch sees the pictures as validation does (the middle crop)."""

    def transforms(self, height: int, width: int, interpolation: int) -> list[Any]:
        """See `kitbox.contracts.Augmentation`; an empty list means the evaluation geometry."""
        return []


def keep_points_single(transform: Any) -> None:
    """Move points once where a border reflects: albumentations would add their reflections.

    Args:
        transform: of albumentations, a Compose say; it is changed, with those inside it.
    """
    import cv2

    for inner in getattr(transform, "transforms", ()):
        keep_points_single(inner)
    handlers = getattr(transform, "_key2func", {})
    if "keypoints" not in handlers or not hasattr(transform, "border_mode"):
        return
    move = handlers["keypoints"]

    def once(points: Any, **params: Any) -> Any:
        kept, transform.border_mode = transform.border_mode, cv2.BORDER_CONSTANT
        try:
            return move(points, **params)
        finally:
            transform.border_mode = kept

    handlers["keypoints"] = once


def albumentations() -> Any:
    """The module; told first not to ask the network for updates when it is imported."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import albumentations

    return albumentations
