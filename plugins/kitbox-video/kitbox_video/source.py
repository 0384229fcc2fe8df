"""A source of films, as pictures."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from kitbox import Options, make_folder
from kitbox.errors import SourceError, nearest, some, storage

if TYPE_CHECKING:
    import numpy as np

VERSION = 1
"""Of the frames; another takes all of them anew."""
SUFFIXES = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv")
BROKEN, FRAMES = "broken_films.csv", "frames.csv"


class Films(Options):
    """Frames of films below a folder, as pictures; all other files beside them, as they are.

    `train/run/a.mp4` becomes the folder `train/run/a` of pictures called by the number of
    their frame, `000012.jpg`. `frames.csv` lists every picture with its film and second. A
    film that cannot be read has no pictures and a line in `broken_films.csv`.
    """

    path: Path = Field(description="the folder; a relative path starts at the working folder")
    frames: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        None, description="of a film, evenly over its length; by default 8, unless `every` is given"
    )
    every: Annotated[float, Field(gt=0)] | None = Field(
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
            SourceError: when there is no such folder, or no film that can be read.
        """
        return make_folder(self._folder(cache), self._write)

    def _files(self) -> list[tuple[str, os.stat_result]]:
        """Every file below the folder that is not hidden, sorted, and what is known of it."""
        root = self.path.expanduser()
        if not root.is_dir():
            near = [one.name for one in root.parent.iterdir()] if root.parent.is_dir() else []
            raise SourceError(
                f"There is no folder of films at {root}",
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
        return cache / "films" / f"{self.path.name}-{key}"

    def _write(self, folder: Path) -> None:
        root = self.path.expanduser()
        broken: list[tuple[str, str]] = []
        rows: list[tuple[str, str, str]] = []
        with storage(folder, "writing frames below"):
            for name, _ in self._files():
                place = folder / name
                place.parent.mkdir(parents=True, exist_ok=True)
                if place.suffix.lower() not in SUFFIXES:
                    shutil.copyfile(root / name, place)
                    continue
                before = len(rows)
                for number, second, frame in self._frames(root / name):
                    picture = place.with_suffix("") / f"{number:06d}.jpg"
                    picture.parent.mkdir(exist_ok=True)
                    picture.write_bytes(_jpeg(frame))
                    image = picture.relative_to(folder).as_posix()
                    rows.append((image, name, f"{second:.3f}"))
                if len(rows) == before:
                    broken.append((name, "no frame could be read"))
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
            rate = film.get(cv2.CAP_PROP_FPS) or 25.0
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


def film_of(image: str) -> str:
    """The film that a picture is a frame of: its folder."""
    return image.replace("\\", "/").rpartition("/")[0]


def _jpeg(frame: np.ndarray) -> bytes:
    import cv2

    there, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 95])
    assert there, "OpenCV writes JPEG"
    return data.tobytes()


def _table(path: Path, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
