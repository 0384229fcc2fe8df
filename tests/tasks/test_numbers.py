"""Numbers out of cells as people have them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from kitbox.errors import LabelError
from kitbox.tasks import numbers


def table(cells: Any) -> pd.DataFrame:
    return pd.DataFrame({"id": [f"p{i}" for i in range(len(cells))], "n": cells})


@pytest.mark.parametrize(
    "cells",
    [
        [1, 2],
        [1.0, 2.0],
        ["1", " 2.0 "],
        pd.array([1, 2], dtype="Int64"),
        pd.array([1, 2], dtype="Float64"),
        pd.Series([1, "2"], dtype=object),
        np.array([1, 2], np.float32),
    ],
)
def test_numbers_are_read_however_they_are_held(cells: Any) -> None:
    found = numbers.read(table(cells), ["n"])
    assert found.dtype == np.float64
    assert found.tolist() == [[1.0], [2.0]]


@pytest.mark.parametrize("gap", [None, float("nan"), pd.NA, "", " NaN "])
def test_gaps_are_nan_where_allowed_and_refused_by_id_else(gap: Any) -> None:
    rows = table(pd.Series([1, gap, 3], dtype=object))
    found = numbers.read(rows, ["n"], gaps=True)
    assert np.isnan(found[:, 0]).tolist() == [False, True, False]
    with pytest.raises(LabelError, match="1 picture has no finite number in the column 'n'") as e:
        numbers.read(rows, ["n"])
    assert "p1" in str(e.value)


def test_gaps_of_pandas_own_kind() -> None:
    assert np.isnan(numbers.read(table(pd.array([1, None], dtype="Int64")), ["n"], gaps=True)[1, 0])


@pytest.mark.parametrize("gaps", [True, False])
def test_infinity_is_no_number(gaps: bool) -> None:
    with pytest.raises(LabelError, match="p1"):
        numbers.read(table([1.0, np.inf]), ["n"], gaps=gaps)


@pytest.mark.parametrize("gaps", [True, False])
def test_one_bad_cell_is_to_be_corrected(gaps: bool) -> None:
    with pytest.raises(LabelError, match=r"^1 picture has no number") as caught:
        numbers.read(table(pd.Series([1, "many", 3], dtype=object)), ["n"], gaps=gaps)
    assert ("Correct it or leave it empty" if gaps else "Correct it") in str(caught.value)
    assert "single-label" not in str(caught.value)


@pytest.mark.parametrize(
    ("cell", "advice"),
    [("many", "single-label"), ("3,5", "decimal point: 3.5"), (("a", "b"), "delimiter")],
)
@pytest.mark.parametrize("gaps", [True, False])
def test_words_are_refused(cell: Any, advice: str, gaps: bool) -> None:
    rows = table(pd.Series([1, cell, None], dtype=object))
    with pytest.raises(LabelError, match="no number in the column 'n'") as caught:
        numbers.read(rows, ["n"], gaps=gaps)
    assert f"{cell!r} for p1" in str(caught.value)
    assert "p2" not in str(caught.value)
    assert advice in str(caught.value)
