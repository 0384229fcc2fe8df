"""Tests of what sees files being opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from kitbox.testing import disk


def test_what_is_opened_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "x.txt").write_text("1")
    (tmp_path / "y.txt").write_text("2")
    with disk.watched(tmp_path / "a") as watch:
        (tmp_path / "a" / "b" / "x.txt").read_text()
        (tmp_path / "y.txt").read_text()
        (tmp_path / "a" / "z.txt").write_text("3")
    assert [Path(name).name for name in watch.read] == ["x.txt"]
    assert [Path(name).name for name in watch.written] == ["z.txt"]
    (tmp_path / "a" / "b" / "x.txt").read_text()
    assert len(watch.read) == 1


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    with disk.watched(tmp_path, fail_at=2):
        (tmp_path / "one").write_text("1")
        with pytest.raises(OSError, match="No space left"):
            (tmp_path / "two").write_text("2")
        assert (tmp_path / "one").read_text() == "1"
    (tmp_path / "two").write_text("2")


def test_what_lies_there(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(b"1")
    (tmp_path / ".lock").write_bytes(b"2")
    assert disk.contents(tmp_path) == {"a/x": b"1"}
    before = disk.state(tmp_path)
    assert set(before) == {"a/x"}
    (tmp_path / "a" / "x").write_bytes(b"12")
    assert disk.state(tmp_path) != before
