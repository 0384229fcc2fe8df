"""The cells of a csv file: what kind of value a column holds, how a value is written."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["nothing", "whole", "number", "text"]

_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

WORDS: dict[Kind, str] = {
    "nothing": "nothing",
    "whole": "whole numbers",
    "number": "numbers",
    "text": "text",
}
"""The kinds as a message names them."""


def judge(cells: Iterable[str]) -> Kind:
    """What a column of cells holds; blank cells do not count.

    'whole' when every cell is an integer, 'number' when every cell is a finite
    decimal number, else 'text'. 'nothing' when all are blank or there are none.

    >>> judge(["0", "17"]), judge(["0.5", "1e-3", "2"]), judge(["1 2", "3"]), judge(["", " "])
    ('whole', 'number', 'text', 'nothing')
    """
    kind: Kind = "nothing"
    for cell in filled(cells):
        if not _NUMBER.fullmatch(cell):
            return "text"
        kind = "whole" if kind != "number" and _WHOLE.fullmatch(cell) else "number"
    return kind


def wanted(cells: Iterable[str]) -> Kind:
    """What may stand in a column whose cells in the sample submission are `cells`.

    A sample is filled with placeholders, so its cells tell less than they seem
    to. 'nothing' means that anything may stand there; 'number' takes whole
    numbers too.

    - no cells, or blank ones: anything.
    - a cell that is no number: text.
    - decimals ('0.5', '0.0'): numbers.
    - integers that are all the same, or only 0 and 1: numbers. '0' in every row
      is what most samples hold for a probability and for a class number alike,
      and a submission refused here wrongly could not be handed in at all, while
      Kaggle says so where whole numbers are wanted.
    - two or more integers beyond 0 and 1: whole numbers.

    >>> wanted(["0", "0"]), wanted(["0", "3"]), wanted(["husky"]), wanted([])
    ('number', 'whole', 'text', 'nothing')
    """
    values = filled(cells)
    kind = judge(values)
    if kind == "whole" and (len(values) == 1 or {int(value) for value in values} <= {0, 1}):
        return "number"
    return kind


def fits(found: Kind, want: Kind) -> bool:
    """Whether a column that holds `found` may stand where `want` is wanted."""
    return "nothing" in (found, want) or found == want or (found, want) == ("whole", "number")


def filled(cells: Iterable[str]) -> set[str]:
    """The different cells that are not blank, without the spaces around them."""
    return {cell.strip() for cell in cells} - {""}


def number(value: float) -> str:
    """A finite number as the file holds it: 7 significant digits, whole numbers in full.

    Seven digits are what a float32 holds; the digits after them differ between
    machines. Whole numbers and numbers from a million up have no exponent and
    no decimals.

    >>> number(0.1), number(2.0), number(-0.0), number(1 / 3), number(12345678.9)
    ('0.1', '2', '0', '0.3333333', '12345679')

    Raises:
        ValueError: for NaN and infinity.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number that a submission may hold")
    if abs(value) < 1e15:
        if value.is_integer():
            return str(int(value))
        if abs(value) >= 1e6:
            return f"{value:.0f}"
    return f"{value:.7g}"


def texts(column: pd.Series) -> list[str]:
    """The cells of a column (N,) as the file holds them.

    Text stays as it is, integers stay integers, floats go through `number`.

    Raises:
        ValueError: for a missing value, NaN or infinity.
    """
    import pandas as pd

    if pd.api.types.is_float_dtype(column.dtype):
        return [number(value) for value in column.to_numpy("float64", na_value=math.nan).tolist()]
    return [text(value) for value in column.tolist()]


def judge_column(column: pd.Series) -> Kind:
    """What a column (N,) without missing values holds, as `judge` says of its cells."""
    import pandas as pd

    if not len(column):
        return "nothing"
    if pd.api.types.is_float_dtype(column.dtype):
        values = column.to_numpy("float64", na_value=math.nan)
        return "whole" if (values == values.round()).all() else "number"
    if is_number(column):
        return "whole"
    return judge(texts(column))


def is_number(column: pd.Series) -> bool:
    """Whether the column's dtype is one of numbers (truth values are none)."""
    import pandas as pd

    dtype = column.dtype
    return pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)


def text(value: object) -> str:
    """One value as the file holds it.

    >>> text("007"), text(7), text(7.5)
    ('007', '7', '7.5')

    Raises:
        ValueError: for a missing value, NaN or infinity.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral):
        return number(float(value))
    written = str(value)
    if written in ("None", "<NA>", "NaT"):
        raise ValueError(f"{written} is a missing value")
    return written
