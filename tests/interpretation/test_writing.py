"""Sections as files: all of them, under names that stay; nobody's files are touched."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from kitbox.errors import StorageError
from kitbox.interpretation.advice import Advice
from kitbox.interpretation.section import Plot, Section
from kitbox.interpretation.writing import save


def sections() -> list[Section]:
    named = pd.DataFrame({"n": [1.5, 2]}, index=["a", "ä,b"])
    return [
        Section("One", tables={"scores": named}, plots={"scores": Plot(figsize=(1, 1))}),
        Section("Two", tables={"scores": pd.DataFrame({"image": ["x"]})}),
    ]


def test_all_is_written_and_read_back(tmp_path: Path) -> None:
    advice = [Advice("x", "seen", "why", {"sampler": "balanced"})]
    written = save(sections(), advice, tmp_path / "a" / "b")
    assert [path.name for path in written] == ["scores.csv", "scores.png", "two-scores.csv"]
    table = pd.read_csv(written[0])
    assert table["name"].tolist() == ["a", "ä,b"]
    assert list(pd.read_csv(written[2]).columns) == ["image"]  # as a recipe's `exclude` takes it
    (told,) = json.loads((tmp_path / "a" / "b" / "advice.json").read_text())
    assert told["change"] == {"sampler": "balanced"}


def test_what_was_written_before_goes_but_problem_cases_stay(tmp_path: Path) -> None:
    save(sections(), [], tmp_path)
    (tmp_path / "hard.csv").write_text("image,weight\n")
    (tmp_path / "notes.txt").write_text("mine")
    save(sections()[:1], [], tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"scores.csv", "scores.png", "advice.json", "hard.csv", "notes.txt"}


def test_a_folder_of_somebody_s_is_left(tmp_path: Path) -> None:
    (tmp_path / "holiday.png").write_bytes(b"")
    with pytest.raises(StorageError, match="no interpretation has written"):
        save(sections(), [], tmp_path)
    with pytest.raises(StorageError, match="is a file"):
        save(sections(), [], tmp_path / "holiday.png")
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.png"]
