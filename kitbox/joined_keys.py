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
