"""Tests of copies while something is made."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kitbox.sources.whole import make_folder
from kitbox.testing.moments import moments


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def write(target: Path) -> None:
    target.mkdir()
    for name in "ab":
        subprocess.run(["touch", str(target / name)], check=True)


def test_every_state_is_copied(root: Path, tmp_path: Path) -> None:
    with moments(root, root / "x", tmp_path / "copies") as copies:
        write(root / "x")
    assert [names(copy) for copy in copies] == [[], ["a"], ["a", "b"]]
    assert sys.getprofile() is None


def test_in_other_threads_too(root: Path, tmp_path: Path) -> None:
    with moments(root, root / "x", tmp_path / "copies") as copies:
        thread = threading.Thread(target=write, args=(root / "x",))
        thread.start()
        thread.join()
    assert names(copies[0]) == []
    assert names(copies[-1]) == ["a", "b"]


def test_what_appears_whole_is_copied_whole(root: Path, tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        for name in "ab":
            (folder / name).write_text(name)

    with moments(root, root / "x", tmp_path / "copies") as copies:
        make_folder(root / "x", fill)
    assert copies
    assert all(names(copy / "x") == ["a", "b"] for copy in copies)


def test_a_few_are_enough(root: Path, tmp_path: Path) -> None:
    with moments(root, root / "x", tmp_path / "copies", most=2) as copies:
        write(root / "x")
    assert [names(copy) for copy in copies] == [[], ["a"]]
