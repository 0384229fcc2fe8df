"""A source of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from kitbox import Options, make_folder
from kitbox.errors import storage

COLOURS = {"red": (220, 40, 40), "green": (40, 200, 60), "blue": (50, 70, 230)}


class TemplateSource(Options):
    """Squares of one colour each, laid out as a competition."""

    pictures: Annotated[int, Field(ge=12, le=10_000)] = Field(60, description="how many in all")

    def find(self, cache: Path) -> Path | None:
        """The folder, if it was made before; does no work."""
        folder = self._folder(cache)
        return folder if folder.is_dir() else None

    def fetch(self, cache: Path) -> Path:
        """The folder, made now unless it is there; `make_folder` makes it whole or not at all."""
        return make_folder(self._folder(cache), self._write)

    def _folder(self, cache: Path) -> Path:
        return cache / f"template-{self.pictures}"  # another folder for other options

    def _write(self, folder: Path) -> None:
        import numpy as np
        from PIL import Image

        rng = np.random.default_rng(0)
        names = sorted(COLOURS)
        with storage(folder, "writing squares below"):  # a full disk becomes a StorageError
            for part in ("train", "test"):
                (folder / part).mkdir()
            rows = ["id,colour"]
            for number in range(self.pictures):
                name = names[number % len(names)]
                noise = rng.integers(-30, 30, (24, 32, 3))
                square = np.clip(np.array(COLOURS[name]) + noise, 0, 255).astype(np.uint8)
                if number % 5:
                    place = folder / "train" / f"{name}_{number:04d}.png"
                else:
                    place = folder / "test" / f"{number:04d}.png"
                    rows.append(f"{number:04d},red")
                Image.fromarray(square).save(place)
            (folder / "sample_submission.csv").write_text("\n".join(rows) + "\n")
