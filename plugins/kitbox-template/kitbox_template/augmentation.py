"""An augmentation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from kitbox import Options

if TYPE_CHECKING:
    import numpy as np

    from kitbox import Warp


class TemplateAugmentation(Options):
    """Some pictures are mirrored; all are scaled to the size asked for."""

    share: Annotated[float, Field(ge=0, le=1)] = Field(0.5, description="of mirrored pictures")

    def transforms(
        self, height: int, width: int, interpolation: int
    ) -> Callable[[np.random.Generator, tuple[int, int]], Warp]:
        """A function that draws the warp of a picture; masks and points go the same way."""
        import numpy as np

        from kitbox import Warp

        def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Warp:
            x, y = shape[1] / width, shape[0] / height
            # From the result's pixels to the picture's; (0, 0) is the middle of a pixel.
            matrix = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])
            if rng.random() < self.share:
                matrix = matrix @ np.array([[-1, 0, width - 1], [0, 1, 0], [0, 0, 1]])
            return Warp(matrix)

        return draw
