"""Augmentations: how a training picture is varied, once, on cached pixels."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, model_validator

from kitbox.data.pipelines import albumentations
from kitbox.errors import nearest
from kitbox.options import Options

if TYPE_CHECKING:
    import numpy as np

    from kitbox.data.warp import Draw, Warp

Share = Annotated[float, Field(ge=0, le=1)]
Part = Annotated[float, Field(gt=0, le=1)]
Area = Annotated[
    tuple[Part, Part],
    Field(description="least and greatest share of the picture that a crop keeps"),
]
Stretch = Annotated[
    float, Field(ge=1, le=4, description="how far a crop's aspect ratio may differ, as a factor")
]
Flip = Annotated[Share, Field(description="probability of a left-right flip")]
FlipVertical = Annotated[Share, Field(description="probability of an upside-down flip")]
Degrees = Annotated[float, Field(ge=0, le=180, description="degrees of rotation, either way")]
RotateShare = Annotated[Share, Field(description="probability of a rotation")]
Zoom = Annotated[
    float, Field(ge=1, le=4, description="greatest enlargement, besides the crop's own")
]
Tilt = Annotated[
    float,
    Field(ge=0, le=0.9, description="greatest tilt of the view, as a share; fast.ai takes 0.2"),
]
LightChange = Annotated[Share, Field(description="greatest change of brightness and contrast")]
LightShare = Annotated[Share, Field(description="probability of a change of light")]


class Standard(Options):
    """Crop, flip, rotation, zoom, tilt and light, as suits most photographs.

    All of it is one resampling of a picture, and one multiply-add of its values.
    """

    area: Area = (0.4, 1.0)
    stretch: Stretch = 4 / 3
    flip: Flip = 0.5
    flip_vertical: FlipVertical = 0.0
    rotate: Degrees = 10.0
    rotate_share: RotateShare = 0.5
    zoom: Zoom = 1.0
    warp: Tilt = 0.0
    light: LightChange = 0.2
    light_share: LightShare = 0.75

    @model_validator(mode="after")
    def _ordered(self) -> Standard:
        if self.area[0] > self.area[1]:
            raise ValueError(f"found area {list(self.area)}, expected the smaller share first")
        return self

    def transforms(self, height: int, width: int, interpolation: int) -> Draw:
        """See `kitbox.contracts.Augmentation`."""
        from kitbox.data.warp import Warp

        def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Warp:
            matrix = self._crop(rng, shape, (height, width)) @ self._turn(rng, height, width)
            return Warp(matrix, *self._light(rng))

        return draw

    def _crop(
        self, rng: np.random.Generator, shape: tuple[int, int], size: tuple[int, int]
    ) -> np.ndarray:
        """From the result's pixels to those of a part of the picture (3, 3).

        As the crops of Szegedy and others, "Going deeper with convolutions", 2015. Where no
        part of the drawn aspect ratio is as large as `area` asks for, it is the largest one.
        """
        from kitbox.data.warp import scaling, shifting

        a, b, c, d = rng.random(4).tolist()
        aspect = size[1] / size[0] * self.stretch ** (2 * a - 1)
        most = min(shape[0], shape[1] / aspect)  # the height of the largest that fits in
        least, greatest = (min(most**2 * aspect, part * shape[0] * shape[1]) for part in self.area)
        h = math.sqrt((least + b * (greatest - least)) / aspect)
        w = h * aspect
        top, left = c * max(0, shape[0] - h), d * max(0, shape[1] - w)
        return shifting(left, top) @ scaling(w / size[1], h / size[0])

    def _turn(self, rng: np.random.Generator, height: int, width: int) -> np.ndarray:
        """Flips, rotation, zoom and tilt about the middle of the result (3, 3)."""
        import numpy as np

        from kitbox.data.warp import shifting

        flip, flip_vertical, rotate, degrees, zoom, across, down = rng.random(7).tolist()
        matrix = np.eye(3)
        if self.rotate and rotate < self.rotate_share:
            angle = math.radians((2 * degrees - 1) * self.rotate)
            cos, sin = math.cos(angle), math.sin(angle)
            matrix[:2, :2] = (cos, -sin), (sin, cos)
        if flip < self.flip:
            matrix[:, 0] *= -1
        if flip_vertical < self.flip_vertical:
            matrix[:, 1] *= -1
        if self.zoom > 1:
            matrix[:2] /= 1 + zoom * (self.zoom - 1)
        if self.warp:
            x, y = (2 * across - 1) * self.warp / width, (2 * down - 1) * self.warp / height
            matrix = np.array([[1, 0, 0], [0, 1, 0], [x, y, 1]]) @ matrix
        x, y = (width - 1) / 2, (height - 1) / 2
        return shifting(x, y) @ matrix @ shifting(-x, -y)

    def _light(self, rng: np.random.Generator) -> tuple[float, float]:
        """Gain and shift of values 0..255: a factor for all of them, then brightness."""
        share, brightness, factor = rng.random(3).tolist()
        if not self.light or share >= self.light_share:
            return 1.0, 0.0
        return 1 + (2 * factor - 1) * self.light, 255 * (2 * brightness - 1) * self.light


class Light(Standard):
    """Little: most of the picture, small turns, for sets in which details matter."""

    area: Area = (0.8, 1)
    stretch: Stretch = 1.1
    rotate: Degrees = 5.0
    light: LightChange = 0.1


class Heavy(Standard):
    """Much: small crops, turns, zoom and tilt, for long trainings and few pictures."""

    area: Area = (0.2, 1)
    rotate: Degrees = 20.0
    rotate_share: RotateShare = 0.75
    zoom: Zoom = 1.2
    warp: Tilt = 0.2
    light: LightChange = 0.4


class Satellite(Standard):
    """Seen from above: no side is up."""

    flip_vertical: FlipVertical = 0.5
    rotate: Degrees = 180.0
    rotate_share: RotateShare = 0.5


class Document(Standard):
    """Writing: never mirrored, hardly cropped, tilted a little."""

    area: Area = (0.9, 1)
    stretch: Stretch = 1.1
    flip: Flip = 0.0
    rotate: Degrees = 3.0
    warp: Tilt = 0.1


class Nothing(Options):
    """No variation: every epoch sees the pictures as validation does (the middle crop)."""

    def transforms(self, height: int, width: int, interpolation: int) -> list[Any]:
        """See `kitbox.contracts.Augmentation`; an empty list means the evaluation geometry."""
        return []


class Albumentations(Options):
    """Any albumentations transforms, by name, one after the other."""

    steps: tuple[str | dict[str, dict[str, Any]], ...] = Field(
        description="as in [{RandomCrop: {height: 96, width: 96}}, HorizontalFlip]; a resize to "
        "the size that the network sees is added at the end",
        min_length=1,
    )

    @model_validator(mode="after")
    def _known(self) -> Albumentations:
        for step in self.steps:
            self._make(step)
        return self

    def transforms(self, height: int, width: int, interpolation: int) -> list[Any]:
        """See `kitbox.contracts.Augmentation`."""
        resize = albumentations().Resize(height, width, interpolation=interpolation)
        return [*map(self._make, self.steps), resize]

    def _make(self, step: str | dict[str, dict[str, Any]]) -> Any:
        A = albumentations()  # noqa: N806  as the field writes it
        if isinstance(step, dict) and len(step) != 1:
            raise ValueError(f"found {step}, expected one transform a step, as in {{Blur: {{}}}}")
        name, options = (step, {}) if isinstance(step, str) else next(iter(step.items()))
        kind = getattr(A, name, None)
        if not (isinstance(kind, type) and issubclass(kind, A.BasicTransform)):
            known = [
                one
                for one, what in vars(A).items()
                if isinstance(what, type) and issubclass(what, A.BasicTransform)
            ]
            raise ValueError(f"albumentations has no transform {name!r}. {nearest(name, known)}")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # so it tells of options that it does not know
                return kind(**options)
        except Exception as error:
            raise ValueError(f"{name} refuses its options: {error}") from error
