import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitbox import cells


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (["0", "-3", "+4", "007"], "whole"),
        (["0", "1.0"], "number"),
        (["1.0", "0"], "number"),
        ([".5", "5.", "1E-3"], "number"),
        ([" 0.5", "1 "], "number"),
        (["0.5", "nan"], "text"),
        (["0", "inf"], "text"),
        (["1 2 3"], "text"),
        (["0x10"], "text"),
        (["١"], "text"),
        (["", " ", "4"], "whole"),
        (["", " "], "nothing"),
        ([], "nothing"),
    ],
)
def test_judge(column: list[str], kind: str) -> None:
    assert cells.judge(column) == kind


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (["0"] * 3, "number"),
        (["42"] * 3, "number"),
        (["0", "1", "1"], "number"),
        (["0", "2", "1"], "whole"),
        (["0.5"] * 3, "number"),
        (["Sugar beet"], "text"),
        ([""], "nothing"),
    ],
)
def test_wanted_of_placeholders(column: list[str], kind: str) -> None:
    assert cells.wanted(column) == kind


def test_fits() -> None:
    kinds = ("whole", "number", "text")
    fitting = {(f, w) for f in kinds for w in kinds if cells.fits(f, w)}
    assert fitting == {*((k, k) for k in kinds), ("whole", "number")}
    assert all(cells.fits(kind, "nothing") for kind in kinds)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_number_keeps_seven_digits_and_is_a_fixed_point(value: float) -> None:
    text = cells.number(value)
    assert cells.judge([text]) in ("whole", "number")
    assert float(text) == pytest.approx(value, rel=5.1e-7, abs=1e-320)
    assert cells.number(float(text)) == text


@given(st.integers(-(10**15) + 1, 10**15 - 1))
def test_whole_numbers_are_written_in_full(value: int) -> None:
    assert cells.number(float(value)) == str(value)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_float32_and_float64_give_the_same_text(value: float) -> None:
    columns = [pd.Series([value], dtype=dtype) for dtype in ("float32", "float64", object)]
    assert len({cells.texts(column)[0] for column in columns}) == 1


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_number_refuses(value: float) -> None:
    with pytest.raises(ValueError, match="no number"):
        cells.number(value)


@pytest.mark.parametrize("value", [None, pd.NA, pd.NaT, math.nan, np.float32("nan")])
def test_texts_refuse_missing_values(value: object) -> None:
    with pytest.raises(ValueError, match=r"missing|no number"):
        cells.texts(pd.Series(["a", value], dtype=object))


def test_texts_by_dtype() -> None:
    assert cells.texts(pd.Series([1, 10**17])) == ["1", "100000000000000000"]
    assert cells.texts(pd.Series([0.25, 3.0, 1e-7])) == ["0.25", "3", "1e-07"]
    assert cells.texts(pd.Series(["007", "NA", ""])) == ["007", "NA", ""]
    assert cells.texts(pd.Series(["a", 2, 2.5, np.float32(0.1)], dtype=object)) == [
        "a",
        "2",
        "2.5",
        "0.1",
    ]
    assert cells.texts(pd.Series([0.5, 2], dtype="Float64")) == ["0.5", "2"]


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pd.Series([1.0, 2.0]), "whole"),
        (pd.Series([1.0, 2.5]), "number"),
        (pd.Series([1, 2], dtype="int8"), "whole"),
        (pd.Series([True, False]), "text"),
        (pd.Series(["0.5", "1"]), "number"),
        (pd.Series(["cat"], dtype="category"), "text"),
        (pd.Series([], dtype="float64"), "nothing"),
    ],
)
def test_judge_column(column: pd.Series, kind: str) -> None:
    assert cells.judge_column(column) == kind
