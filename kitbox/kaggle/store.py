"""Versions of things from Kaggle in the cache: each whole or not there, the last one named."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from kitbox import storage as whole_files
from kitbox.errors import SourceError, some, storage
from kitbox.kaggle import inner
from kitbox.kaggle.address import Address
from kitbox.kaggle.client import Client
from kitbox.kaggle.things import Thing, Version
from kitbox.sources import showing
from kitbox.sources.archive import unpack
from kitbox.sources.download import download
from kitbox.sources.room import Limits
from kitbox.sources.whole import make_folder

log = logging.getLogger("kitbox")

_FILES, _LAST = "files", ".last"


class Store:
    """What the cache has of one thing.

    Args:
        cache: the cache's folder.
        thing: the competition, dataset or model.
        limits: how much may be unpacked.
    """

    def __init__(self, cache: Path, thing: Thing, limits: Limits) -> None:
        self._folder = cache / "kaggle" / Path(*thing.place)
        self._archives = cache / "kaggle" / "archives"
        self._thing, self._limits = thing, limits

    def find(self, version: Version | None = None) -> Path | None:
        """The files of a version, by default of the newest fetched last; None where not here."""
        name = version.name if version else self._last()
        files = self._folder / name / _FILES
        return files if name and files.is_dir() else None

    def fetch(self, client: Client, version: Version) -> Path:
        """Download, check and unpack a version, unless it is here; returns its files.

        Raises:
            SourceError: when it cannot be had, or is refused.
            StorageError: when the disk is full or the folder cannot be written.
        """

        def fill(folder: Path) -> None:
            archive = self._download(client, version)
            self._unpack(archive, folder / _FILES)
            _compare(folder / _FILES, version, self._thing)
            if self._thing.opens_zips:
                for zipped in inner.packed(folder / _FILES):
                    self._open_up(zipped, folder / _FILES)
                    zipped.unlink()

        folder = make_folder(self._folder / version.name, fill)
        self._archive(version).unlink(missing_ok=True)
        # A version that was asked for is not what Kaggle has now.
        if self._thing.wanted() is None and self._last() != version.name:
            whole_files.write(self._folder / _LAST, version.name)
        return folder / _FILES

    def find_opened(self, mount: Path) -> Path | None:
        """The mount, or where it holds zips the folder beside it that has them open.

        None where they have not been opened yet.
        """
        if not self._thing.opens_zips or not inner.packed(mount):
            return mount
        folder = self._opened(mount)
        return folder if folder.is_dir() else None

    def open_mount(self, mount: Path) -> Path:
        """The mount with its zips open: a folder of links to it, as it is read-only.

        Raises:
            SourceError: when a zip is refused or broken.
            StorageError: when the disk is full or the folder cannot be written.
        """
        if (found := self.find_opened(mount)) is not None:
            return found
        zips = inner.packed(mount)

        def fill(folder: Path) -> None:
            with storage(folder, "linking to the mount from"):
                for entry in mount.iterdir():
                    if entry not in zips:
                        (folder / entry.name).symlink_to(entry.absolute())
            for zipped in zips:
                self._open_up(zipped, folder)

        return make_folder(self._opened(mount), fill)

    def _last(self) -> str:
        try:
            return (self._folder / _LAST).read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            return ""

    def _opened(self, mount: Path) -> Path:
        """A rerun has other files under the same names, so sizes and times are in the name."""
        seen = [str(mount.absolute())]
        for entry in sorted(mount.iterdir()):
            status = entry.stat()
            seen.append(f"{entry.name} {status.st_size} {status.st_mtime_ns}")
        key = hashlib.sha256("\n".join(seen).encode("utf-8", "surrogateescape")).hexdigest()[:12]
        return self._folder / f"mounted-{key}"

    def _archive(self, version: Version) -> Path:
        return self._archives / "-".join([*self._thing.place, version.name])

    def _download(self, client: Client, version: Version) -> Path:
        address: Address = self._thing.address(client, version)
        target = self._archive(version)
        log.info("Fetching %s to %s", self._thing.title, target)
        try:
            with showing.bar(f"downloading {self._thing.place[-1]}") as report:
                return download(
                    address.url,
                    target,
                    checks=address.checks,
                    identity=f"kaggle {target.name}",
                    report=report,
                )
        except SourceError as error:
            raise SourceError(
                f"The download of {self._thing.title} failed",
                found=f"{error.wrong}: {error.found}" if error.found else error.wrong,
                do="Run again: it goes on where it stopped. In a kernel the data can be attached "
                "instead",
            ) from None

    def _unpack(self, archive: Path, target: Path) -> None:
        with showing.bar(f"unpacking {self._thing.place[-1]}") as report:
            try:
                unpack(
                    archive,
                    target,
                    max_bytes=self._limits.bytes,
                    max_files=self._limits.files,
                    report=report,
                )
            except SourceError:
                # Checked, and yet no archive: another download may be better.
                archive.unlink(missing_ok=True)
                raise
        (target.parent / f".{target.name}.lock").unlink(missing_ok=True)

    def _open_up(self, zipped: Path, folder: Path) -> None:
        log.info("Unpacking %s", zipped.name)
        inner.open_up(zipped, folder, max_bytes=self._limits.bytes, max_files=self._limits.files)


def _compare(folder: Path, version: Version, thing: Thing) -> None:
    """Say where the files are not those that Kaggle lists."""
    missing, other = [], []
    for name, size in version.files.items():
        path = folder / name
        # In the archive a file may lie as it was put up: zipped, or not any more.
        if not path.is_file():
            alike = (folder / f"{name}.zip", folder / name.removesuffix(".zip"))
            if not any(found.exists() for found in alike):
                missing.append(name)
        elif size and path.stat().st_size != size:
            other.append(name)
    if missing:
        log.warning("Kaggle lists files of %s that did not come: %s", thing.title, some(missing))
    if other:
        log.warning("Files of %s have another size than listed: %s", thing.title, some(other))
