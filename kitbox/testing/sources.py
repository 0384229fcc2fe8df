"""Tests of the contract of sources, to inherit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, ClassVar

import pytest

from kitbox.contracts import Source
from kitbox.errors import KitboxError, SourceError
from kitbox.testing import disk
from kitbox.testing.moments import moments
from kitbox.testing.network import offline
from kitbox.testing.outside import Outside, elsewhere
from kitbox.testing.plugins import PluginTests, is_clear, refuses


class SourceTests(PluginTests):
    """What every source keeps to.

    Fixtures: `plugin`, a source that can be fetched in the test; `hopeless`, one that cannot
    (a file that is not there, say), or None. `network` is for a source that fetches from a
    server of the test. Some tests run in another working folder, so paths are absolute.
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

    def test_finding_does_no_work(self, plugin: Source, cache: Path, tmp_path: Path) -> None:
        with self._looked_at(cache, tmp_path), offline():
            found = plugin.find(cache)
        assert found is None or found.is_dir(), f"expected a folder or None, found {found!r}"
        assert not list(cache.iterdir()), f"find() wrote {sorted(cache.iterdir())}"

    def test_it_writes_below_the_cache_alone(
        self, plugin: Source, cache: Path, tmp_path: Path
    ) -> None:
        """Whatever writes: Python, a library, another process. Temporary files are removed.

        The working folder, the home and the folder of temporary files are empty ones, so paths
        among the options are absolute.
        """
        outside = Outside(cache, tmp_path)
        with self._looked_at(cache, tmp_path):
            self._fetch(plugin, cache)
        suspects = set(outside.new())
        for number in range(2 if suspects else 0):
            # Others may write there as well, at any time: the source's is what a fetch() touches.
            another = tmp_path / f"another{number}"
            another.mkdir()
            before = outside.new()
            time.sleep(0.3)
            idle = outside.new()
            self._fetch(plugin, another)
            after = outside.new()
            suspects &= {
                name for name in after if before.get(name) == idle.get(name) != after[name]
            }
        assert not suspects, (
            f"expected writing below `cache` alone, found {', '.join(sorted(suspects))}"
        )

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
                pytest.skip(
                    f"Python opens {len(watch.written)} files to write, no second one to refuse"
                )
        with offline():
            left = plugin.find(cache)
        assert left is None, f"half a source was left behind, and find() takes it: {left}"
        folder = self._fetch(plugin, cache)
        assert disk.state(folder), "nothing is there after another fetch()"

    def test_a_killed_fetch_leaves_nothing_half(
        self, plugin: Source, cache: Path, tmp_path: Path
    ) -> None:
        """Killed whenever files appeared in its folder: find() takes none that is not whole."""
        folder = self._fetch(plugin, cache)
        if not folder.is_relative_to(cache):
            pytest.skip("its folder is not below the cache")
        whole, other = disk.contents(folder), tmp_path / "other"
        other.mkdir()
        target = other / folder.relative_to(cache)
        with moments(other, target, tmp_path / "moments") as copies:
            self._fetch(plugin, other)
        for copy in copies:
            with offline():
                found = plugin.find(copy)
            there = disk.contents(found) if found is not None else whole
            assert there == whole, (
                f"killed while it fetches, it leaves a folder that find() takes for whole: "
                f"expected {len(whole)} files, found {len(there)}; make it by kitbox.make_folder"
            )
        for copy in copies[:1]:
            again = disk.contents(self._fetch(plugin, copy))
            assert again == whole, (
                f"after it was killed, fetch() gives other files: expected {len(whole)}, found "
                f"{sum(whole.get(name) == held for name, held in again.items())} of them"
            )

    def test_what_cannot_be_had_is_told(self, hopeless: Any, cache: Path) -> None:
        if hopeless is None:
            pytest.skip("no fixture `hopeless`")
        refuses(lambda: hopeless.fetch(cache), SourceError, "fetch() of what cannot be had")

    def _fetch(self, plugin: Source, cache: Path) -> Path:
        with nullcontext() if self.network else offline():
            return plugin.fetch(cache)

    @contextmanager
    def _looked_at(self, cache: Path, around: Path) -> Iterator[None]:
        """Nothing is written outside the cache meanwhile.

        Raises:
            AssertionError: at the end, when something was.
        """
        with elsewhere(around / "outside"):
            outside = Outside(cache, around)
            with disk.watched(Path(cache.anchor)) as watch:
                yield
            left = outside.written(watch)
        assert not left, f"expected nothing outside `cache`, found {', '.join(left[:5])}"
