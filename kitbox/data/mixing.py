"""Mixing: pictures of a batch blended, or cut into one another, and their losses with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from kitbox.options import Options

if TYPE_CHECKING:
    import torch

Strength = Annotated[float, Field(ge=0, le=10)]


class Mix(Options):
    """MixUp and CutMix of the pictures of a batch, whatever the task.

    A picture's loss is the sum of its own and its partner's, weighted by their shares. After
    Zhang and others, "mixup: Beyond Empirical Risk Minimization", 2018, and Yun and others,
    "CutMix", 2019.
    """

    mixup: Strength = Field(0.0, description="alpha of the Beta distribution of blends; 0: none")
    cutmix: Strength = Field(0.0, description="alpha of the Beta distribution of areas; 0: none")
    share: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="probability that a batch is mixed"
    )

    @model_validator(mode="after")
    def _something(self) -> Mix:
        if not (self.mixup or self.cutmix):
            raise ValueError("expected `mixup`, `cutmix` or both above 0")
        return self

    def told(self) -> str:
        """What is done to pictures, in words.

        >>> Mix(mixup=0.4, share=0.5).told()
        'mixup 0.4, of 50% of the batches'
        """
        how = {"mixup": self.mixup, "cutmix": self.cutmix}
        names = " or ".join(f"{name} {alpha:g}" for name, alpha in how.items() if alpha)
        return f"{names}, of {'all' if self.share == 1 else f'{self.share:.0%} of the'} batches"

    def apply(self, images: torch.Tensor, seed: Sequence[int]) -> tuple[torch.Tensor, float]:
        """The batch (B, C, H, W) mixed with itself in reverse, and the share of its own.

        Picture b's partner is picture B - 1 - b. The given batch is left as it is.
        """
        import numpy as np

        rng = np.random.default_rng(seed)
        if rng.random() >= self.share:
            return images, 1.0
        cuts = self.cutmix and (not self.mixup or rng.random() < 0.5)
        alpha = self.cutmix if cuts else self.mixup
        own = float(rng.beta(alpha, alpha))
        if not cuts:
            return images.lerp(images.flip(0), 1 - own), own
        height, width = images.shape[-2:]
        h, w = (round(side * (1 - own) ** 0.5) for side in (height, width))
        top, left = rng.integers(0, (height - h + 1, width - w + 1)).tolist()
        mixed = images.clone()
        part = (..., slice(top, top + h), slice(left, left + w))
        mixed[part] = images.flip(0)[part]
        return mixed, 1 - h * w / (height * width)
