"""Reading a zip without trusting it."""

from __future__ import annotations

import calendar
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

from kitbox.sources.room import Refused, Room

_ENCRYPTED = 0x1
_ENTRY = struct.Struct("<4s24x3H12x")  # of the directory: its mark, how long the rest of it is
_MARK = b"PK\1\2"
_BYTES = 1024  # that an entry of the directory may take, on average
_MORE = 1 << 20  # bytes that are read at once, whatever the limits are


def read(archive: Path, room: Room, report: Callable[[int, int | None], None] | None) -> None:
    """Unpack a zip into `room`.

    Raises:
        Refused: when an entry may not enter.
        zipfile.BadZipFile, EOFError, NotImplementedError, zlib.error: when the
            archive is broken or packed in a way that Python does not know.
    """
    size = archive.stat().st_size
    done = 0
    with archive.open("rb") as raw:
        limited = _Limited(raw, room)
        with zipfile.ZipFile(cast(IO[bytes], limited)) as file:
            limited.opened = True
            for entry in file.infolist():
                _enter(file, entry, room)
                done += entry.compress_size
                if report:
                    report(min(done, size), size)


def look(archive: Path, room: Room) -> None:
    """Read the directory of a zip, which is at its end.

    Raises:
        Refused: when it has too many entries for `room`.
        zipfile.BadZipFile, EOFError, NotImplementedError: when it is broken.
    """
    with archive.open("rb") as raw:
        zipfile.ZipFile(cast(IO[bytes], _Limited(raw, room))).close()


class _Limited:
    """A zip's file that refuses to give a directory of too many entries, or too long a one.

    zipfile reads all of the directory in one go, whatever the end record says of its
    length, and makes an object of each entry, whatever it says of their number.
    """

    def __init__(self, file: IO[bytes], room: Room) -> None:
        self._file, self._room = file, room
        self.opened = False  # what is read later are files, whatever they hold
        # Each file may have a leaving of macOS beside it, which is skipped.
        self._entries = 2 * room.limits.files
        self._most = self._entries * _BYTES + _MORE
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes, or what is left."""
        if not self.opened and size > self._most:
            raise self._room.too_many()
        data = self._file.read(size)
        if not self.opened and _count(data, self._entries) > self._entries:
            raise self._room.too_many()
        return data


def _count(directory: bytes, most: int) -> int:
    """The entries of a directory; one more than `most` for all that are more."""
    at = count = 0
    while count <= most and at + _ENTRY.size <= len(directory):
        mark, *lengths = _ENTRY.unpack_from(directory, at)
        if mark != _MARK:
            break
        at += _ENTRY.size + sum(lengths)
        count += 1
    return count


def _enter(file: zipfile.ZipFile, entry: zipfile.ZipInfo, room: Room) -> None:
    # Old Windows programs write backslashes, against the format's rule.
    name = entry.filename.replace("\\", "/")
    steps = room.place(name)
    if steps is None:
        return
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise Refused(f"a link or a special file, {name[:80]!r}")
    if entry.flag_bits & _ENCRYPTED:
        raise Refused("a password on it", do="Unpack it by hand and use the source `folder`")
    if name.endswith("/"):
        room.add_folder(steps)
        return
    try:
        time = calendar.timegm((*entry.date_time, 0, 0, 0))
    except ValueError:
        time = 0
    with file.open(entry) as content:
        # zipfile gives no more than the announced size and checks the sum at its end.
        room.add_file(steps, content, entry.file_size, time)
