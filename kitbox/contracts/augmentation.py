"""How training pictures are varied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from kitbox.data.warp import Draw


class Augmentation(Protocol):
    """How a training picture is varied."""

    def transforms(self, height: int, width: int, interpolation: int) -> list[Any] | Draw:
        """albumentations transforms from a picture of any size to (height, width).

        They get a uint8 picture (H', W', C) from the pixel cache and end with a
        uint8 picture (height, width, C). `interpolation` is OpenCV's constant
        that suits the backbone's weights. Validation and test pictures never
        come here. No transforms ([]) means: as in validation.

        Or a function `draw(rng, shape)` that gives the `kitbox.Warp` of a picture of
        `shape` (h, w): one matrix and one multiply-add, which an accelerator does for
        a batch at a time.
        """
