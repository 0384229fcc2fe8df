"""Tables and pictures, for the tests of reports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from kitbox.data import pixels


def table(images: list[str], **columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"id": images, "image": images, **columns})


def photo(seed: int, height: int, width: int) -> Image.Image:
    small = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def decoded(folder: Path, names: list[str]) -> pixels.Pixels:
    return pixels.load(folder, names, side=64, channels=3, cache=None, workers=1)
