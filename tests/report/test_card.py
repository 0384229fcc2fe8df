"""The data card counts what is there."""

from __future__ import annotations

from pathlib import Path

from kitbox.report import card, copies

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
    found = copies.find(rows, there, range(4))
    assert found == [copies.Pair(("copy.jpg", "a.png"), ("valid", "train"))]
    part = card.card(rows, there, {"broken.png": "no picture"}, found)
    assert part.facts["train pictures"] == "3"
    assert part.facts["valid pictures"] == "1"
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
