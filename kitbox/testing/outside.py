"""What is written outside a folder, by whatever writes it: the disc is compared."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from kitbox.testing import disk

HOMES = ("HOME", "USERPROFILE")
TEMPORARY = ("TMPDIR", "TEMP", "TMP")
BELOW_HOME = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")


@contextmanager
def elsewhere(folder: Path) -> Iterator[None]:
    """New folders below `folder` as working folder, home and place of temporary files.

    They are those of processes that are started as well. Without writing bytecode.
    """
    work, home, temporary = (folder / name for name in ("working", "home", "temporary"))
    for place in (work, home, temporary):
        place.mkdir(parents=True)
    values = {**dict.fromkeys(HOMES, str(home)), **dict.fromkeys(TEMPORARY, str(temporary))}
    values |= {name: str(home / name.lower()) for name in BELOW_HOME}
    before = Path.cwd()
    with (
        mock.patch.dict(os.environ, {**values, "PYTHONDONTWRITEBYTECODE": "1"}),
        mock.patch.object(tempfile, "tempdir", str(temporary)),
        mock.patch("sys.dont_write_bytecode", True),
    ):
        os.chdir(work)
        try:
            yield
        finally:
            os.chdir(before)


class Outside:
    """What there was outside a folder, to compare with what there is.

    Looked at are the files below `around`, all that Python opened to write, and what is new in
    the working folder, the home and the place of temporary files, where others write as
    well.

    Args:
        folder: where writing is allowed.
        around: a folder of the test, in which nobody else writes.
    """

    def __init__(self, folder: Path, around: Path) -> None:
        self.folder, self.around = folder.resolve(), around.resolve()
        self._files = self._around()
        self._shared = {Path.cwd(), Path.home(), Path(tempfile.gettempdir()).resolve()}
        self._entries = self._names()

    def written(self, watch: disk.Watch) -> list[str]:
        """The files that were written or removed outside, sorted; but those removed again."""
        now = self._around()
        found = {path for path, _ in self._files.items() ^ now.items()}
        found |= {
            Path(name)
            for name in watch.written
            if Path(name).is_file() and "__pycache__" not in name
        }
        return sorted(str(path) for path in found if not path.is_relative_to(self.folder))

    def new(self) -> dict[str, dict[str, tuple[int, int]]]:
        """What is new where others may write as well, with the state of its files."""
        return {
            str(path): disk.state(path) if path.is_dir() else {"": _state(path)}
            for path in self._names() - self._entries
            if path.exists()
        }

    def _around(self) -> dict[Path, tuple[int, int]]:
        return {
            path: _state(path)
            for path in self.around.rglob("*")
            if path.is_file() and not path.is_relative_to(self.folder)
        }

    def _names(self) -> set[Path]:
        return {
            path
            for place in self._shared
            if place.is_dir() and not place.is_relative_to(self.around)
            for path in place.iterdir()
            if not self.around.is_relative_to(path)
        }


def _state(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:  # removed meanwhile
        return (0, 0)
    return (status.st_size, status.st_mtime_ns)
