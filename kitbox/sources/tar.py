"""Reading a tar from front to back, in any compression, without trusting it."""

from __future__ import annotations

import bz2
import gzip
import importlib
import lzma
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

from kitbox.sources.room import Refused, Room

_BLOCK = 512
_MOST_AT_ONCE = 16 << 20  # bytes; headers are read in one go, and none is that long
_HEADERS = 8 * 1024  # bytes that one entry's headers and padding may take, on average


def read(archive: Path, room: Room, report: Callable[[int, int | None], None] | None) -> None:
    """Unpack a tar into `room`.

    Raises:
        Refused: when an entry may not enter.
        tarfile.TarError, EOFError, OSError, zlib.error: when the archive is broken.
    """
    size = archive.stat().st_size
    most = room.limits.bytes + room.limits.files * _HEADERS + _MOST_AT_ONCE
    with archive.open("rb") as raw:
        plain, broken = _decompress(raw)
        stream = _Forward(plain, most, broken)
        with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r:") as tar:
            while (member := tar.next()) is not None:
                # tarfile would keep them all; two million are gigabytes.
                cast(Any, tar).members.clear()
                _enter(tar, member, room)
                if report:
                    report(raw.tell(), size)
        stream.finish()


def look(archive: Path, room: Room) -> None:
    """Read the first entry of a tar.

    Raises:
        tarfile.TarError, EOFError, OSError, zlib.error: when the archive is broken there.
    """
    with archive.open("rb") as raw:
        plain, broken = _decompress(raw)
        stream = _Forward(plain, _MOST_AT_ONCE, broken)
        tarfile.open(fileobj=cast(IO[bytes], stream), mode="r:").close()


def _enter(tar: tarfile.TarFile, member: tarfile.TarInfo, room: Room) -> None:
    steps = room.place(member.name)
    if steps is None:
        return
    if member.size < 0:
        raise tarfile.ReadError("a negative size")
    # No filter of tarfile's: the first versions of Python 3.11 have none, and the room
    # checks names and links itself.
    if member.isdir():
        room.add_folder(steps)
    elif member.issym():
        room.add_link(steps, member.linkname)
    elif member.islnk():
        to = room.place(member.linkname)
        if to is None:
            raise Refused(f"a link to what is not unpacked, {member.linkname[:80]!r}")
        room.add_hard_link(steps, to)
    elif not member.isreg():
        raise Refused(f"a device or another special file, {member.name[:80]!r}")
    else:
        content = tar.extractfile(member)
        assert content is not None, "a regular file has content"
        room.add_file(steps, content, member.size, member.mtime)


class _Forward:
    """A stream that only goes forward, within limits, and remembers its last block.

    Args:
        stream: plain tar bytes.
        most: bytes that may be read in all.
        broken: what the stream raises of its own when its bytes make no sense.
    """

    def __init__(self, stream: IO[bytes], most: int, broken: type[Exception]) -> None:
        self._stream, self._most, self._broken = stream, most, broken
        self._at = 0
        self._last = b""

    def tell(self) -> int:
        """Bytes so far."""
        return self._at

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes, less at the end."""
        if not 0 <= size <= _MOST_AT_ONCE:
            raise tarfile.ReadError(f"a header of {size} bytes")
        pieces = []
        try:
            while size and (piece := self._stream.read(size)):
                pieces.append(piece)
                size -= len(piece)
        except self._broken as error:
            raise tarfile.ReadError(str(error)) from error
        self._last = b"".join(pieces)
        self._at += len(self._last)
        if self._at > self._most:
            raise Refused(
                "more bytes between its files than files have",
                do="If it is meant to be that large, raise `max_gb`",
            )
        return self._last

    def seek(self, place: int) -> int:
        """Read on to `place`; never back."""
        if place < self._at:
            raise tarfile.ReadError("an entry that starts before its predecessor ends")
        while self._at < place and self.read(min(place - self._at, 1 << 20)):
            pass
        return self._at

    def finish(self) -> None:
        """See that the end is an end, and read what follows, to check its sum.

        Python's reader takes a header that makes no sense for the end.
        """
        if self._last.strip(b"\0") or len(self._last) not in (0, _BLOCK):
            raise tarfile.ReadError(f"no entry at byte {self._at - len(self._last)}")
        while self.read(1 << 20):
            pass


def _decompress(raw: IO[bytes]) -> tuple[IO[bytes], type[Exception]]:
    """The stream of plain bytes, by the first of the compressed ones, and its own error."""
    head = raw.read(6)
    raw.seek(0)
    if head.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.GzipFile(fileobj=raw, mode="rb")), zlib.error
    if head.startswith(b"BZh"):
        return cast(IO[bytes], bz2.BZ2File(raw)), EOFError
    if head.startswith((b"\xfd7zXZ\0", b"\x5d\0\0")):
        return cast(IO[bytes], lzma.LZMAFile(raw)), lzma.LZMAError
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return _zstandard(raw)
    return raw, EOFError


def _zstandard(raw: IO[bytes]) -> tuple[IO[bytes], type[Exception]]:
    """Python 3.14 has it; before, the package `zstandard` may be there."""
    for name in ("compression.zstd", "zstandard"):
        try:
            zstd: Any = importlib.import_module(name)
        except ImportError:
            continue
        if name == "zstandard":
            reader = zstd.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
        else:
            reader = zstd.ZstdFile(raw)
        return cast(IO[bytes], reader), zstd.ZstdError
    raise Refused(
        "zstd compression, which needs Python 3.14 or the package zstandard",
        do="pip install zstandard",
    )
