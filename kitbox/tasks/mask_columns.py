"""What a labeler's columns of masks hold: one of files, or run lengths of a class each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kitbox.errors import LabelError, some
from kitbox.tasks.codes import Codes, advice

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd


def name(
    cells: pd.DataFrame,
    names: Sequence[str],
    values: Mapping[int, str],
    others: Sequence[str],
    folder: Path,
) -> tuple[tuple[str, ...], dict[int, str]]:
    """The names of the classes, and the name that each pixel value means.

    Args:
        cells: a column of paths, or columns of run lengths.
        names: of the classes by pixel value from 0 on, () where they are not given.
        values: names of single pixel values.
        others: names that are given elsewhere.
        folder: the source's.

    Raises:
        LabelError: when nothing names them, or names do not fit the columns.
    """
    columns = [str(column) for column in cells.columns]
    if not len(cells):
        raise LabelError("There are no masks to learn from", do="Check the labeler")
    if are_runs([str(cell) for cell in cells.iloc[0]]):
        names = _names_of_runs(names, columns)
        return tuple(names), dict(enumerate(_in_order(names, columns)))
    _check_paths([str(cell) for cell in cells.iloc[0]], columns)
    meaning = dict(enumerate(names)) | dict(values)
    known = tuple(dict.fromkeys([*names, *meaning.values(), *others]))
    if not known:
        raise _nameless(cells.iloc[:, 0], folder)
    return known, meaning


def read(cells: tuple[str, ...], folder: Path, image: str, codes: Codes) -> np.ndarray:
    """Class numbers (h, w) uint8 of a row's cells."""
    from kitbox.data import images, masks

    if are_runs(cells):
        size = images.size(folder / image)
        values = masks.paint(dict(enumerate(cells, 1)), size, image)
        return codes.encode(values, f"of {image}")
    return codes.encode(
        masks.read(folder / cells[0], cells[0], colors=bool(codes.colors)), cells[0]
    )


def are_runs(cells: Sequence[str]) -> bool:
    """Whether a row's cells are run lengths."""
    from kitbox.data.masks import is_runs

    return all(is_runs(cell) for cell in cells)


def _check_paths(cells: Sequence[str], columns: Sequence[str]) -> None:
    if len(columns) > 1:
        raise LabelError(
            f"The labeler gives {len(columns)} columns, {some(columns)}, that are no run lengths",
            found=some(map(repr, cells), most=2),
            do="Use the labeler `masks`, or choose the column of the masks' paths with `columns`",
        )


def _names_of_runs(names: Sequence[str], columns: Sequence[str]) -> tuple[str, ...]:
    """The classes where each column is the run lengths of one."""
    if not names:
        return ("background", *columns)
    others = [name for name in names if name not in columns]
    if len(names) == 2 and len(columns) == 1:
        return tuple(names)
    if len(others) != 1 or len(names) != len(columns) + 1:
        raise LabelError(
            "`codes` do not fit the classes of the run lengths",
            found=f"{some(names, most=12)}, and run lengths of {some(columns, most=12)}",
            do="Name a background and the classes of the run lengths, or leave `codes` out",
        )
    return tuple(names)


def _in_order(names: Sequence[str], columns: Sequence[str]) -> tuple[str, ...]:
    """The background, then the classes as the columns have them."""
    others = [name for name in names if name not in columns]
    if len(columns) == 1 and len(names) == 2 and len(others) == 2:
        return tuple(names)
    return (*others, *columns)


def _nameless(cells: pd.Series, folder: Path) -> LabelError:
    """What to say where the classes have no names: what the masks hold."""
    found = shown(cells, folder)
    return LabelError(
        "The task does not know what the pixel values of the masks mean",
        found=f"values {some(found, most=12)}",
        do=advice(found),
    )


def shown(cells: pd.Series, folder: Path, most: int = 20) -> list[int]:
    """The pixel values of some masks, sorted; of paths (N,) below the folder."""
    import numpy as np

    from kitbox.data import masks

    found: set[int] = set()
    for number in spread(len(cells), most):
        name = str(cells.iloc[number])
        found |= {int(value) for value in np.unique(masks.read(folder / name, name))}
    return sorted(found)


def spread(count: int, most: int) -> list[int]:
    """At most so many of `count` places, evenly spread."""
    return list(range(0, count, max(1, -(-count // most))))
