"""The data card counts what is there."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from kitbox.interpretation.across import Pair
from kitbox.report import card

from .made import decoded, table


def test_the_data_card_counts_what_is_there(folder: Path) -> None:
    names = ["a.png", "b.png", "broken.png", "copy.jpg"]
    rows = table(
        names,
        part=["train", "train", "train", "valid"],
        label=["x", "y", "x", "x"],
        size=[0.5, 1.5, 2.5, 3.5],
    )
    there = decoded(folder, names)
    found = [Pair(("a.png", "copy.jpg"), ("train", "valid"))]
    part = card.card(rows, there, {"broken.png": "no picture"}, found)
    assert part.facts["training pictures"] == "3"
    assert part.facts["validation pictures"] == "1"
    assert part.facts["test pictures"] == "0"
    assert part.facts["broken"] == "1"
    counts = part.tables["counts by label"]
    assert counts.loc["x"].to_dict() == {"pictures": 3, "train": 2, "valid": 1}
    assert part.tables["picture sizes"]["pictures"].sum() == 3
    assert "3 pictures are 50 to 80 pixels wide and 60 to 100 high" in part.lines[0]
    assert part.facts["pairs that look alike"] == "1"


def test_a_number_of_many_values_is_described_not_counted() -> None:
    rows = table([f"{n}.png" for n in range(60)], part=["train"] * 60, age=list(range(60)))
    part = card.card(rows, None, {}, None)
    described = part.tables["values of age"]
    assert described.loc["train", "max"] == 59
    assert not part.figures


def test_a_text_of_its_own_for_each_picture_is_no_class() -> None:
    rows = table(
        [f"{n}.png" for n in range(60)], part=["train"] * 60, file=[f"m{n}" for n in range(60)]
    )
    assert not card.card(rows, None, {}, None).tables


TAGS = [("clear", "road") if n % 3 else ("haze",) for n in range(60)]


def test_labels_are_counted_not_their_combinations() -> None:
    rows = table([f"{n}.png" for n in range(60)], part=["train"] * 60, tags=TAGS)
    rows.loc[3, "tags"] = None  # was ("haze",)
    part = card.card(rows, None, {}, None)
    counts = part.tables["counts by tags"]
    assert counts["pictures"].to_dict() == {"clear": 40, "road": 40, "haze": 19}
    assert part.lines == ["1 labelled pictures have no value of tags."]


def test_the_task_s_classes_are_counted_once() -> None:
    """A column for each label makes one table and one chart."""
    rows = table(["1.png", "2.png"], part=["train", "valid"], cat=[1, 0], dog=[1, 1])
    classes = pd.DataFrame({"train": [1, 1, 0], "valid": [0, 1, 0]}, ["cat", "dog", "eel"])
    part = card.card(rows, None, {}, None, classes)
    assert list(part.tables) == ["counts by class"]
    assert part.tables["counts by class"]["pictures"].to_dict() == {"dog": 2, "cat": 1, "eel": 0}
    assert [one.name for one in part.figures] == ["pictures by class, most frequent first"]


@pytest.mark.parametrize(
    ("names", "order", "said"),
    [
        (["10", "9", "2"], ["2", "9", "10"], "in the order of the numbers"),
        (["b", "a", "9"], ["9", "a", "b"], "most frequent first"),
        ([str(n) for n in range(40)], ["39", "38"], "the 30 most frequent of 40"),
    ],
)
def test_bars_are_in_an_order_that_is_said(names: list[str], order: list[str], said: str) -> None:
    labels = [name for n, name in enumerate(names, 1) for _ in range(n)]
    rows = table([f"{n}.png" for n in range(len(labels))], part=["train"] * len(labels))
    part = card.card(rows.assign(label=labels), None, {}, None)
    assert list(part.tables["counts by label"].index)[: len(order)] == order
    assert said in part.figures[0].name


def test_it_says_when_not_all_were_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = table([f"{n}.png" for n in range(6)], part=["train"] * 5 + ["test"])
    assert card.card(rows, None, {}, []).lines == []
    monkeypatch.setattr(card, "MOST", 4)
    (line,) = card.card(rows, None, {}, []).lines
    assert line.startswith("Of 5 pictures 4 were compared")
