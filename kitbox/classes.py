"""Class names: a label as the name of its class, and the order of classes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from numbers import Integral, Real

_PLAIN_WHOLE = re.compile(r"0|-?[1-9]\d*", re.ASCII)


def name(label: object) -> str:
    """A label as the name of a class: 3, 3.0 and '3' are the same.

    >>> name(3.0), name("03"), name(0.5)
    ('3', '03', '0.5')
    """
    if isinstance(label, Real) and not isinstance(label, Integral) and float(label).is_integer():
        label = int(float(label))  # NumPy's float32 too, which is no float
    return str(label)


def is_whole(name: str) -> bool:
    """Whether a name is a whole number plainly written: `007` is not.

    >>> is_whole("7"), is_whole("-7"), is_whole("007"), is_whole("7.0")
    (True, True, False, False)
    """
    return _PLAIN_WHOLE.fullmatch(name) is not None


def in_order(names: Iterable[str]) -> list[str]:
    """Class names sorted: as numbers where all are plain whole numbers, else as text.

    >>> in_order(["10", "9"]), in_order(["b", "10", "9"])
    (['9', '10'], ['10', '9', 'b'])
    """
    names = list(names)
    return sorted(names, key=int) if all(map(is_whole, names)) else sorted(names)
