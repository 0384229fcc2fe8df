"""Parts of a run's table for pictures of now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kitbox.learning.parts import PartsOfRun


class All:
    """A splitter by which everything validates; it counts how often it was asked."""

    asked = 0

    def split(self, rows: pd.DataFrame, targets: Any, folder: Path) -> pd.Series:
        self.asked += 1
        return pd.Series("valid", index=rows.index)


def table(**parts: str) -> pd.DataFrame:
    rows = [(name, f"{name}.png", part) for name, part in parts.items()]
    return pd.DataFrame(rows, columns=["id", "image", "part"])


def split(of_run: pd.DataFrame, rows: pd.DataFrame) -> tuple[list[str], list[str], int]:
    other, said = All(), []
    splitter = PartsOfRun(of_run, other, said.append)
    found = splitter.split(rows.drop(columns="part"), ("label",), Path())
    assert found.index.equals(rows.index)
    return list(found), said, other.asked


def test_pictures_keep_their_part() -> None:
    of_run = table(a="train", b="valid", c="train", d="test")
    now = table(c="?", b="?", a="?").set_axis([5, 3, 9])
    assert split(of_run, now) == (["train", "valid", "train"], [], 0)


def test_pictures_that_came_and_went() -> None:
    """A test picture that is labelled now was not trained on either."""
    of_run = table(a="train", b="valid", c="train", d="test", e="broken")
    now = table(a="?", b="?", d="?", e="?", f="?")
    parts, said, asked = split(of_run, now)
    assert parts == ["train", "valid", "valid", "valid", "valid"]
    assert asked == 1
    assert said == [
        "2 of 5 labelled pictures came after the run: the recipe's split says which of them "
        "validate, the others stay in their part",
        "1 labelled picture of the run can no longer be found",
    ]


def test_a_picture_whose_id_has_changed() -> None:
    of_run = table(a="train", b="valid")
    now = table(x="?", y="?").assign(image=["a.png", "b.png"])
    assert split(of_run, now)[0] == ["train", "valid"]


@pytest.mark.parametrize("order", [1, -1])
def test_a_picture_with_rows_in_both_parts(order: int) -> None:
    of_run = table(a="train", b="valid").assign(image="one.png").iloc[::order]
    now = table(a="?", b="?", c="?").assign(image="one.png")
    assert split(of_run, now)[0] == ["train", "valid", "train"]
