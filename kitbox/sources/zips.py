"""Reading a zip without trusting it."""

from __future__ import annotations

import calendar
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

from kitbox.sources.room import Refused, Room

_ENCRYPTED = 0x1


def read(archive: Path, room: Room, report: Callable[[int, int | None], None] | None) -> None:
    """Unpack a zip into `room`.

    Raises:
        Refused: when an entry may not enter.
        zipfile.BadZipFile, EOFError, NotImplementedError, zlib.error: when the
            archive is broken or packed in a way that Python does not know.
    """
    size = archive.stat().st_size
    done = 0
    with zipfile.ZipFile(archive) as file:
        for entry in file.infolist():
            _enter(file, entry, room)
            done += entry.compress_size
            if report:
                report(min(done, size), size)


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
