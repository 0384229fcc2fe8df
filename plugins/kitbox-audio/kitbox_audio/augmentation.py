"""An augmentation of log-mel pictures."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from kitbox import Options

Share = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=0, le=20)]


class Spectrogram(Options):
    """Some times and some frequencies are blacked out; nothing is mirrored or turned.

    Park et al., "SpecAugment: A Simple Data Augmentation Method for Automatic Speech
    Recognition", 2019, without its time warping, which that paper found to matter least.
    """

    times: Count = Field(2, description="masks of times")
    time: Share = Field(0.2, description="the greatest share of the time that one covers")
    frequencies: Count = Field(2, description="masks of frequencies")
    frequency: Share = Field(0.15, description="the greatest share of the bands that one covers")

    def transforms(self, height: int, width: int, interpolation: int) -> list[Any]:
        """All of the picture, scaled, then the masks."""
        import albumentations

        scaled = albumentations.Resize(height, width, interpolation=interpolation)
        across, down = int(self.time * width), int(self.frequency * height)
        masks = [
            albumentations.XYMasking(
                num_masks_x=(0, count_x),
                num_masks_y=(0, count_y),
                mask_x_length=(1, max(1, across)),
                mask_y_length=(1, max(1, down)),
                fill=0,
                p=1.0,
            )
            for count_x, count_y in [(self.times * bool(across), self.frequencies * bool(down))]
            if count_x or count_y
        ]
        return [scaled, *masks]
