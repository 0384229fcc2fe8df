"""Made-up pictures, and tables of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

SHAPES = ((40, 64), (64, 40), (48, 48))
"""Height and width of made-up pictures, in turn: landscape, portrait, square."""


def picture(height: int, width: int, seed: int = 0, channels: int = 3) -> np.ndarray:
    """A picture (height, width, channels) uint8: a soft pattern, the same for the same seed."""
    import numpy as np

    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / max(height, width)
    planes = []
    for _ in range(channels):
        across, down, phase = rng.uniform(-9, 9, 3)
        planes.append(127.5 + 127.5 * np.sin(across * x + down * y + phase))
    return np.stack(planes, axis=-1).round().astype(np.uint8)


def write_picture(path: Path, height: int = 40, width: int = 64, seed: int = 0) -> None:
    """Write a made-up picture as a file; its folder is made, its suffix says the format."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(height, width, seed)).save(path)


def labelled(
    folder: Path, labels: Mapping[str, Sequence[Any]], valid: int = 3, suffix: str = ".png"
) -> pd.DataFrame:
    """Write a picture per label and give the labelled rows, as a task's `learn` gets them.

    Columns are `id`, `image`, `part` and those of `labels`; every `valid`-th row validates.

    >>> labelled(Path("x"), {"grade": [0, 1, 2]})  # doctest: +SKIP
    """
    import pandas as pd

    count = len(next(iter(labels.values())))
    ids = [f"{number:04d}" for number in range(count)]
    images = [f"pictures/{one}{suffix}" for one in ids]
    for number, image in enumerate(images):
        height, width = SHAPES[number % len(SHAPES)]
        write_picture(folder / image, height, width, number)
    parts = ["valid" if number % valid == valid - 1 else "train" for number in range(count)]
    return pd.DataFrame(
        {"id": ids, "image": images, "part": parts, **{k: list(v) for k, v in labels.items()}}
    )
