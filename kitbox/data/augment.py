"""Augmentations: how a training picture is varied, once, on cached pixels."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
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


def compose(steps: Sequence[Any], pipeline: Mapping[str, Any]) -> Any:
    """One albumentations pipeline of some transforms, for one thread.

    Where a border is filled by reflection, albumentations reflects points too: nine
    come out where one went in. Here a point stays one.

    Args:
        pipeline: arguments of Compose, as targets need them.
    """
    made = albumentations().Compose(list(steps), **pipeline)
    if "keypoint_params" in pipeline:
        for step in _flat(made):
            if hasattr(step, "border_mode") and hasattr(step, "apply_to_keypoints"):
                step.apply_to_keypoints = _unreflected(step, step.apply_to_keypoints)
                step._set_keys()  # a transform looked its methods up when it was made
    return made


def _flat(step: Any) -> Iterator[Any]:
    """A transform and those that it holds."""
    yield step
    for inner in getattr(step, "transforms", ()):
        yield from _flat(inner)


def _unreflected(step: Any, apply: Callable[..., Any]) -> Callable[..., Any]:
    """What a transform does to points as if its border were filled with a constant."""
    import cv2

    def moved(*args: Any, **kwargs: Any) -> Any:
        kept, step.border_mode = step.border_mode, cv2.BORDER_CONSTANT
        try:
            return apply(*args, **kwargs)
        finally:
            step.border_mode = kept

    return moved


def albumentations() -> Any:
    """The module; told first not to ask the network for updates when it is imported."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import albumentations

    return albumentations
