"""How many pictures each class has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kitbox.data import counts
from kitbox.tasks.multi_label import MultiLabel
from kitbox.tasks.regression import Regression
from kitbox.tasks.single_label import SingleLabel


def rows(**columns: list[Any]) -> pd.DataFrame:
    """Four that train, two that validate, one of each of two other parts."""
    parts = ["train"] * 4 + ["valid"] * 2 + ["test", "broken"]
    names = [f"{n}.png" for n in range(8)]
    return pd.DataFrame({"id": names, "image": names, "part": parts, **columns})


TAGS = [("clear", "road"), ("haze",), (), ("clear",), ("clear", "road"), ("road",)]


@pytest.mark.parametrize(
    ("task", "column", "expected"),
    [
        (
            SingleLabel(),
            ["b", "a", "b", "b", "a", "b", None, "a"],
            {"a": [1, 1], "b": [3, 1]},
        ),
        (
            MultiLabel(unlearnable="keep"),
            [*TAGS, None, ("haze",)],
            {"clear": [2, 1], "haze": [1, 0], "road": [1, 2]},
        ),
    ],
)
def test_pictures_by_class(
    task: Any, column: list[Any], expected: dict[str, list[int]], tmp_path: Path
) -> None:
    table = rows(label=column)
    learned = task.learn(table[table["part"].isin(["train", "valid"])], ["label"], tmp_path)
    found = counts.by_class(learned, table, tmp_path)
    assert found is not None
    assert list(found.columns) == ["train", "valid"]
    assert {name: list(row) for name, row in found.iterrows()} == expected


def test_numbers_have_no_classes(tmp_path: Path) -> None:
    table = rows(n=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, None, 7.0])
    learned = Regression().learn(table[table["part"].isin(["train", "valid"])], ["n"], tmp_path)
    assert counts.by_class(learned, table, tmp_path) is None
