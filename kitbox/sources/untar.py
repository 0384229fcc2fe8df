"""The source that is an archive: known by name, on the network, or a local file."""

from __future__ import annotations

import hashlib
import logging
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import AfterValidator, Field, field_validator

from kitbox.errors import SourceError, nearest
from kitbox.options import Options
from kitbox.sources import showing
from kitbox.sources.archive import look, unpack
from kitbox.sources.checks import Checks
from kitbox.sources.download import download, shown
from kitbox.sources.folder import absolute, beside
from kitbox.sources.known import KNOWN

log = logging.getLogger("kitbox")

_ENDS = re.compile(r"(\.(tar|tgz|tbz2?|txz|zip|gz|bz2|xz|zst))+$", re.IGNORECASE)


def _hex(digits: int) -> AfterValidator:
    def check(text: str | None) -> str | None:
        if text is not None and not re.fullmatch(rf"[0-9a-fA-F]{{{digits}}}", text):
            raise ValueError(f"found {text!r}, expected {digits} hex digits")
        return text.lower() if text else None

    return AfterValidator(check)


class Untar(Options):
    """A tar or zip, fetched if it is on the network, checked and unpacked.

    What is unpacked stays below the cache, and a later run finds it there.
    """

    url: str = Field(
        description="a name of fast.ai's course (PETS, ...), an http(s) or file address, or the "
        "path of a local archive"
    )
    sha256: Annotated[str | None, _hex(64)] = Field(
        None, description="SHA-256 of the archive, 64 hex digits"
    )
    md5: Annotated[str | None, _hex(32)] = Field(
        None, description="MD5 of the archive, 32 hex digits"
    )
    size: Annotated[int, Field(ge=1)] | None = Field(None, description="bytes of the archive")
    max_gb: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        50, description="most gigabytes (10^9 bytes) that it may unpack to"
    )
    max_files: Annotated[int, Field(ge=1)] = Field(
        2_000_000, description="most files and folders that it may unpack to"
    )

    @field_validator("url")
    @classmethod
    def _known_or_an_address(cls, url: str) -> str:
        if not url.strip() or "\0" in url:
            raise ValueError(f"found {url!r}, expected a known name, an address or a path")
        if url not in KNOWN and re.fullmatch(r"\w+", url):
            # Known names are capitals; a file without a dot can be written as ./file.
            hint = nearest(url.upper(), KNOWN) or f"Known: {', '.join(KNOWN)}."
            raise ValueError(f"unknown data set {url!r}. {hint} A file here is written ./{url}")
        split = _split(url)
        if "://" in url and split.scheme not in ("http", "https", "file"):
            raise ValueError(
                f"found an address of the kind {split.scheme!r}, expected http, https or file"
            )
        if split.scheme in ("http", "https") and not split.hostname:
            raise ValueError(f"found {shown(url)!r}, expected a host's name in the address")
        if split.scheme in ("http", "https") and "@" in split.netloc:
            raise ValueError(
                f"found a user or password in the address {shown(url)!r}; a run saves its recipe, "
                "expected an address without (a signed one, say) or a file downloaded by hand"
            )
        if split.scheme == "file" and split.netloc not in ("", "localhost"):
            raise ValueError(f"found a file on {split.netloc!r}, expected file:///path/to/archive")
        return url

    def find(self, cache: Path) -> Path | None:
        """The unpacked folder below `cache`, or None.

        Raises:
            SourceError: when a local archive is not there, or none by its directory.
        """
        if not self._is_remote and not self._local.is_file():
            self._checked()  # says what is there instead
        folder = self._target(cache)
        if folder.is_dir():
            return _top(folder)
        if not self._is_remote:
            look(self._local, max_files=self.max_files)
        return None

    def fetch(self, cache: Path) -> Path:
        """Download, check and unpack, as far as that has not been done.

        Returns:
            The unpacked folder; when it holds one folder and nothing else, that one.

        Raises:
            SourceError: when the archive cannot be had, is another, or is refused.
            StorageError: when the disk is full or the folder cannot be written.
        """
        if (folder := self.find(cache)) is not None:
            return folder
        archive = self._download(cache) if self._is_remote else self._checked()
        target = self._target(cache)
        log.info("Unpacking %s to %s", archive.name, target)
        with showing.bar(f"unpacking {archive.name}") as report:
            unpack(
                archive,
                target,
                max_bytes=int(self.max_gb * 10**9),
                max_files=self.max_files,
                report=report,
            )
        return _top(target)

    @property
    def _is_remote(self) -> bool:
        return _split(self._address).scheme in ("http", "https")

    @property
    def _address(self) -> str:
        return KNOWN[self.url].address if self.url in KNOWN else self.url

    @property
    def _local(self) -> Path:
        split = _split(self.url)
        return absolute(Path(unquote(split.path) if split.scheme == "file" else self.url))

    @property
    def _checks(self) -> Checks:
        known = KNOWN.get(self.url)
        return Checks(
            size=self.size or (known.size if known else None),
            sha256=self.sha256,
            md5=self.md5,
            head_md5=known.head_md5 if known else None,
        )

    def _name(self) -> str:
        """A file name for the archive, of plain characters."""
        path = unquote(_split(self._address).path) if self._is_remote else self._local.name
        name = re.sub(r"[^\w.+-]+", "_", path.rstrip("/").rpartition("/")[2])
        return name.lstrip(".")[-100:] or "archive"

    def _key(self) -> str:
        """12 hex digits that tell this archive from others of the same name."""
        if self._is_remote:
            what = [self._address]
        else:
            stat = self._local.stat()
            what = [str(self._local), str(stat.st_size), str(stat.st_mtime_ns)]
        # A sum given later must be checked before what lies there is used.
        what += [str(value) for value in (self.sha256, self.md5, self.size) if value]
        return hashlib.sha256("\n".join(what).encode("utf-8", "surrogateescape")).hexdigest()[:12]

    def _target(self, cache: Path) -> Path:
        stem = _ENDS.sub("", self._name()) or "archive"
        return cache / "untar" / f"{stem}-{self._key()}"

    def _download(self, cache: Path) -> Path:
        # The address is in the name: `train.zip` of two places are two archives.
        key = hashlib.sha256(self._address.encode()).hexdigest()[:12]
        target = cache / "archives" / f"{key}-{self._name()}"
        log.info("Fetching %s to %s", shown(self._address), target)
        with showing.bar(f"downloading {self._name()}") as report:
            return download(self._address, target, checks=self._checks, report=report)

    def _checked(self) -> Path:
        archive = self._local
        if archive.is_dir():
            raise SourceError(
                f"{archive} is a folder, not an archive",
                do=f"Use the source `folder` for it: {{use: folder, path: {self.url}}}",
            )
        if not archive.is_file():
            raise SourceError(
                f"The archive does not exist: {archive}",
                found=beside(archive),
                do="Correct `url`",
            )
        if wrong := self._checks.wrong(archive):
            raise SourceError(
                f"{archive} is not the file it should be",
                found=wrong,
                do="Get it again, or correct the expected size or sum",
            )
        return archive


def _split(address: str) -> SplitResult:
    """The parts of an address; of a path, all in `path`."""
    try:
        # A path may hold what an address may not, so it is not taken apart.
        if "://" not in address:
            return SplitResult("", "", address, "", "")
        return urlsplit(address)
    except ValueError as error:
        raise ValueError(f"found an address that makes no sense ({error})") from error


def _top(folder: Path) -> Path:
    """The only folder in `folder`, when there is nothing beside it, else `folder`."""
    entries = list(folder.iterdir())
    single = len(entries) == 1 and entries[0].is_dir() and not entries[0].is_symlink()
    return entries[0] if single else folder
