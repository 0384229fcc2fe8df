"""Several labels a picture in a csv file: in one cell, or several rows of one picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kitbox.errors import LabelError, some
from kitbox.labelers.csvs import Csv

if TYPE_CHECKING:
    import pandas as pd


def parted(cell: Any, delimiter: str | None) -> tuple[str, ...]:
    """The labels of a cell, each once; a tuple or list is what `gathered` made of many cells.

    >>> parted("sky  sea sky", " "), parted(["a b", "c"], None), parted(float("nan"), ",")
    (('sky', 'sea'), ('a b', 'c'), ())
    """
    texts: Sequence[Any] = cell if isinstance(cell, list) else [cell]
    parts = [
        part
        for text in texts
        if isinstance(text, str)  # else an empty cell
        for part in (text.split(delimiter) if delimiter else [text])
    ]
    return tuple(dict.fromkeys(text for part in parts if (text := part.strip())))


def objects(cells: Sequence[Sequence[Any]], like: pd.DataFrame) -> pd.Series:
    """A column of tuples or lists with the index of a table."""
    import pandas as pd

    return pd.Series(cells, index=like.index, dtype=object)


def gathered(
    table: pd.DataFrame, name: str, label: str, part: str | None, file: Csv
) -> pd.DataFrame:
    """One row a picture, from rows of one label each: the first, its label cell a list of all.

    Args:
        name, label, part: the columns of the picture, the label and the part.

    Raises:
        LabelError: when a picture is in two parts.
    """
    known = table[table[name].notna()]
    _check_parts(known, name, part, file)
    cells = known.groupby(name, sort=False)[label].agg(list)
    # Rows that name no picture stay: they are a mistake that is told with its line.
    first = table[~table[name].duplicated() | table[name].isna()].copy()
    first[label] = objects([cells.get(one, [one]) for one in first[name]], first)
    return first


def averaged(
    table: pd.DataFrame, name: str, labels: Sequence[str], part: str | None, file: Csv
) -> pd.DataFrame:
    """One row a picture, from rows of measurements: the first, its label cells the means (str).

    Missing cells do not count; where all are missing, so is the mean.

    Raises:
        LabelError: when a cell is no number, or a picture is in two parts.
    """
    import pandas as pd

    known = table[table[name].notna()]
    _check_parts(known, name, part, file)
    first = table[~table[name].duplicated() | table[name].isna()].copy()
    for label in labels:
        numbers = pd.to_numeric(known[label], errors="coerce")
        wrong = known.index[numbers.isna() & known[label].notna()]
        if len(wrong):
            raise LabelError(
                f"{file.path.name} has cells in the column '{label}' that are no numbers",
                found=f"{known.at[wrong[0], label]!r} in line {file.lines(wrong[:1])[0]}",
                do="`rows: mean` is for numbers",
            )
        means = numbers.groupby(known[name]).mean()
        cells = [means.get(one, float("nan")) for one in first[name]]
        first[label] = pd.Series(
            [repr(float(cell)) if cell == cell else cell for cell in cells],  # noqa: PLR0124
            index=first.index,
            dtype=object,
        )
    return first


def _check_parts(known: pd.DataFrame, name: str, part: str | None, file: Csv) -> None:
    """Refuse a picture whose rows are in two parts."""
    if part is None:
        return
    parts = known.groupby(name, sort=True)[part].nunique(dropna=False)
    if len(both := parts.index[parts > 1]):
        raise LabelError(
            f"{len(both)} pictures of {file.path.name} have rows of different parts",
            found=some(both),
            do=f"Give all rows of a picture the same '{part}'",
        )
