"""Tests of what sees writing outside a folder."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from kitbox.testing import disk
from kitbox.testing.outside import Outside, elsewhere


def test_places_are_new_ones_also_for_other_processes(tmp_path: Path) -> None:
    before = Path.cwd(), Path.home(), tempfile.gettempdir(), dict(os.environ)
    with elsewhere(tmp_path / "there"):
        places = [Path.cwd(), Path.home(), Path(tempfile.gettempdir())]
        shell = 'pwd; echo "$HOME"; echo "$TMPDIR"'
        said = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True)
        assert [Path(line) for line in said.stdout.splitlines()] == places
        for place in places:
            assert place.is_relative_to(tmp_path)
            assert not list(place.iterdir())
    assert (Path.cwd(), Path.home(), tempfile.gettempdir(), dict(os.environ)) == before


def test_all_is_as_before_after_an_error(tmp_path: Path) -> None:
    before = Path.cwd()
    with pytest.raises(ZeroDivisionError), elsewhere(tmp_path / "there"):
        raise ZeroDivisionError
    assert Path.cwd() == before


def test_writing_is_seen_whoever_writes(tmp_path: Path) -> None:
    inside = tmp_path / "cache"
    inside.mkdir()
    for name in ("old", "lost", "same"):
        (tmp_path / name).write_text(name)
    outside = Outside(inside, tmp_path)
    with disk.watched(Path(tmp_path.anchor)) as watch:
        subprocess.run(
            ["sh", "-c", "echo 1 > new; echo 2 >> old; rm lost"], cwd=tmp_path, check=True
        )
        (inside / "a").write_text("a")
        (tmp_path / "for a while").write_text("b")
        (tmp_path / "for a while").unlink()
    names = [Path(name).name for name in outside.written(watch)]
    assert names == ["lost", "new", "old"]


def test_what_is_new_where_others_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, around = tmp_path / "home", tmp_path / "around"
    home.mkdir(), around.mkdir()
    monkeypatch.setenv("HOME", str(home))
    (home / "was here").write_text("")
    outside = Outside(around, around)
    (home / "folder").mkdir()
    (home / "folder" / "a").write_text("a")
    (home / "b").write_text("b")
    found = {Path(name).name: state for name, state in outside.new().items()}
    assert {"folder", "b"} <= set(found)
    assert "was here" not in found
    (home / "folder" / "a").write_text("aa")
    again = {Path(name).name: state for name, state in outside.new().items()}
    assert again["folder"] != found["folder"]
    assert again["b"] == found["b"]
