"""What a run keeps of its submissions."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from kitbox.errors import StorageError
from kitbox.kaggle import handed_in
from kitbox.kaggle.handed_in import FILE, HandedIn

ONE = HandedIn("dogs", 7, "2026-11-20 10:00:00", "a mëssage", "00ff")


def test_kept_and_read_back(tmp_path: Path) -> None:
    assert handed_in.of(tmp_path) == []
    handed_in.keep(tmp_path, ONE)
    two = replace(ONE, ref=8)
    handed_in.keep(tmp_path, two)
    done = replace(ONE, status="complete", public_score="0.5")
    handed_in.keep(tmp_path, done)
    assert handed_in.of(tmp_path) == [done, two]


def test_fields_of_a_later_version_do_no_harm(tmp_path: Path) -> None:
    handed_in.keep(tmp_path, ONE)
    path = tmp_path / FILE
    path.write_text(path.read_text().replace('"ref": 7', '"ref": 7, "mood": "good"'))
    assert handed_in.of(tmp_path) == [ONE]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"submissions": [{}]}', '{"submissions": [3]}'])
def test_a_broken_list_is_not_overwritten(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(StorageError, match="does not hold a list"):
        handed_in.keep(tmp_path, ONE)
    assert (tmp_path / FILE).read_text() == text


def test_below(tmp_path: Path) -> None:
    assert list(handed_in.below(tmp_path / "none")) == []
    for place in ("b", "a/deep"):
        (tmp_path / place).mkdir(parents=True)
        handed_in.keep(tmp_path / place, ONE)
    runs = [run.relative_to(tmp_path).as_posix() for run, _ in handed_in.below(tmp_path)]
    assert runs == ["a/deep", "b"]


def test_the_digest(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    assert handed_in.digest(tmp_path / "f") == hashlib.sha256(b"abc").hexdigest()
    with pytest.raises(StorageError):
        handed_in.digest(tmp_path / "none")
