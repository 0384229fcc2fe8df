"""What is known of a file beforehand, and whether a file is the one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from kitbox.errors import SourceError, storage

_HEAD = 1 << 20


@dataclass(frozen=True)
class Checks:
    """What a file must be; None where it is not known.

    Attributes:
        size: bytes.
        sha256, md5: of the whole file, hex digits in lower case.
        head_md5: MD5 of the first MiB, as fastai's list of data sets has it.
    """

    size: int | None = None
    sha256: str | None = None
    md5: str | None = None
    head_md5: str | None = None

    def wrong(self, path: Path) -> str | None:
        """What is wrong with the file at `path`, or None. Reads it where a sum is known.

        Raises:
            StorageError: when it cannot be read.
        """
        with storage(path, "reading"):
            size = path.stat().st_size
            if self.size is not None and size != self.size:
                return f"{size} bytes, expected {self.size}"
            for name, expected, most in (
                ("md5 of the first MiB", self.head_md5, _HEAD),
                ("md5", self.md5, None),
                ("sha256", self.sha256, None),
            ):
                if expected is None:
                    continue
                found = _sum(path, "sha256" if name == "sha256" else "md5", most)
                if found != expected:
                    return f"{name} {found}, expected {expected}"
        return None

    def expect_size(self, size: int | None, address: str) -> None:
        """Stop before the first byte when the server's file has the wrong size.

        Raises:
            SourceError: when both sizes are known and differ.
        """
        if None not in (size, self.size) and size != self.size:
            raise SourceError(
                f"{address} is not the file it should be",
                found=f"{size} bytes at the server, expected {self.size}",
                do="Correct the expected size if the file has changed there",
            )


def _sum(path: Path, kind: str, most: int | None) -> str:
    # Sums tell files apart and guard against broken ones, so FIPS machines may allow MD5.
    digest = hashlib.new(kind, usedforsecurity=False)
    left = most
    with path.open("rb") as file:
        while piece := file.read(_HEAD if left is None else min(_HEAD, left)):
            digest.update(piece)
            left = None if left is None else left - len(piece)
    return digest.hexdigest()
