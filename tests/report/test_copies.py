"""Pictures that look alike, from decoded pixels."""

from __future__ import annotations

from pathlib import Path

import pytest

from kitbox.report import copies

from .made import decoded, table

NAMES = ["a.png", "b.png", "broken.png", "copy.jpg"]


def test_a_copy_is_found_once_and_broken_ones_are_left_out(folder: Path) -> None:
    rows = table(NAMES, part=["train", "train", "train", "valid"])
    told: list[int] = []
    found = copies.find(rows, decoded(folder, NAMES), range(4), lambda n=1, note="": told.append(n))
    assert found == [copies.Pair(("copy.jpg", "a.png"), ("valid", "train"))]
    assert sum(told) == 4
    assert copies.across(found) == [("a.png", "copy.jpg")]
    assert copies.across([copies.Pair(("c.png", "d.png"), ("train", "train"))]) == []


def test_no_more_than_a_person_waits_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "MOST", 3)
    rows = table(NAMES, part=["train"] * 4)
    assert copies.find(rows, decoded(folder, NAMES), range(4)) == []
