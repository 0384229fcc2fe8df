"""Keys that name a picture and a class in one cell, `{picture}_{class}`, taken apart."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

_SEPARATORS = ("_", "-", "/", "|", ":", " ", ".")
_ONE_WORD = {
    *("id", "name", "file", "filename", "image", "img", "path", "stem", "uid", "uuid", "no"),
    *("number", "key", "code", "picture"),
}


@dataclass(frozen=True)
class Parted:
    """Keys taken apart.

    Attributes:
        separator: what stands between picture and class.
        pictures, classes: of every key (N,).
    """

    separator: str
    pictures: tuple[str, ...]
    classes: tuple[str, ...]


def says_joined(header: str) -> bool:
    """Whether a key column's name is that of a joined key.

    >>> says_joined("ImageId_ClassId"), says_joined("Image_Label"), says_joined("image_id")
    (True, True, False)
    """
    words = [word for word in re.split(r"[^A-Za-z0-9]+", header) if word]
    return len(words) > 1 and words[-1].lower() not in _ONE_WORD


def by_names(
    keys: Sequence[str],
    classes: Collection[str],
    separator: str | None = None,
    pictures: Collection[str] | None = None,
) -> Parted | None:
    """Keys that all end in one of the `classes`, or None. The longest class counts.

    Args:
        separator: None tries all that are usual.
        pictures: what may stand before the separator; None allows anything.
    """
    classes = frozenset(classes)
    pictures = None if pictures is None else frozenset(pictures)
    for sign in _SEPARATORS if separator is None else (separator,):
        parted = [_part(key, sign, classes, pictures) for key in keys]
        if keys and None not in parted:
            firsts, lasts = zip(*(pair for pair in parted if pair is not None), strict=True)
            return Parted(sign, firsts, lasts)
    return None


def by_product(
    keys: Sequence[str], separator: str | None = None, header: str = ""
) -> Parted | None:
    """Keys that are every picture with every class, or None; two classes at least.

    Where several ways fit, classes are as short as can be: of `a_1_x`, `a_1_y`,
    `a_2_x`, `a_2_y` the classes are x and y. A separator in the `header` is tried first.
    """
    if not keys or len(set(keys)) < len(keys):
        return None
    signs = sorted(_SEPARATORS, key=lambda sign: sign not in header)
    for sign in signs if separator is None else (separator,):
        for first, _ in reversed([*_ways(keys[0], sign)]):
            start = first + sign
            classes = {key[len(start) :] for key in keys if key.startswith(start)}
            if len(classes) < 2 or "" in classes:
                continue
            parted = by_names(keys, classes, sign)
            if parted and len(set(parted.pictures)) * len(classes) == len(keys):
                return parted
    return None


@dataclass(frozen=True)
class Stray:
    """A key whose class is none of the others' classes.

    Attributes:
        row: its place among the keys, from 0.
        key: the key.
        word: what stands where the class should.
        classes: those of the other keys.
    """

    row: int
    key: str
    word: str
    classes: tuple[str, ...]


def strays(
    keys: Sequence[str], classes: Collection[str] = (), separator: str | None = None
) -> list[Stray]:
    """The few keys that are not taken apart as all the others are; () where most are not.

    Args:
        classes: those that are known; by default those of one of the pictures that has
            all, where the keys are every picture with every class but for the strays.
        separator: None tries all that are usual.
    """
    for sign in _SEPARATORS if separator is None else (separator,):
        for known in (frozenset(classes),) if classes else _classes(keys, sign):
            parted = [_part(key, sign, known, None) for key in keys]
            pictures = {pair[0] for pair in parted if pair is not None}
            lost = [row for row, pair in enumerate(parted) if pair is None]
            if not lost or len(lost) > max(1, len(keys) // 10) or len(keys) < 4:
                continue
            if not classes and len(pictures) * len(known) != len(keys):
                continue
            return [
                Stray(row, keys[row], _word(keys[row], sign, pictures), tuple(sorted(known)))
                for row in lost
            ]
    return []


def _classes(keys: Sequence[str], sign: str) -> Iterator[frozenset[str]]:
    """What may be all classes: those of the first picture, of the middle and the last one."""
    for key in (keys[0], keys[len(keys) // 2], keys[-1]) if keys else ():
        for first, _ in reversed([*_ways(key, sign)]):
            start = first + sign
            found = frozenset(key[len(start) :] for key in keys if key.startswith(start))
            if len(found) > 1 and "" not in found:
                yield found


def _word(key: str, sign: str, pictures: Collection[str]) -> str:
    """What stands in a key where the class should: behind a known picture, else the last part."""
    known = [last for first, last in _ways(key, sign) if first in pictures]
    return known[0] if known else key.rpartition(sign)[2]


def _part(
    key: str, sign: str, classes: frozenset[str], pictures: frozenset[str] | None
) -> tuple[str, str] | None:
    for first, last in _ways(key, sign):
        if last in classes and (pictures is None or first in pictures):
            return first, last
    return None


def _ways(key: str, sign: str) -> Iterator[tuple[str, str]]:
    """Every way to part a key at the sign, the longest second part first."""
    place = key.find(sign, 1)
    while place >= 0:
        yield key[:place], key[place + len(sign) :]
        place = key.find(sign, place + 1)
