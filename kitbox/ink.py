"""Colours and names in drawings: the same on a page, in a notebook and in a file."""

from __future__ import annotations

import re
from itertools import cycle, islice

LINES = ("#2f7fd6", "#d1662b", "#1f9e8a", "#a05bc4", "#b8860b", "#888888")
"""Lines and bars beside one another, told apart on light and on dark ground."""
SOFT = "#9ecae1"
"""What lies behind a line of the first colour: the values that it smooths."""


def lines(count: int) -> list[str]:
    """So many colours; the first ones again where there are more than `LINES` has.

    >>> lines(7)[0] == lines(7)[6] == LINES[0]
    True
    """
    return list(islice(cycle(LINES), count))


def shortened(text: str, letters: int) -> str:
    """A name of at most so many letters, on one line, that a font can draw.

    >>> shortened("a long name", 7)
    'a long…'
    """
    text = " ".join(drawable(text).split())
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


def drawable(text: str) -> str:
    """A text without halves of characters, which stand for bytes of a name that is no UTF-8.

    >>> drawable("caf\\udce9.png")
    'caf\\\\udce9.png'
    """
    return re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)
