"""The source that needs no network: scikit-learn's handwritten digits as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from kitbox.errors import storage
from kitbox.options import Options
from kitbox.sources.whole import make_folder

_ALL, _TRAIN = 1797, 1500


class Digits(Options):
    """Handwritten digits, 8x8 pixels, grey, laid out as a competition.

    `train/<digit>/NNNN.png`, `test/NNNN.png` and `sample_submission.csv` with
    the columns `id` (the stem of a test picture) and `label` (0 everywhere). The
    first five sixths (1500 of 1797) are for training.
    """

    pictures: Annotated[int, Field(ge=100, le=_ALL)] = Field(
        _ALL, description="how many of the 1797, from the first on"
    )

    def find(self, cache: Path) -> Path | None:
        """The folder of pictures below `cache`, or None."""
        folder = self._folder(cache)
        return folder if folder.is_dir() else None

    def fetch(self, cache: Path) -> Path:
        """Write the pictures, unless they are there, and return their folder.

        Raises:
            StorageError: when the disk is full or the folder cannot be written.
        """
        return make_folder(self._folder(cache), self._write)

    def _folder(self, cache: Path) -> Path:
        name = "digits" if self.pictures == _ALL else f"digits-{self.pictures}"
        return cache / name

    def _write(self, folder: Path) -> None:
        import numpy as np
        from PIL import Image
        from sklearn.datasets import load_digits

        digits = load_digits()
        # The values are 0..16; in steps of 255/16 they fill a byte and can be told apart.
        pixels = np.rint(digits.images[: self.pictures] * (255 / 16)).astype(np.uint8)
        train = self.pictures * _TRAIN // _ALL
        rows = ["id,label"]
        with storage(folder, "writing digits below"):
            (folder / "test").mkdir()
            for digit in sorted(set(digits.target[:train].tolist())):
                (folder / "train" / str(digit)).mkdir(parents=True)
            for number, picture in enumerate(pixels):
                name = f"{number:04d}"
                place = (
                    Path("train", str(digits.target[number])) if number < train else Path("test")
                )
                Image.fromarray(picture).save(folder / place / f"{name}.png")
                if number >= train:
                    rows.append(f"{name},0")
            (folder / "sample_submission.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
