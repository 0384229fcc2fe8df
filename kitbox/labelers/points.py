"""Points on pictures: from a csv file, from a file per picture, or from a function."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from kitbox.contracts import Labels
from kitbox.data import coordinates
from kitbox.data.files import Below, files, some_pictures
from kitbox.errors import LabelError, counted, nearest, some
from kitbox.labelers import beside, guess
from kitbox.labelers.csvs import open_csv
from kitbox.labelers.function import NAME, calling
from kitbox.labelers.table import Column, TableLabels
from kitbox.options import Mistake, Mistakes, Options

if TYPE_CHECKING:
    import pandas as pd

XY = tuple[float, float]


class PointLabels(Options):
    """The labels are points, in pixels of the file's picture, upright (as EXIF turns it).

    They come from columns of a csv file (`csv`, or neither `files` nor
    `function`), from a file per picture (`files`), or from a function. A point
    may be missing: an empty cell, `nan` in a file, None from a function.

    Attributes:
        csv: the file, below the source's folder.
        id, folder, suffix, part: of the csv file, as the labeler `table` has them.
        columns: the csv file's columns [x, y] of each point; by default all that
            are named in pairs, as `x0` and `y0` or `nose_x` and `nose_y` are.
        files: a label file's path below the source's folder, as in labels/{stem}.txt,
            with `{stem}` (the picture's name without suffix), `{name}` (with it),
            `{folder}` and `{path}` (its folder and its path below `images`). It holds a
            point a line, x then y, with spaces or commas between; lines without numbers
            do not count, nor do the braces and the head of `.pts`.
        pattern: a regular expression, searched in the picture's name without
            suffix; `files` may name its groups.
        unmatched: what a picture without its label file is: an error, or skipped.
        function: `package.module:name`; the current folder is searched first. It
            gets the `Path` of the label file where there is `files`, else of the
            picture, the source's folder included, and returns a list of (x, y), or
            a mapping of them by the point's name, or None to skip the picture.
        images: the folder of the pictures, below the source's folder.
        names: of the points in files and lists; by default 0, 1, ...
        first: the coordinate of the middle of the top left pixel: 1 in `.pts` files.
    """

    drafted_for: ClassVar[str] = "places"

    csv: Below | None = None
    id: Column | None = None
    columns: Annotated[list[tuple[Column, Column]], Field(min_length=1)] | None = None
    folder: Below | None = None
    suffix: str | None = None
    part: Column | None = None
    files: Below | None = None
    pattern: str | None = None
    unmatched: Literal["error", "skip"] = "error"
    function: Annotated[str, Field(pattern=NAME)] | None = None
    images: Below = ""
    names: Annotated[list[Column], Field(min_length=1)] | None = None
    first: Annotated[float, Field(allow_inf_nan=False)] = 0.0

    @field_validator("names")
    @classmethod
    def _once(cls, names: list[str] | None) -> list[str] | None:
        if doubled := sorted({name for name in names or () if (names or ()).count(name) > 1}):
            raise ValueError(f"found {some(doubled)} more than once, expected each point once")
        return names

    @model_validator(mode="after")
    def _agree(self) -> Self:
        of_files = self.files is not None or self.function is not None
        idle = _OF_CSV if of_files else _OF_FILES
        mistakes = [
            Mistake(
                (name,),
                "has no meaning with `files` or `function`"
                if of_files
                else "has no meaning without `files` or `function`",
            )
            for name in idle
            if getattr(self, name) not in (None, "", "error")
        ]
        if self.files is not None:
            try:
                beside.check(self.files, self.pattern)
            except ValueError as error:
                mistakes.append(Mistake(("files",), str(error)))
        elif of_files:
            mistakes += [
                Mistake((name,), "has no meaning without `files`")
                for name in ("pattern", "unmatched")
                if getattr(self, name) not in (None, "error")
            ]
        if mistakes:
            raise Mistakes(mistakes)
        return self

    def label(self, folder: Path) -> Labels:
        """One row a picture with points, and two columns a point.

        Raises:
            LabelError: when files or columns are missing, or what they hold are no points.
        """
        if self.files is None and self.function is None:
            return self._of_csv(folder)
        read = _read if self.function is None else calling(self.function)
        found = some_pictures(folder, self.images)
        prefix = f"{self.images}/" if self.images else ""
        notes: list[str] = []
        paths = {prefix + path: prefix + path for path in found}
        if self.files is not None:
            wanted = {prefix + path: beside.fill(self.files, path, self.pattern) for path in found}
            matched = beside.match(wanted, files(folder), folder, unmatched=self.unmatched)
            paths = matched.files
            notes += matched.told()
        points = {image: read(folder / path) for image, path in paths.items()}
        kept = {image: value for image, value in points.items() if value is not None}
        if not kept:
            raise LabelError(
                f"{self.function} returned None for all {len(points)} pictures",
                do="Return the points; None skips a picture",
            )
        if len(kept) < len(points):
            notes.append(f"{self.function} skipped {counted(len(points) - len(kept), 'picture')}.")
        table, targets = self._table(kept, paths)
        return Labels(table, targets, (_told(table, targets), *notes), gaps=True)

    def _of_csv(self, folder: Path) -> Labels:
        """The labels of the labeler `table`, of the columns that are coordinates."""
        notes = []
        name = self.csv
        if name is None:
            name = guess.csv_file(files(folder))
            notes.append(f"Guessed: the points are in {name}.")
        pairs = self.columns
        if pairs is None and (folder / name).is_file():
            columns = [c for c in open_csv(folder / name).columns if c not in (self.id, self.part)]
            pairs, left = coordinates.pair(columns)
            if not pairs:
                raise LabelError(
                    f"{name} has no columns that are the x and the y of a point",
                    found=f"columns {some(columns, most=20)}",
                    do="Set `columns` of the labeler: [[x, y], ...]",
                )
            _check_lonely(coordinates.lonely(pairs, left), left, name)
            notes.append(f"Guessed: {some(_names(pairs), most=10)} are points.")
        table = TableLabels(
            csv=name,
            id=self.id,
            labels=[column for pair in pairs or [("x", "y")] for column in pair],
            folder=self.folder,
            suffix=self.suffix,
            part=self.part,
            gaps=True,
        )
        labels = table.label(folder)
        rows = labels.rows.copy()  # in one piece, of many columns
        if self.first:
            import pandas as pd

            try:
                moved = {n: pd.to_numeric(rows[n]) - self.first for n in labels.targets}
            except (TypeError, ValueError) as error:
                raise LabelError(
                    f"{name} holds coordinates that are no numbers", found=str(error)
                ) from error
            rows = rows.assign(**moved)
        told = (_told(rows, labels.targets), *notes, *labels.notes[1:])
        return Labels(rows, labels.targets, told, gaps=True, parted=labels.parted)

    def _table(
        self, points: Mapping[str, Any], paths: Mapping[str, str]
    ) -> tuple[pd.DataFrame, tuple[str, ...]]:
        """The rows, and the columns of the coordinates."""
        import pandas as pd

        names: list[str] | None = self.names
        rows = {}
        for image, value in points.items():
            if isinstance(value, Mapping):
                called = [str(name) for name in value]
                names = called if names is None else names
                if sorted(called) != sorted(names):
                    raise _other(paths[image], called, names)
                value = [value[name] for name in value]  # noqa: PLW2901
                order = [called.index(name) for name in names]
            else:
                value = _listed(value, paths[image])  # noqa: PLW2901
                names = [str(i) for i in range(len(value))] if names is None else names
                if len(value) != len(names):
                    raise _other(paths[image], value, names)
                order = list(range(len(names)))
            xy = [_point(value[i], paths[image]) for i in order]
            rows[image] = [number - self.first for one in xy for number in one]
        assert names is not None, "there is a picture"
        targets = tuple(column for name in names for column in _columns(name))
        table = pd.DataFrame.from_dict(rows, orient="index", columns=list(targets), dtype=float)
        table.insert(0, "id", table.index)
        table.insert(1, "image", table.index)
        return table.reset_index(drop=True), targets


_OF_CSV = ("csv", "id", "columns", "folder", "suffix", "part")
_OF_FILES = ("pattern", "unmatched", "images", "names")


def _check_lonely(lonely: Sequence[coordinates.Pair], left: Sequence[str], name: str) -> None:
    """Refuse a y without its x: a misspelt column would be a point that is silently lost."""
    if not lonely:
        return
    column, other = lonely[0]
    close = nearest(other, [one for one in left if one != column])
    more = f", as do {some(one for one, _ in lonely[1:])}" if lonely[1:] else ""
    raise LabelError(
        f"The column '{column}' of {name} is one coordinate of a point and lacks the other, "
        f"'{other}'{more}",
        do=f"{close if close.startswith('Did') else ''} Correct the name, or say in `columns` of "
        "the labeler which columns are points: [[x, y], ...]".strip(),
    )


def _columns(name: str) -> tuple[str, str]:
    """The columns of a point: x0 and y0, or nose_x and nose_y."""
    return (f"x{name}", f"y{name}") if name.isdigit() else (f"{name}_x", f"{name}_y")


def _names(pairs: Sequence[coordinates.Pair]) -> list[str]:
    return [f"{x} and {y}" for x, y in pairs]


def _read(path: Path) -> list[XY]:
    """The points of a text file: a line each, x then y.

    Raises:
        LabelError: when it cannot be read, or a line has other than two numbers.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise LabelError(f"The label file {path} cannot be read", found=str(error)) from error
    points = []
    for number, line in enumerate(text.splitlines(), 1):
        words = re.split(r"[\s,;]+", line.strip(" \t,;"))
        if _HEAD.fullmatch(line.strip()) or not any(_is_number(word) for word in words):
            continue
        if len(words) != 2 or not all(_is_number(word) for word in words):
            raise LabelError(
                f"Line {number} of the label file {path} is no point",
                found=repr(line),
                do="Give x and y a line; for other formats set `function` of the labeler",
            )
        points.append((float(words[0]), float(words[1])))
    if not points:
        raise LabelError(
            f"The label file {path} holds no point",
            found=repr(text[:60]),
            do="Give x and y a line; for other formats set `function` of the labeler",
        )
    return points


_HEAD = re.compile(r"|[{}]|(version|n_points)\s*:.*", re.I)
"""What `.pts` files have beside points."""


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _listed(value: Any, path: str) -> list[Any]:
    """What a function returned as a list of points; a single (x, y) is one."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if not isinstance(value, list | tuple):
        raise _no_points(value, path)
    if len(value) == 2 and all(isinstance(number, int | float) for number in value):
        return [value]
    return list(value)


def _point(value: Any, path: str) -> XY:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if value is None:
        return math.nan, math.nan
    try:
        x, y = value
        return float(x), float(y)
    except (TypeError, ValueError) as error:
        raise _no_points(value, path) from error


def _no_points(value: Any, path: str) -> LabelError:
    return LabelError(
        f"What is given for {path} are no points",
        found=f"{value!r} ({type(value).__name__})",
        do="Return a list of (x, y), or a mapping of them by the point's name",
    )


def _other(path: str, found: Sequence[Any], names: Sequence[str]) -> LabelError:
    return LabelError(
        f"Every picture needs the same points; {path} has others",
        found=f"{len(found)} points, expected {len(names)}"
        if len(found) != len(names)
        else f"{some(found)}, expected {some(names)}",
        do="Give NaN for a point that is missing",
    )


def _told(table: pd.DataFrame, targets: Sequence[str]) -> str:
    """A sentence on how many points there are."""
    missing = int(table[list(targets)].isna().to_numpy().reshape(-1, 2).any(axis=1).sum())
    count = len(targets) // 2
    text = f"{counted(len(table), 'picture')} with {counted(count, 'point')} each"
    return text + (f", {missing} of them missing." if missing else ".")
