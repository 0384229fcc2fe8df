"""Archives: a tar or zip becomes a folder, whole, and nothing lands beside it."""

from __future__ import annotations

import errno
import logging
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kitbox.errors import SourceError, StorageError, storage
from kitbox.sources import tar, zips
from kitbox.sources.room import Limits, Refused, Room
from kitbox.sources.whole import make_folder

log = logging.getLogger("kitbox")

Report = Callable[[int, int | None], None]
"""Told how far it is: bytes of the archive read so far, and its size."""

_STORAGE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG}


def unpack(
    archive: Path,
    target: Path,
    *,
    max_bytes: int = 50 * 10**9,
    max_files: int = 2_000_000,
    report: Report | None = None,
) -> Path:
    """Unpack a tar (plain, gzip, bzip2, xz, zstd) or a zip, told by content, not by name.

    Nothing of the archive is trusted: names stay below `target`, links lead
    nowhere else, devices are refused, sizes are counted as they unpack. Owners,
    permissions and the leavings of macOS (`__MACOSX`, `._*`, `.DS_Store`) are
    dropped, times are kept.

    Args:
        archive: the file.
        target: the folder to make. Where it exists, nothing is done.
        max_bytes: most unpacked bytes.
        max_files: most files, folders and links.
        report: called with the bytes of the archive read so far and in all.

    Returns:
        `target`.

    Raises:
        SourceError: when the archive is refused, broken or none; nothing is left behind.
        StorageError: when the disk is full or the folder cannot be written.
    """

    def fill(folder: Path) -> None:
        with _translated(archive, target):
            room = Room(folder, Limits(max_bytes, max_files))
            reader = zips.read if _is_zip(archive) else tar.read
            reader(archive, room, report)
            room.finish()

    return make_folder(target, fill)


def look(archive: Path, *, max_files: int = 2_000_000) -> None:
    """See that a file is an archive, by a zip's directory or a tar's first entry; nothing more.

    Raises:
        SourceError: when it is none, is broken there, or is refused.
    """
    with _translated(archive, archive):
        room = Room(archive.parent, Limits(0, max_files))
        reader = zips.look if _is_zip(archive) else tar.look
        reader(archive, room)


def _is_zip(archive: Path) -> bool:
    """By the first bytes: the end of a plain tar may be a whole zip of its own."""
    with archive.open("rb") as file:
        head = file.read(4)
    return head in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08") or (
        head[:2] == b"MZ" and zipfile.is_zipfile(archive)
    )


@contextmanager
def _translated(archive: Path, target: Path) -> Iterator[None]:
    """Turn all that readers of hostile bytes raise into ours."""
    try:
        yield
    except Refused as refusal:
        raise SourceError(
            f"The archive {archive} is refused", found=str(refusal), do=refusal.do
        ) from refusal
    except StorageError:
        raise
    except OSError as error:
        if error.errno in _STORAGE:
            with storage(target, f"unpacking {archive.name} to"):
                raise
        raise _broken(archive, error) from error
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        # What the standard readers let through of headers that make no sense.
        ValueError,
        OverflowError,
        LookupError,
        NotImplementedError,
        RuntimeError,
        lzma.LZMAError,
    ) as error:
        raise _broken(archive, error) from error


def _broken(archive: Path, error: Exception) -> SourceError:
    with storage(archive, "reading"), archive.open("rb") as file:
        head = file.read(512)
    if not head:
        found = "an empty file"
    elif head.lstrip()[:1] == b"<" and b"html" in head.lower():
        found = "a web page, as servers send instead of a file that asks for a login"
    else:
        size = archive.stat().st_size
        found = (
            f"{size} bytes that end too early or make no sense ({error or type(error).__name__})"
        )
    return SourceError(
        f"{archive} is no archive that can be read, or a broken one",
        found=found,
        do=f"Delete it and download it again: rm '{archive}'",
    )
