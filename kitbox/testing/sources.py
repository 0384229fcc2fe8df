"""Tests of the contract of sources, to inherit."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any, ClassVar

import pytest

from kitbox.contracts import Source
from kitbox.errors import KitboxError, SourceError
from kitbox.testing import disk
from kitbox.testing.network import offline
from kitbox.testing.plugins import PluginTests, is_clear, refuses


class SourceTests(PluginTests):
    """What every source keeps to.

    Fixtures: `plugin`, a source that can be fetched in the test; `hopeless`, one that cannot
    (a file that is not there, say), or None. `network` is for a source that fetches from a
    server of the test.
    """

    kind: ClassVar[str] = "source"
    network: ClassVar[bool] = False

    @pytest.fixture
    def cache(self, tmp_path: Path) -> Path:
        """An empty folder."""
        folder = tmp_path / "cache"
        folder.mkdir()
        return folder

    @pytest.fixture
    def hopeless(self) -> Any:
        return None

    def test_finding_does_no_work(self, plugin: Source, cache: Path) -> None:
        with offline():
            found = plugin.find(cache)
        assert found is None or found.is_dir(), f"expected a folder or None, found {found!r}"
        assert not list(cache.iterdir()), f"find() wrote {sorted(cache.iterdir())}"

    def test_what_was_fetched_is_found(self, plugin: Source, cache: Path) -> None:
        folder = self._fetch(plugin, cache)
        assert isinstance(folder, Path), f"expected a Path, found {folder!r}"
        assert folder.is_dir(), f"{folder} is no folder"
        assert disk.state(folder), f"{folder} holds no files"
        with offline():
            found = plugin.find(cache)
        assert found == folder, f"after fetch() gave {folder}, find() gives {found}"

    def test_fetching_again_changes_nothing(self, plugin: Source, cache: Path) -> None:
        folder = self._fetch(plugin, cache)
        before = disk.contents(folder)
        assert self._fetch(plugin, cache) == folder
        assert disk.contents(folder) == before, "a second fetch() changed the files"

    def test_it_is_deterministic(self, plugin: Source, cache: Path, tmp_path: Path) -> None:
        first = disk.contents(self._fetch(plugin, cache))
        other = tmp_path / "other"
        other.mkdir()
        second = disk.contents(self._fetch(plugin, other))
        different = sorted(name for name, _ in first.items() ^ second.items())
        assert not different, f"two caches got different files: {different[:5]}"

    def test_it_appears_whole_or_not_at_all(self, plugin: Source, cache: Path) -> None:
        """The disk is full at the second file; afterwards it is not."""
        with disk.watched(cache, fail_at=2) as watch:
            try:
                folder = self._fetch(plugin, cache)
            except KitboxError as error:
                is_clear(error)
            except OSError as error:
                raise AssertionError(
                    f"a full disk was told as {type(error).__name__}; use kitbox.errors.storage"
                ) from error
            else:
                pytest.skip(f"it writes {len(watch.written)} files, nothing can be half there")
        with offline():
            left = plugin.find(cache)
        assert left is None, f"half a source was left behind, and find() takes it: {left}"
        folder = self._fetch(plugin, cache)
        assert disk.state(folder), "nothing is there after another fetch()"

    def test_what_cannot_be_had_is_told(self, hopeless: Any, cache: Path) -> None:
        if hopeless is None:
            pytest.skip("no fixture `hopeless`")
        refuses(lambda: hopeless.fetch(cache), SourceError, "fetch() of what cannot be had")

    def _fetch(self, plugin: Source, cache: Path) -> Path:
        with nullcontext() if self.network else offline():
            return plugin.fetch(cache)
