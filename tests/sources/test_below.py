"""Tests of what is said of the files below a folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import kitbox
from kitbox.errors import SourceError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "films"
    for name in ("b/2.avi", "a.csv", ".hidden", "b/.git/x"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def test_files_are_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kitbox.list_files(folder) == ["a.csv", "b/2.avi"]
    monkeypatch.setenv("HOME", str(folder.parent))
    assert kitbox.list_files(Path("~/films")) == ["a.csv", "b/2.avi"]
    assert kitbox.derived_name(Path("~/films")) == kitbox.derived_name(folder)


def test_no_folder_is_a_clear_error(folder: Path) -> None:
    for call in (kitbox.list_files, kitbox.derived_name):
        with pytest.raises(SourceError, match=r"does not exist.*Did you mean 'films'"):
            call(folder.parent / "filmes")
        with pytest.raises(SourceError, match="not a folder"):
            call(folder / "a.csv")


def test_a_name_says_what_it_was_made_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = kitbox.derived_name(folder, 1, {"side": 32})
    assert first.startswith("films-")
    assert kitbox.derived_name(folder, 1, {"side": 32}) == first
    monkeypatch.chdir(folder.parent)
    assert kitbox.derived_name(Path("films"), 1, {"side": 32}) == first
    others = {kitbox.derived_name(folder, 2, {"side": 32}), kitbox.derived_name(folder, 1)}
    os.utime(folder / "a.csv", ns=(0, 5))
    others.add(kitbox.derived_name(folder, 1, {"side": 32}))
    (folder / "c").write_text("")
    others.add(kitbox.derived_name(folder, 1, {"side": 32}))
    assert len(others - {first}) == 4
    (folder / ".seen").write_text("")
    assert kitbox.derived_name(folder, 1, {"side": 32}) in others
