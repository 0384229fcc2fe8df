"""What lies in a competition's folder: pictures, tables, and which of them is what."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kitbox.data.files import files, is_picture
from kitbox.errors import KitboxError, SourceError, some
from kitbox.labelers.csvs import Csv, open_csv
from kitbox.writers import sample as samples

if TYPE_CHECKING:
    import pandas as pd

UNREAD = ("dcm", "dicom", "npy", "npz", "mat", "tfrec", "tfrecord", "parquet", "nii", "h5", "svs")
"""Suffixes of files that hold pictures and are not read."""
PACKED = (".zip", ".tar", ".tgz", ".tar.gz", ".7z", ".rar")
MANY = 64
"""Numbers from which on they may be a picture."""
MASKED = ("mask", "label", "annot", "segm", "groundtruth", "gt", "ink")
"""What names of files and folders say that hold masks."""

_TEST = re.compile(r"Test|(?<![A-Za-z])(?i:test)")


@dataclass(frozen=True)
class Survey:
    """A folder looked at.

    Attributes:
        folder: the source's.
        files: all of them, `/` separated paths below it, sorted.
    """

    folder: Path
    files: tuple[str, ...]
    _tables: dict[str, pd.DataFrame] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def pictures(self) -> list[str]:
        """The picture files."""
        return [path for path in self.files if is_picture(path)]

    @property
    def csvs(self) -> dict[str, Csv]:
        """The csv files that can be read, those nearest to the top first."""
        return self._opened[0]

    @property
    def unread(self) -> list[str]:
        """Why the other csv files cannot be read, a sentence each."""
        return self._opened[1]

    @cached_property
    def _opened(self) -> tuple[dict[str, Csv], list[str]]:
        found, unread = {}, []
        for path in sorted(self.files, key=lambda path: (path.count("/"), path)):
            if path.lower().endswith(".csv"):
                try:
                    found[path] = open_csv(self.folder / path)
                except KitboxError as error:
                    unread.append(error.wrong)
        return found, unread

    def table(self, name: str) -> pd.DataFrame:
        """A csv file, all cells str or missing."""
        if name not in self._tables:
            self._tables[name] = self.csvs[name].read()
        return self._tables[name]

    @cached_property
    def sample(self) -> str | None:
        """The sample submission among the csv files."""
        return next(iter(self.samples), None)

    @cached_property
    def samples(self) -> list[str]:
        """All that may be sample submissions, the likeliest first."""
        named = [path for path in self.csvs if _says_sample(path)]
        return sorted(named, key=_unlikely)

    @cached_property
    def asked(self) -> pd.DataFrame | None:
        """The sample submission as writers read it."""
        return None if self.sample is None else samples.read(self.folder / self.sample)

    @cached_property
    def lookup(self) -> str | None:
        """The table that says which picture and feature a row of the sample stands for."""
        key = None if self.asked is None else samples.key(self.asked)
        for path, csv in self.csvs.items():
            if "lookup" in _name(path) and key in csv.columns:
                return path
        return None

    def tops(self) -> str:
        """The folders of pictures and how many lie in each, in words."""
        counts = Counter(path.rpartition("/")[0] or "." for path in self.pictures)
        return some((f"{folder} ({n})" for folder, n in counts.most_common()), 6)


def look(folder: Path) -> Survey:
    """Look at a folder.

    Raises:
        SourceError: when there are no pictures in it, saying what else there is.
    """
    found = Survey(folder, tuple(files(folder)))
    if found.pictures:
        return found
    ends = Counter(path.rpartition(".")[2].lower() for path in found.files)
    packed = [path for path in found.files if path.lower().endswith(PACKED)]
    unread = [end for end in UNREAD if ends[end]]
    if packed:
        do = (
            "Unpack them there; a competition that is named by its slug is unpacked by the "
            "source `kaggle`"
        )
        raise SourceError(f"The pictures in {folder} are packed", found=some(packed), do=do)
    if unread:
        raise SourceError(
            f"There are no pictures in {folder} that kitbox reads",
            found=some(f"{ends[end]} .{end} files" for end in unread),
            do="Turn them into png or jpg files first, or attach a data set where somebody did",
        )
    if held := _in_cells(found):
        raise SourceError(
            f"There are no picture files in {folder}",
            found=f"pictures as numbers in {held}",
            do="Write them as png files first, called after their ids, and name that folder",
        )
    raise SourceError(
        f"There are no pictures in {folder}",
        found=some(f"{n} .{end}" for end, n in ends.most_common()) or "no files",
        do="Name the folder of the competition's files",
    )


def says_test(path: str) -> bool:
    """Whether one of the two top folders has a word in its name that begins with test.

    >>> says_test("test_images/a.jpg"), says_test("jpeg/test/a.jpg"), says_test("train/test.jpg")
    (True, True, False)
    >>> says_test("stage1Test/a.jpg"), says_test("contest/train/a.jpg")
    (True, False)
    """
    folders = path.split("/")[:-1]
    return any(_TEST.search(name) for name in folders[:2])


def says_mask(path: str) -> bool:
    """Whether a picture's name or folder says that it is a mask.

    >>> says_mask("train/masks/a.png"), says_mask("labels/a_P.png"), says_mask("train/a.png")
    (True, True, False)
    """
    return any(word in path.lower() for word in MASKED[:5]) or any(
        part.startswith(MASKED[5:]) for part in path.lower().split("/")[-2:]
    )


def _in_cells(survey: Survey) -> str:
    """Where csv files hold pictures as numbers: a long cell, or a column a pixel; '' if nowhere."""
    for name, csv in survey.csvs.items():
        pixels = [column for column in csv.columns if re.fullmatch(r"pixel_?\d+", column.lower())]
        if len(pixels) >= MANY:
            return f"the columns of {name}, a pixel each"
        for column, cell in csv.read(rows=1).iloc[:1].to_dict("list").items():
            words = str(cell[0]).split() if cell else []
            if len(words) >= MANY and all(word.isdecimal() for word in words):
                return f"the column '{column}' of {name}"
    return ""


def _says_sample(path: str) -> bool:
    name = _name(path)
    return "sample" in name or "submi" in name


def _unlikely(path: str) -> tuple[bool, int, int, int, str]:
    """Sorts what may be sample submissions, the likeliest first."""
    name = _name(path)
    words = 2 * ("submi" in name) + ("sample" in name)
    return name.startswith("train"), -words, path.count("/"), len(path), path


def _name(path: str) -> str:
    return path.rpartition("/")[2].lower()
