"""A source of recordings, as pictures."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from kitbox import Options, derived_name, list_files, make_folder
from kitbox.errors import SourceError, some, storage
from kitbox_audio.names import pictures

if TYPE_CHECKING:
    import numpy as np

VERSION = 2
"""Of the pictures; another makes all of them anew."""
BROKEN = "kitbox_broken_recordings.csv"


class Recordings(Options):
    """WAV files below a folder as log-mel pictures; all other files beside them, as they are.

    `train/a.wav` becomes `train/a.png`: a row of pixels for each band, high tones above, a
    column for each hop. Where another file would have that name it is `train/a.wav.png`. A
    recording that cannot be read becomes an empty file, which kitbox treats as a broken picture,
    and has a line in `kitbox_broken_recordings.csv`.
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
        None, description="greatest frequency, in Hz; by default, and at most, half of `rate`"
    )
    seconds: Annotated[float, Field(gt=0, le=86_400)] | None = Field(
        None, description="longer recordings are cut and shorter ones get silence; by default not"
    )
    decibels: Annotated[float, Field(gt=0, le=200)] = Field(
        80.0, description="from the loudest place, white, to black"
    )
    keep_suffix: bool = Field(
        False,
        description="`a.wav` becomes `a.wav.png`, for samples whose ids end with `.wav`",
    )

    @model_validator(mode="after")
    def _fit(self) -> Recordings:
        half = self.rate / 2
        high = self.high if self.high is not None else half
        if high > half:
            raise ValueError(f"found `high` {high:g}, expected at most half of `rate`, {half:g}")
        if self.low >= high:
            raise ValueError(f"found `low` {self.low:g}, expected less than `high`, {high:g}")
        for name, least in (("window", 2), ("hop", 1)):
            if (found := self._samples(name)) < least:
                raise ValueError(
                    f"found `{name}` {getattr(self, name):g}, which is {found} samples, expected "
                    f"{least} or more"
                )
        return self

    def find(self, cache: Path) -> Path | None:
        """The folder of pictures, if it was made before."""
        folder = self._folder(cache)
        return folder if folder.is_dir() else None

    def fetch(self, cache: Path) -> Path:
        """The folder of pictures, made now unless it is there.

        Raises:
            SourceError: when there is no such folder, no recording that can be read, or a file
                in the way of a picture.
        """
        return make_folder(self._folder(cache), self._write)

    def _folder(self, cache: Path) -> Path:
        """Named by the files and the options that the pictures depend on."""
        options = self.model_dump(mode="json", exclude={"path"})
        return cache / "recordings" / derived_name(self.path, VERSION, options)

    def _write(self, folder: Path) -> None:
        from PIL import Image

        root = self.path.expanduser()
        names = list_files(self.path)
        made = pictures(names, self.keep_suffix)
        self._refuse({*made.values(), *(f"{name}.png" for name in made), BROKEN} & set(names))
        broken: list[tuple[str, str]] = []
        with storage(folder, "writing pictures of recordings below"):
            for name in names:
                place = folder / made.get(name, name)
                place.parent.mkdir(parents=True, exist_ok=True)
                if name not in made:
                    shutil.copyfile(root / name, place)
                    continue
                try:
                    picture = self._picture(root / name)
                except ValueError as error:
                    broken.append((name, str(error)))
                    place.touch()
                else:
                    Image.fromarray(picture).save(place)
            if broken:
                with (folder / BROKEN).open("w", newline="", encoding="utf-8") as file:
                    csv.writer(file).writerows([("recording", "reason"), *broken])
        if len(broken) == len(made):
            raise SourceError(
                f"There are no WAV files that can be read below {root}",
                found=some(f"{name} ({why})" for name, why in broken) or _suffixes(names),
                do="Correct `path`, or convert the recordings to WAV",
            )

    def _refuse(self, taken: set[str]) -> None:
        """Files of the user's that a picture, or our list, would be mistaken for."""
        if taken:
            raise SourceError(
                f"There are files below {self.path} with names that this source gives",
                found=some(sorted(taken)),
                do="Rename them",
            )

    def _samples(self, name: str) -> int:
        return round(getattr(self, name) * self.rate)

    def _picture(self, file: Path) -> np.ndarray:
        """The picture of one recording.

        Raises:
            ValueError: when it cannot be read.
        """
        from kitbox_audio.sound import of_length, read
        from kitbox_audio.spectrum import log_mel

        sound = read(file, self.rate)
        if self.seconds is not None:
            sound = of_length(sound, round(self.seconds * self.rate))
        return log_mel(
            sound,
            self.rate,
            bands=self.bands,
            window=self._samples("window"),
            hop=self._samples("hop"),
            low=self.low,
            high=self.high if self.high is not None else self.rate / 2,
            decibels=self.decibels,
        )


def _suffixes(names: list[str]) -> str:
    """Which files there are, by their suffixes, for a message."""
    found = sorted({Path(name).suffix or Path(name).name for name in names})
    return f"files that end with {some(found)}" if found else "no files"
