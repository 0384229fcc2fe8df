"""Numbers out of a table's columns, for tasks that learn numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kitbox.errors import LabelError, counted, some

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def read(rows: pd.DataFrame, columns: Sequence[str], *, gaps: bool = False) -> np.ndarray:
    """The numbers of some columns (N, K) float64; text such as '3.5' is read.

    Args:
        gaps: whether an empty cell is NaN; else it is refused.

    Raises:
        LabelError: naming the pictures whose cells hold no finite number.
    """
    import numpy as np

    values = np.empty((len(rows), len(columns)), np.float64)
    for place, column in enumerate(columns):
        cells = rows[column]
        if cells.dtype.kind in "iuf" and cells.dtype.name[0].islower():  # NumPy's own
            values[:, place] = cells
        else:
            values[:, place] = [_number(cell) for cell in cells]
        blank = np.flatnonzero(np.isnan(values[:, place])).tolist()
        words = [(row, cell) for row in blank if not _is_gap(cell := cells.iloc[row])]
        if words:
            most = 2 * len(words) >= len(rows) - len(blank) + len(words)
            raise LabelError(
                f"{counted(len(words), 'picture has', 'pictures have')} no number in the column "
                f"'{column}'",
                found=some(f"{cell!r} for {rows['id'].iloc[row]}" for row, cell in words),
                do=_advice(words[0][1], most=most, gaps=gaps),
            )
        wrong = np.isinf(values[:, place]) if gaps else ~np.isfinite(values[:, place])
        if wrong.any():
            what = "an infinite number" if gaps else "no finite number"
            raise LabelError(
                f"{counted(int(wrong.sum()), 'picture has', 'pictures have')} {what} in the "
                f"column '{column}'",
                found=some(rows["id"][wrong]),
                do="Fill these cells, or leave these pictures out",
            )
    return values


def check_count(option: str, given: Sequence[Any] | None, count: int, what: str) -> None:
    """Check that an option of the task has a value for each column, or point, where it is given.

    Raises:
        LabelError: when it has more or fewer.
    """
    if given is not None and len(given) != count:
        raise LabelError(
            f"The task's `{option}` does not fit its {what}",
            found=f"{len(given)} values for {count} {what}",
            do=f"Give one for each of the {what}, in their order, or leave `{option}` out: it is "
            "learned",
        )


def first(words: Sequence[str], most: int) -> str:
    """The first few of a picture's outputs, for a person.

    >>> first(["a 1", "b 2", "c 3"], 2)
    'a 1, b 2 and 1 more, use --out'
    """
    return some(words, most) + (", use --out" if len(words) > most else "")


def _number(cell: Any) -> float:
    """The number of a cell; NaN where it is empty or none."""
    if isinstance(cell, tuple | list):
        return math.nan
    try:
        return float(cell)  # pandas' NA refuses too
    except (TypeError, ValueError):
        return math.nan


def _is_gap(cell: Any) -> bool:
    import pandas as pd

    if isinstance(cell, str):
        return cell.strip().lower() in ("", "nan")
    if isinstance(cell, tuple | list):
        return False
    return bool(pd.isna(cell))


def _advice(cell: Any, *, most: bool, gaps: bool) -> str:
    if isinstance(cell, tuple | list):
        return "Leave out `delimiter` in the labeler: this task wants one number a cell"
    if isinstance(cell, str) and "," in cell:
        return "Write numbers with a decimal point: 3.5"
    if not most:
        return "Correct it or leave it empty" if gaps else "Correct it, or remove its row"
    return "This task learns numbers; for names of classes use the task `single-label`"
