"""Labelled pictures that a csv file leaves out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kitbox.errors import LabelError, nearest, some
from kitbox.labelers.csvs import open_csv

if TYPE_CHECKING:
    import pandas as pd

COLUMN = "image"


def without(rows: pd.DataFrame, path: Path, folder: Path) -> tuple[pd.DataFrame, str]:
    """The labelled rows without those whose picture the file names, and a note for a person.

    Args:
        rows: labelled rows, with the column `image`.
        path: a csv file with a column `image` (paths below the source's folder),
            as `kitbox clean` writes it; other columns are not read. What it names
            beyond the rows, test pictures say, changes nothing.
        folder: the source's folder.

    Raises:
        LabelError: when the file is not there or has no such column, when none
            of what it names is below the source's folder, and when nothing
            would be left.
    """
    path = path.expanduser()
    if not path.is_file():
        raise LabelError(
            f"The file of pictures to exclude does not exist: {path.absolute()}",
            do="Correct `exclude` (relative to where you are), or make it: "
            f"kitbox clean RECIPE --out {path}",
        )
    opened = open_csv(path)
    if COLUMN not in opened.columns:
        raise LabelError(
            f"The file of pictures to exclude has no column '{COLUMN}': {path}",
            found=f"columns {some(opened.columns)}",
            do=nearest(COLUMN, opened.columns),
        )
    named = set(opened.read()[COLUMN].dropna())
    out = rows["image"].isin(named)
    if out.all() and len(rows):
        raise LabelError(f"{path} excludes every labelled picture", do="Remove rows from it")
    note = f"{out.sum()} of {len(rows)} labelled pictures left out by {path}"
    strangers = named - set(rows["image"])
    if named and not out.any() and not any((folder / name).is_file() for name in named):
        raise LabelError(
            f"None of the {len(named)} pictures that {path} excludes is below {folder}",
            found=f"{some(sorted(named), 2)}, and labelled {some(rows['image'], 2)}",
            do="Make it from this recipe or this folder: kitbox clean",
        )
    if strangers:
        note += f"; {len(strangers)} that it names are not labelled ({some(sorted(strangers), 2)})"
    return rows[~out].reset_index(drop=True), note
