"""Masks from a csv file of run lengths, in the shapes that competitions give them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kitbox.classes import in_order
from kitbox.contracts import Labels
from kitbox.data.files import files, inside, pictures
from kitbox.data.masks import runs_cell
from kitbox.errors import LabelError, counted, nearest, some
from kitbox.joined_keys import by_product, says_joined, strays
from kitbox.labelers.csvs import Csv, open_listed
from kitbox.labelers.places import find
from kitbox.runs import Order

if TYPE_CHECKING:
    import pandas as pd

EMPTY = ("", "-", "-1", "nan")
"""What an empty mask is written as."""
MASK = "mask"
"""The target column where there is one class."""

_RUNS = re.compile(r"rle|encod|pixel|segment|mask|runs|predicted", re.IGNORECASE)
_CLASS = re.compile(r"class|label|category", re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """Which columns hold what; None is found out.

    Attributes:
        id: names the picture.
        runs: the run lengths.
        classes: the class.
        separator: parts `id` into picture and class.
    """

    id: str | None
    runs: str | None
    classes: str | None
    separator: str | None


@dataclass(frozen=True)
class Writing:
    """How run lengths are written; see `kitbox.Runs.decode`."""

    order: Order
    base: Literal[0, 1] | None
    relative: bool


def read(
    folder: Path,
    csv: str,
    layout: Layout,
    writing: Writing,
    *,
    images: str | None,
    suffix: str | None,
    match: str | None = None,
    absent: Literal["skip", "empty"],
) -> Labels:
    """The labels of a csv file: a row a picture, run lengths in `mask` or a column a class.

    Several rows of the same picture and class are one mask (instances).

    Raises:
        LabelError: when the file or a column is missing, run lengths are damaged,
            or none of the pictures is there.
    """
    import pandas as pd

    listed = files(folder)
    file = open_listed(folder, csv, listed)
    notes: list[str] = []
    columns = _columns(file, layout, notes)
    table = file.read()
    keys, classes = _keys(table, columns, file)
    texts: dict[str, dict[str, list[str]]] = {}
    cells = ["" if cell != cell else str(cell) for cell in table[columns.runs]]  # noqa: PLR0124
    for key, of, cell in zip(keys, classes, cells, strict=True):
        row = texts.setdefault(key, {})
        if of is not None:
            row.setdefault(of, []).extend([] if cell in EMPTY else [cell])
    if not texts:
        raise LabelError(f"{csv} has no rows", do="It should have a row per picture")
    names = in_order({of for of in classes if of is not None}) or [MASK]
    found = find(list(texts), listed, images, suffix, match)
    if found is None:
        raise LabelError(
            f"None of the {len(texts)} pictures that {csv} names is there",
            found=some(texts, most=3),
            do="Set `images` of the labeler to where the pictures are, `suffix` to what their "
            "names lack, `match` to where a path has the id, or `id` to the column that names them",
        )
    paths, told = found
    ids = list(texts)
    if absent == "empty":
        more = _others(folder, images, set(paths))
        notes.append(
            counted(
                len(more),
                "picture without a row has an empty mask.",
                "pictures without a row have empty masks.",
            )
        )
        ids, paths = ids + more, paths + more
    rows = pd.DataFrame({"id": ids, "image": paths})
    empty = 0
    for of in names:
        made = [_cell(texts.get(one, {}).get(of, []), one, writing, csv) for one in ids]
        rows[of] = made
        empty += sum(" " not in cell for cell in made)
    notes.insert(0, f"{len(ids)} pictures with masks of {some(names)}; {empty} are empty.")
    return Labels(rows, tuple(names), (*notes, *told))


@dataclass(frozen=True)
class _Columns:
    id: str
    runs: str
    classes: str | None
    separator: str | None


def _columns(file: Csv, layout: Layout, notes: list[str]) -> _Columns:
    file.check((layout.id, layout.runs, layout.classes))
    left = [
        column for column in file.columns if column not in (layout.id, layout.runs, layout.classes)
    ]
    identity = layout.id or (left.pop(0) if left else None)
    runs = layout.runs or next((column for column in left if _RUNS.search(column)), None)
    if identity is None or runs is None:
        raise LabelError(
            f"The column of run lengths in {file.path.name} cannot be guessed",
            found=f"columns {some(file.columns, most=20)}",
            do="Set `runs` (and `id`) of the labeler",
        )
    classes = layout.classes
    if layout.runs is None:
        notes.append(f"Guessed: the column '{runs}' has the run lengths.")
    if classes is None and layout.separator is None:
        others = [column for column in left if column != runs and _CLASS.search(column)]
        if len(others) == 1:
            (classes,) = others
            notes.append(f"Guessed: the column '{classes}' names the class.")
    return _Columns(identity, runs, classes, layout.separator)


def _keys(table: pd.DataFrame, columns: _Columns, file: Csv) -> tuple[list[str], list[str | None]]:
    """Picture and class of every row."""
    empty = table.index[table[columns.id].isna()]
    if len(empty):
        raise LabelError(
            f"{counted(len(empty), 'row')} of {file.path.name} "
            f"{'has' if len(empty) == 1 else 'have'} nothing in the column '{columns.id}'",
            found=f"lines {some(file.lines(empty[:6])[:5])}",
            do="Fill or remove these rows, or set `id` to the column that names the pictures",
        )
    keys = [str(key) for key in table[columns.id]]
    if columns.classes is not None:
        given = table[columns.classes]
        # No class where a picture has nothing at all.
        return keys, [None if one != one else str(one) for one in given]  # noqa: PLR0124
    if columns.separator is not None:
        return _parted(keys, columns.separator, file)
    if says_joined(columns.id):
        parted = by_product(keys, None, columns.id)
        if parted is None and (lost := strays(keys)):
            (line,) = file.lines([lost[0].row])
            raise LabelError(
                f"'{lost[0].key}' in line {line} of {file.path.name} is of no class: there is no "
                f"class '{lost[0].word}'",
                do=nearest(lost[0].word, lost[0].classes) or "Correct this row",
            )
        if parted is None:
            raise LabelError(
                f"The column '{columns.id}' of {file.path.name} looks like picture and class in "
                "one, and cannot be taken apart",
                found=some(keys, most=3),
                do="Set `separator` to what stands between them, or `id` if it is the picture's "
                "name alone",
            )
        return list(parted.pictures), list(parted.classes)
    return keys, [MASK] * len(keys)


def _parted(keys: Sequence[str], separator: str, file: Csv) -> tuple[list[str], list[str | None]]:
    parts = [key.rpartition(separator) for key in keys]
    if loose := [key for key, (one, _, of) in zip(keys, parts, strict=True) if not one or not of]:
        raise LabelError(
            f"{len(loose)} keys of {file.path.name} have no {separator!r} before a class",
            found=some(loose),
            do="Correct `separator`",
        )
    return [one for one, _, _ in parts], [of for _, _, of in parts]


def _cell(texts: list[str], key: str, writing: Writing, csv: str) -> str:
    base: Literal[0, 1] = (0 if writing.relative else 1) if writing.base is None else writing.base
    try:
        return runs_cell(texts, writing.order, base, writing.relative)
    except ValueError as error:
        raise LabelError(
            f"The run lengths of {key} in {csv} are damaged: {error}",
            do="Correct the row, or the labeler's `base` and `relative`",
        ) from error


def _others(folder: Path, images: str | None, taken: set[str]) -> list[str]:
    """Pictures below `images` that no row names."""
    where = images if images is not None else _around(taken)
    prefix = f"{where}/" if where else ""
    below = [prefix + path for path in pictures(inside(folder, where))]
    return [path for path in below if path not in taken]


def _around(paths: set[str]) -> str:
    folders = [path.rpartition("/")[0] for path in paths]
    return max(sorted(set(folders)), key=folders.count)
