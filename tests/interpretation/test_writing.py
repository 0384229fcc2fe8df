"""Sections as files: all of them, under names that stay; nobody's files are touched."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest

from kitbox import storage
from kitbox.errors import StorageError
from kitbox.interpretation.advice import Advice
from kitbox.interpretation.section import Plot, Section
from kitbox.interpretation.writing import ADVICE, WRITTEN, save

OURS = (ADVICE, WRITTEN)


def sections() -> list[Section]:
    named = pd.DataFrame({"n": [1.5, 2]}, index=["a", "ä,b"])
    return [
        Section("One", tables={"scores": named}, plots={"scores": Plot(figsize=(1, 1))}),
        Section("Two", tables={"scores": pd.DataFrame({"image": ["x"]})}),
    ]


def test_all_is_written_and_read_back(tmp_path: Path) -> None:
    advice = [Advice("x", "seen", "why", {"sampler": "balanced"})]
    written = save(sections(), advice, tmp_path / "a" / "b").files
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
    assert names == {"scores.csv", "scores.png", *OURS, "hard.csv", "notes.txt"}


def test_what_somebody_changed_stays(tmp_path: Path) -> None:
    """The advice says to keep in a file what is to be left out."""
    save(sections(), [], tmp_path)
    (tmp_path / "scores.csv").write_text("image\nmine.png\n")
    (tmp_path / "two-scores.csv").write_text("image\nmine.png\n")
    (tmp_path / "scores.png").unlink()
    (tmp_path / "other.png").write_bytes(b"mine")
    for _ in range(3):  # what was written beside it is ours, and replaced
        written = save(sections()[:1], [], tmp_path)
        assert written.kept == [(tmp_path / "scores.csv", tmp_path / "scores-new.csv")]
        assert (tmp_path / "scores.csv").read_text() == "image\nmine.png\n"
        assert pd.read_csv(tmp_path / "scores-new.csv")["n"].tolist() == [1.5, 2]
    names = {path.name for path in tmp_path.iterdir()}
    beside = {"scores-new.csv", "two-scores.csv", "other.png"}
    assert names == {"scores.csv", "scores.png", *beside, *OURS}
    (tmp_path / "scores-new.csv").write_text("image\nmine too.png\n")
    save(sections()[:1], [], tmp_path)
    assert (tmp_path / "scores-new.csv").read_text() == "image\nmine too.png\n"
    assert len(pd.read_csv(tmp_path / "scores-new-2.csv")) == 2


@pytest.mark.parametrize("content", ["", "[]", '{"../mine.csv": "x"}', "{"])
def test_where_nothing_is_known_nothing_is_removed(tmp_path: Path, content: str) -> None:
    folder = tmp_path / "i"
    save(sections(), [], folder)
    (folder / WRITTEN).write_text(content)
    (tmp_path / "mine.csv").write_text("mine")
    assert len(save(sections(), [], folder).kept) == 4
    assert (tmp_path / "mine.csv").read_text() == "mine"


def test_files_of_a_call_that_was_killed_are_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(path: Path, content: bytes) -> None:
        if path.name == "advice.json":
            raise KeyboardInterrupt
        storage.write(path, content)

    monkeypatch.setattr("kitbox.interpretation.writing.write", killed)
    with pytest.raises(KeyboardInterrupt):
        save(sections(), [], tmp_path)
    monkeypatch.undo()
    assert save(sections(), [], tmp_path).kept == []


def test_names_that_are_no_text_are_written(tmp_path: Path) -> None:
    bad = os.fsdecode(b"caf\xe9.jpg")
    advice = [Advice("labels", bad, "why")]
    section = Section("One", tables={"rows": pd.DataFrame({"image": [bad]})})
    (path,) = save([section], advice, tmp_path).files
    assert b"caf\xe9.jpg" in path.read_bytes()
    (told,) = json.loads((tmp_path / "advice.json").read_text(encoding="utf-8"))
    assert told["seen"] == bad


def test_a_folder_of_somebody_s_is_left(tmp_path: Path) -> None:
    (tmp_path / "holiday.png").write_bytes(b"")
    with pytest.raises(StorageError, match="no interpretation has written"):
        save(sections(), [], tmp_path)
    with pytest.raises(StorageError, match="is a file"):
        save(sections(), [], tmp_path / "holiday.png")
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.png"]
