"""Labels from cells, from columns, and what cannot be learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from kitbox.errors import LabelError
from kitbox.tasks import tags


def cells(*labels: Any) -> pd.DataFrame:
    return pd.DataFrame({"tags": pd.Series(labels, dtype=object)})


def test_cells_of_labels() -> None:
    rows = cells(("sky", "sea"), (), ("sea",), ["tree", "sky"])
    assert tags.find(rows, ["tags"]) == ("sea", "sky", "tree")
    hot = tags.matrix(rows, ["tags"], ("sky", "sea", "tree"))
    assert hot.dtype == np.uint8
    assert hot.tolist() == [[1, 1, 0], [0, 0, 0], [0, 1, 0], [1, 0, 1]]
    assert tags.matrix(rows, ["tags"], ("tree",)).tolist() == [[0], [0], [0], [1]]


def test_numbers_are_names_in_their_order() -> None:
    assert tags.find(cells(("10", "9"), ("0",)), ["tags"]) == ("0", "9", "10")
    assert tags.find(cells("a", "b", "a"), ["tags"]) == ("a", "b")


@pytest.mark.parametrize(
    "column",
    [
        [1, 0, 1],
        [1.0, 0.0, 1.0],
        ["1", "0", "1"],
        [True, False, True],
        ["True", "FALSE", "true"],
        ["yes", "No", "Y"],
        ["t", "f", "t"],
        [1, -1, 1],
        ["1.0", "0.0", "1"],
        np.array([1, 0, 1], np.float32),
        pd.array([1, 0, 1], "Int64"),
        pd.array([True, False, True], "boolean"),
    ],
)
def test_columns_of_flags(column: Any) -> None:
    rows = pd.DataFrame({"sky": column, "sea": [0, 0, 1]})
    assert tags.find(rows, ["sky", "sea"]) == ("sky", "sea")
    assert tags.matrix(rows, ["sky", "sea"], ("sea", "sky")).tolist() == [[0, 1], [0, 0], [1, 1]]
    assert tags.find(rows, ["sky"]) == ("sky",)
    assert tags.matrix(rows, ["sky"], ("sky",)).tolist() == [[1], [0], [1]]


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ([0.5, 1.0], "0.5"),
        (["maybe", "no"], "maybe"),
        ([2, 1], "2"),
        ([("a",), ("b",)], "does not say yes or no"),
        ([-1, 0], "what -1 and 0 mean"),
    ],
)
def test_columns_of_something_else_are_refused(column: list[Any], words: str) -> None:
    rows = pd.DataFrame({"sky": pd.Series(column, dtype=object), "sea": [0, 1]})
    with pytest.raises(LabelError, match=words) as caught:
        tags.find(rows, ["sea", "sky"])
    assert "'sky'" in str(caught.value)
    assert "delimiter" in str(caught.value)


def test_no_label_at_all() -> None:
    with pytest.raises(LabelError, match="No picture has a label"):
        tags.find(cells((), ()), ["tags"])


@pytest.mark.parametrize("delimiter", [" ", ",", ";", "|"])
def test_a_forgotten_delimiter_is_told(delimiter: str) -> None:
    joined = [delimiter.join(parts) for parts in ("ab", "bc", "ac", "abc", "a", "b")]
    with pytest.raises(LabelError, match="look like several") as caught:
        tags.find(cells(*joined), ["tags"])
    assert f"delimiter: {delimiter!r}" in str(caught.value)


def test_names_with_spaces_are_names() -> None:
    names = ("french bulldog", "english setter", "cat")
    assert set(tags.find(cells(*names), ["tags"])) == set(names)


TRAIN = np.array([True, True, True, False])
HOT = np.array([[1, 0, 0, 1, 1], [1, 0, 0, 0, 0], [1, 0, 0, 1, 0], [0, 1, 0, 0, 0]], np.uint8)


def table() -> pd.DataFrame:
    return pd.DataFrame(HOT, columns=list("abcde"))


def test_what_cannot_be_learned_is_told_by_kind() -> None:
    assert tags.unlearnable(HOT, TRAIN, "abcde") == {
        "every training picture has": ["a"],
        "no training picture has, validation alone": ["b"],
        "no picture has": ["c"],
        "a single picture has": ["e"],
    }
    with pytest.raises(LabelError, match="cannot be learned") as caught:
        tags.learn(table(), list("abcde"), None, TRAIN, "refuse")
    text = str(caught.value)
    for words in ("every training picture has: a", "no picture has: c", "single picture has: e"):
        assert words in text
    assert "validation alone: b" in text


def test_what_cannot_be_learned_is_dropped_or_kept() -> None:
    names, hot = tags.learn(table(), list("abcde"), None, TRAIN, "drop")
    assert names == ("d",)
    assert hot.tolist() == HOT[:, 3:4].tolist()
    names, hot = tags.learn(table(), list("abcde"), None, TRAIN, "keep")
    assert names == tuple("abcde")
    assert hot.tolist() == HOT.tolist()
    with pytest.raises(LabelError, match="No label can be learned"):
        tags.learn(table()[["a"]], ["a"], None, TRAIN, "drop")


def test_classes_and_labels_must_agree() -> None:
    rows = cells(("sky",), ("sea", "sky"), ("sea",), ())
    with pytest.raises(LabelError, match="does not list") as caught:
        tags.learn(rows, ["tags"], ("sky", "see"), TRAIN, "keep")
    assert "'sea'" in str(caught.value)
    assert "Did you mean 'see'" in str(caught.value)
    with pytest.raises(LabelError, match="no picture has: moon"):
        tags.learn(rows, ["tags"], ("sky", "sea", "moon"), TRAIN, "refuse")
    names, hot = tags.learn(rows, ["tags"], ("sky", "moon", "sea"), TRAIN, "keep")
    assert names == ("sky", "moon", "sea")
    assert hot.tolist() == [[1, 0, 0], [1, 0, 1], [0, 0, 1], [0, 0, 0]]


def test_balanced_weights_are_negatives_per_positive() -> None:
    assert tags.balanced(HOT, "abcde") == {"a": 1 / 3, "b": 3.0, "c": 1.0, "d": 1.0, "e": 3.0}


def test_a_hundred_thousand_rows_take_seconds() -> None:
    rng = np.random.default_rng(0)
    hot = rng.integers(0, 2, (100_000, 17))
    rows = pd.DataFrame(hot, columns=[f"c{k}" for k in range(17)])
    names = tags.find(rows, list(rows.columns))
    assert (tags.matrix(rows, list(rows.columns), names) == hot).all()
