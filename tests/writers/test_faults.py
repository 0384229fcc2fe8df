import pandas as pd
import pytest

from kitbox.writers import faults


def sample(*ids: str) -> pd.DataFrame:
    return pd.DataFrame({"id": list(ids), "label": ["0"] * len(ids)}, dtype=str)


def test_columns_that_fit_have_no_fault() -> None:
    assert faults.columns(["id", "a b"], ["id", "a b"]) == []


def test_columns_name_the_nearest() -> None:
    said = " ".join(faults.columns(["id", "Lily Valley", "x"], ["id", "lily_valey", "tulip"]))
    assert "2 columns of the sample missing: 'lily_valey' (near: 'Lily Valley'), 'tulip'" in said
    assert "2 columns not in the sample: 'Lily Valley' (near: 'lily_valey'), 'x'" in said


def test_columns_in_another_order_or_twice() -> None:
    assert "order" in faults.columns(["id", "b", "a"], ["id", "a", "b"])[0]
    assert "twice (a)" in faults.columns(["id", "a", "a"], ["id", "a"])[0]


def test_rows_count_and_name() -> None:
    said = faults.rows(["a", "b", "b", "x"], sample("a", "b", *"cdefgh"))
    assert said == [
        "1 id more than once (b)",
        "6 ids of the sample missing (c, d, e, f, g and 1 more)",
        "1 id not in the sample (x)",
    ]


@pytest.mark.parametrize(
    ("found", "wanted", "without"),
    [
        ("a", "a.jpg", "file endings"),
        ("test/a.jpg", "a.jpg", "folders"),
        ("test/a.jpg", "a", "folders and file endings"),
        ("7", "007", "leading zeros"),
        ("A b", "a_B", "case and spaces"),
    ],
)
def test_rows_say_how_ids_would_agree(found: str, wanted: str, without: str) -> None:
    assert faults.rows([found], sample(wanted))[-1].endswith(without)


def test_rows_do_not_say_so_when_they_would_not() -> None:
    assert not any("agree" in fault for fault in faults.rows(["a", "z"], sample("a.jpg", "b.jpg")))


def test_rows_of_an_empty_sample_are_free() -> None:
    assert faults.rows(["a", "b"], sample()) == []
    assert faults.rows(["a", "a"], sample()) == ["1 id more than once (a)"]


def test_kinds_quote_the_first_that_does_not_fit() -> None:
    (said,) = faults.kinds("n", pd.Series([1.0, 2.5]), pd.Series(["3", "4"]))
    assert "column 'n' holds numbers (2.5) where the sample has whole numbers (3, 4)" in said
    (said,) = faults.kinds("n", pd.Series([1.0, 0.99999999]), pd.Series(["3", "4"]))
    assert "whole numbers" in said
    assert faults.kinds("n", pd.Series([1.0, 2.0]), pd.Series(["3", "4"])) == []


def test_empty_counts_all_that_is_no_value() -> None:
    assert faults.empty(pd.Series([0.0, float("nan"), float("inf"), float("-inf")])) == 3
    assert faults.empty(pd.Series(["a", "", "  ", None, "NA", "nan"])) == 3
    assert faults.empty(pd.Series([1, None], dtype="Int64")) == 1
    assert faults.empty(pd.Series([1, 2])) == 0
