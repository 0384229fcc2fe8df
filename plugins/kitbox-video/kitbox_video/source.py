"""A source of films, as pictures."""

from __future__ import annotations

import csv
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from kitbox import Options, derived_name, list_files, make_folder
from kitbox.errors import SourceError, some, storage
from kitbox_video.names import SUFFIXES, folders

if TYPE_CHECKING:
    import numpy as np

VERSION = 2
"""Of the frames; another takes all of them anew."""
USUAL = 25.0
"""Frames a second of a film that does not say."""
BROKEN, FRAMES = "kitbox_broken_films.csv", "kitbox_frames.csv"


class Films(Options):
    """Frames of films below a folder, as pictures; all other files beside them, as they are.

    `train/run/a.mp4` becomes the folder `train/run/a` of pictures called by the number of
    their frame, `000012.jpg`; `train/run/a.mp4` where something else has that name.
    `kitbox_frames.csv` lists every picture with its film and second. A film that cannot be
    read has an empty file for a picture, which kitbox treats as a broken one, and a line in
    `kitbox_broken_films.csv`.
    """

    path: Path = Field(description="the folder; a relative path starts at the working folder")
    frames: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        None, description="of a film, evenly over its length; by default 8, unless `every` is given"
    )
    every: Annotated[float, Field(gt=0, le=86_400)] | None = Field(
        None, description="seconds from one frame to the next, instead of `frames`"
    )
    side: Annotated[int, Field(ge=16, le=8192)] | None = Field(
        None, description="the longer side of larger frames is scaled to it; by default none is"
    )

    @model_validator(mode="after")
    def _one_of(self) -> Films:
        if self.frames is not None and self.every is not None:
            raise ValueError("found `frames` and `every`, expected one of them")
        return self

    def find(self, cache: Path) -> Path | None:
        """The folder of pictures, if it was made before."""
        folder = self._folder(cache)
        return folder if folder.is_dir() else None

    def fetch(self, cache: Path) -> Path:
        """The folder of pictures, made now unless it is there.

        Raises:
            SourceError: when there is no such folder, no film that can be read, or a file with
                the name of one of the lists.
        """
        return make_folder(self._folder(cache), self._write)

    def _folder(self, cache: Path) -> Path:
        """Named by the files and the options that the pictures depend on."""
        options = self.model_dump(mode="json", exclude={"path"})
        return cache / "films" / derived_name(self.path, VERSION, options)

    def _write(self, folder: Path) -> None:
        root = self.path.expanduser()
        names = list_files(self.path)
        places = folders(names)
        if taken := sorted({BROKEN, FRAMES} & set(names)):
            raise SourceError(
                f"There are files in {self.path} with names that this source gives",
                found=some(taken),
                do="Rename them",
            )
        broken: list[tuple[str, str]] = []
        rows: list[tuple[str, str, str]] = []
        with storage(folder, "writing frames below"):
            for name in names:
                place = folder / places.get(name, name)
                if name not in places:
                    place.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(root / name, place)
                    continue
                place.mkdir(parents=True)
                taken_before = len(rows)
                for number, second, frame in self._frames(root / name):
                    image = f"{places[name]}/{number:06d}.jpg"
                    (folder / image).write_bytes(_jpeg(frame))
                    rows.append((image, name, f"{second:.3f}"))
                if len(rows) == taken_before:
                    broken.append((name, "no frame could be read"))
                    (place / f"{0:06d}.jpg").touch()
            _table(folder / FRAMES, ("image", "film", "second"), rows)
            if broken:
                _table(folder / BROKEN, ("film", "reason"), broken)
        if not rows:
            raise SourceError(
                f"There are no films that can be read below {root}",
                found=some(f"{name} ({why})" for name, why in broken) or "no films",
                do=f"Correct `path`; films end with {', '.join(SUFFIXES)}",
            )

    def _frames(self, file: Path) -> Iterator[tuple[int, float, np.ndarray]]:
        """Number, second and pixels (h, w, 3), blue first, of the frames that are taken.

        Frames are read one after another: jumping in a film lands where its key frames are.
        """
        import cv2

        film = cv2.VideoCapture(str(file))
        try:
            rate = film.get(cv2.CAP_PROP_FPS)
            rate = rate if math.isfinite(rate) and rate > 0 else USUAL
            chosen = self._chosen(int(film.get(cv2.CAP_PROP_FRAME_COUNT)), rate)
            number = 0
            for wanted in chosen:
                while number < wanted and film.grab():
                    number += 1
                there, frame = film.read()
                if not there:
                    return
                yield number, number / rate, self._scaled(frame)
                number += 1
        finally:
            film.release()

    def _chosen(self, count: int, rate: float) -> Iterator[int]:
        """The numbers of the frames to take, from 0 on, ascending, of `count` frames.

        Of a stream that does not say its length (count below 1) it is a frame a second.
        """
        if self.every is None and count > 0:
            wanted = min(self.frames or 8, count)
            # The middle of each of as many equal parts.
            yield from ((2 * place + 1) * count // (2 * wanted) for place in range(wanted))
            return
        step = max(1.0, (self.every or 1.0) * rate)
        place = 0
        while count < 1 or round(place * step) < count:
            yield round(place * step)
            place += 1

    def _scaled(self, frame: np.ndarray) -> np.ndarray:
        import cv2

        height, width = frame.shape[:2]
        if self.side is None or max(height, width) <= self.side:
            return frame
        factor = self.side / max(height, width)
        size = max(1, round(width * factor)), max(1, round(height * factor))
        return cv2.resize(frame, size, interpolation=cv2.INTER_AREA)


def _jpeg(frame: np.ndarray) -> bytes:
    import cv2

    there, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 95])
    assert there, "OpenCV writes JPEG"
    return data.tobytes()


def _table(path: Path, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
