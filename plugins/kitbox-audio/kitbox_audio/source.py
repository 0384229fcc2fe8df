"""A source of recordings, as pictures."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from kitbox import Options, make_folder
from kitbox.errors import SourceError, nearest, some, storage

if TYPE_CHECKING:
    import numpy as np

VERSION = 1
"""Of the pictures; another makes all of them anew."""
BROKEN = "broken_recordings.csv"


class Recordings(Options):
    """WAV files below a folder as log-mel pictures; all other files beside them, as they are.

    `train/a.wav` becomes `train/a.png`: a row of pixels for each band, high tones above, a
    column for each hop. A recording that cannot be read has no picture and a line in
    `broken_recordings.csv`, and kitbox treats it as it treats broken pictures.
    """

    path: Path = Field(description="the folder; a relative path starts at the working folder")
    rate: Annotated[int, Field(ge=1000, le=192_000)] = Field(
        16_000, description="samples a second; recordings with others are resampled"
    )
    bands: Annotated[int, Field(ge=8, le=512)] = Field(64, description="the pictures' height")
    window: Annotated[float, Field(gt=0, le=1)] = Field(0.025, description="in seconds")
    hop: Annotated[float, Field(gt=0, le=1)] = Field(0.010, description="in seconds, a column")
    low: Annotated[float, Field(ge=0)] = Field(20.0, description="least frequency, in Hz")
    high: Annotated[float, Field(gt=0)] | None = Field(
        None, description="greatest frequency, in Hz; by default half of `rate`"
    )
    seconds: Annotated[float, Field(gt=0)] | None = Field(
        None, description="longer recordings are cut and shorter ones get silence; by default not"
    )
    decibels: Annotated[float, Field(gt=0, le=200)] = Field(
        80.0, description="from the loudest place, white, to black"
    )

    def find(self, cache: Path) -> Path | None:
        """The folder of pictures, if it was made before."""
        folder = self._folder(cache)
        return folder if folder.is_dir() else None

    def fetch(self, cache: Path) -> Path:
        """The folder of pictures, made now unless it is there.

        Raises:
            SourceError: when there is no such folder, or no recording that can be read.
        """
        return make_folder(self._folder(cache), self._write)

    def _files(self) -> list[tuple[str, os.stat_result]]:
        """Every file below the folder that is not hidden, sorted, and what is known of it."""
        root = self.path.expanduser()
        if not root.is_dir():
            near = [one.name for one in root.parent.iterdir()] if root.parent.is_dir() else []
            raise SourceError(
                f"There is no folder of recordings at {root}",
                do=nearest(root.name, near) or "Correct `path`",
            )
        found = sorted(path for path in root.rglob("*") if path.is_file())
        relative = [(path.relative_to(root), path) for path in found]
        return [
            (name.as_posix(), path.stat())
            for name, path in relative
            if not any(part.startswith(".") for part in name.parts)
        ]

    def _folder(self, cache: Path) -> Path:
        """Named by the files and the options that the pictures depend on."""
        files = [(name, stat.st_size, stat.st_mtime_ns) for name, stat in self._files()]
        options = self.model_dump(mode="json", exclude={"path"})
        facts = json.dumps([VERSION, options, files], sort_keys=True)
        key = hashlib.blake2b(facts.encode(), digest_size=8).hexdigest()
        return cache / "recordings" / f"{self.path.name}-{key}"

    def _write(self, folder: Path) -> None:
        from PIL import Image

        root = self.path.expanduser()
        broken: list[tuple[str, str]] = []
        made = 0
        with storage(folder, "writing pictures of recordings below"):
            for name, _ in self._files():
                place = folder / name
                place.parent.mkdir(parents=True, exist_ok=True)
                if place.suffix.lower() != ".wav":
                    shutil.copyfile(root / name, place)
                    continue
                try:
                    picture = self._picture(root / name)
                except (ValueError, EOFError) as error:  # what scipy says of damaged files
                    broken.append((name, str(error) or type(error).__name__))
                    continue
                Image.fromarray(picture).save(place.with_suffix(".png"))
                made += 1
            if broken:
                with (folder / BROKEN).open("w", newline="", encoding="utf-8") as file:
                    csv.writer(file).writerows([("recording", "reason"), *broken])
        if not made:
            raise SourceError(
                f"There are no WAV files that can be read below {root}",
                found=some(f"{name} ({why})" for name, why in broken) or "no WAV files",
                do="Correct `path`, or convert the recordings to WAV",
            )

    def _picture(self, file: Path) -> np.ndarray:
        """The picture of one recording."""
        from kitbox_audio.spectrum import log_mel

        sound = read(file, self.rate)
        if self.seconds is not None:
            sound = _of_length(sound, round(self.seconds * self.rate))
        return log_mel(
            sound,
            self.rate,
            bands=self.bands,
            window=max(2, round(self.window * self.rate)),
            hop=max(1, round(self.hop * self.rate)),
            low=self.low,
            high=self.high or self.rate / 2,
            decibels=self.decibels,
        )


def read(file: Path, rate: int) -> np.ndarray:
    """A WAV file as sound (N,) float64 from -1 to 1, channels averaged, at `rate`.

    Raises:
        ValueError: when it cannot be read, or is empty.
    """
    import numpy as np
    from scipy.io import wavfile
    from scipy.signal import resample_poly

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wavfile.WavFileWarning)  # chunks that are not sound
        own, values = wavfile.read(file)
    if not values.size:
        raise ValueError("it holds no sound")
    sound = _to_unit(values)
    sound = sound.mean(axis=1) if sound.ndim > 1 else sound
    if own != rate:
        common = int(np.gcd(own, rate))
        sound = resample_poly(sound, rate // common, own // common)
    return sound


def _to_unit(values: np.ndarray) -> np.ndarray:
    """Samples of any kind as floats from -1 to 1."""
    import numpy as np

    kinds: dict[str, Any] = {"u": lambda v: (v - 128) / 128, "f": lambda v: v}
    whole = values.astype(np.float64)
    if values.dtype.kind in kinds:
        return kinds[values.dtype.kind](whole)
    return whole / -float(np.iinfo(values.dtype).min)


def _of_length(sound: np.ndarray, length: int) -> np.ndarray:
    import numpy as np

    return np.pad(sound[:length], (0, max(0, length - len(sound))))
