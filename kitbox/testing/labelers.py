"""Tests of the contract of labelers, to inherit."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, ClassVar

import pytest

from kitbox.contracts import Labeler, Labels
from kitbox.data import table
from kitbox.data.files import is_picture
from kitbox.errors import LabelError
from kitbox.testing import disk
from kitbox.testing.network import offline
from kitbox.testing.plugins import PluginTests, refuses


class LabelerTests(PluginTests):
    """What every labeler keeps to.

    Fixtures: `plugin`; `folder`, raw files that it can label, pictures of several shapes
    among them; `single`, a folder with one labelled picture, or None.
    """

    kind: ClassVar[str] = "labeler"

    @pytest.fixture
    def folder(self) -> Path:
        raise NotImplementedError(f"Give {type(self).__name__} a fixture `folder` of raw files")

    @pytest.fixture
    def single(self) -> Path | None:
        return None

    def test_it_gives_a_sound_table(self, plugin: Labeler, folder: Path) -> None:
        labels = self._label(plugin, folder)
        rows = table.make(labels, folder)  # tells what is wrong
        assert all(isinstance(note, str) for note in labels.notes)
        assert list(rows["id"]) == sorted(rows["id"])
        missing = [image for image in rows["image"] if not (folder / image).is_file()]
        assert not missing, f"there are no such files: {missing[:5]}"

    def test_it_is_deterministic(self, plugin: Labeler, folder: Path, tmp_path: Path) -> None:
        """The same labels the next time, and where the files lie elsewhere."""
        there = tmp_path / "elsewhere"
        shutil.copytree(folder, there)
        first, again, moved = (
            table.make(self._label(plugin, where), where) for where in (folder, folder, there)
        )
        assert first.equals(again), "a second call gave other rows"
        assert first.equals(moved), "the same files in another folder gave other rows"

    def test_it_only_looks(self, plugin: Labeler, folder: Path) -> None:
        """A data set has a million pictures; names and tables are enough."""
        before = disk.state(folder)
        with disk.watched(folder) as watch:
            self._label(plugin, folder)
        opened = [name for name in watch.read if is_picture(name)]
        assert not opened, f"label() opens pictures: {opened[:3]}"
        assert disk.state(folder) == before, "label() changes the files"

    def test_one_picture(self, plugin: Labeler, single: Path | None) -> None:
        if single is None:
            pytest.skip("no fixture `single`")
        labels = self._label(plugin, single)
        assert len(table.make(labels, single)) == 1

    def test_no_pictures(self, plugin: Labeler, tmp_path: Path) -> None:
        empty = tmp_path / "nothing-here"
        empty.mkdir()
        refuses(lambda: table.make(plugin.label(empty), empty), LabelError, "an empty folder")

    def _label(self, plugin: Any, folder: Path) -> Labels:
        with offline():
            return plugin.label(folder)
