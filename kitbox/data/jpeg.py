"""The header of a JPEG file, read fast: its size, its components and which way is up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # tables and reserved ones have no size
_BARE = frozenset([0x01, *range(0xD0, 0xD8)])  # markers without a length
_ORIENTATION = 0x0112


class Header(NamedTuple):
    """What a header says.

    Attributes:
        height, width: in pixels, as stored.
        components: 1 (grey), 3 (colours) or 4 (CMYK).
        turn: EXIF's orientation, 1 to 8.
    """

    height: int
    width: int
    components: int
    turn: int


def header(data: bytes) -> Header | None:
    """The header of a file's bytes; None where it is no plain JPEG of 8 bits, or looks odd.

    Segments follow each other by their lengths (ITU-T T.81, annex B); EXIF's are those of
    CIPA DC-008. Whoever gets None asks a slower reader.
    """
    turn, told = 1, 0
    for mark, part in _segments(data):
        if mark in _FRAMES:
            if len(part) < 6 or part[0] != 8:
                return None
            height, width = int.from_bytes(part[1:3], "big"), int.from_bytes(part[3:5], "big")
            found = Header(height, width, part[5], turn)
            return found if all(found) and told < 2 else None  # two that tell may not agree
        if mark == 0xE1 and part[:6] == b"Exif\0\0":
            turn, told = _orientation(part[6:]), told + 1
        elif mark == 0xE1 and b"Orientation" in part:  # XMP
            told = 2
    return None


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and content of each segment before the picture itself, as long as they make sense."""
    at = 2
    while data[:2] == b"\xff\xd8" and at + 4 <= len(data) and data[at] == 0xFF:
        mark = data[at + 1]
        if mark == 0xFF or mark in _BARE:
            at += 1 if mark == 0xFF else 2  # filling, or a marker alone
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2 or mark in (0xD9, 0xDA):  # an end before any frame
            return
        yield mark, data[at + 4 : at + 2 + length]
        at += 2 + length


def _orientation(block: bytes) -> int:
    """The orientation in a block of TIFF tags; 1 where there is none, 0 where it looks odd."""
    if block[:4] not in (b"II*\0", b"MM\0*"):
        return 0

    def number(at: int, size: int) -> int:
        return int.from_bytes(block[at : at + size], "little" if block[:1] == b"I" else "big")

    start = number(4, 4)
    for at in range(start + 2, start + 2 + 12 * number(start, 2), 12):
        if at + 12 > len(block):
            return 0
        if number(at, 2) == _ORIENTATION:
            turn = number(at + 8, 2)
            return turn if number(at + 2, 2) == 3 and turn <= 8 else 0
    return 1
