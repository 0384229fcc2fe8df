"""Text in pictures, in every script that a font of this machine has."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont

_HOLDERS: dict[str, str] = {}
"""The font's file that each character was found in; '' where no font has it."""


class Lettering:
    """Letters of one size for some texts.

    matplotlib's DejaVu Sans has Latin, Greek, Cyrillic and more; for other characters the
    fonts of the system are asked. What no font has is written as its code, as in \\u65e5.

    Args:
        texts: all that will be written.
        size: of the letters, in pixels.
    """

    def __init__(self, texts: Iterable[str], size: int) -> None:
        self.size = size
        _find({one for text in texts for one in _composed(text)})

    def readable(self, text: str) -> str:
        """The text with only characters that a font has."""
        return "".join(one if _HOLDERS.get(one) else _code(one) for one in _composed(text))

    def length(self, text: str) -> float:
        """The width of a readable text, in pixels."""
        return sum(font.getlength(part) for font, part in self._parts(text))

    def write(self, pen: ImageDraw.ImageDraw, x: float, y: float, text: str) -> None:
        """Write a readable text in black; (x, y) is the left end of its base line."""
        for font, part in self._parts(text):
            pen.text((x, y), part, "black", font, anchor="ls")
            x += font.getlength(part)

    def _parts(self, text: str) -> Iterator[tuple[ImageFont.FreeTypeFont, str]]:
        """The text in parts of one font each."""
        for path, part in groupby(text, lambda one: _HOLDERS.get(one) or _dejavu()):
            yield _font(path, self.size), "".join(part)


def _composed(text: str) -> str:
    """A letter and its accent as one character, which more fonts have."""
    return unicodedata.normalize("NFC", text)


def _code(character: str) -> str:
    """What stands for a character that no font has; nothing for one that has no shape."""
    if unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f":
        return ""
    return character.encode("unicode_escape").decode()


def _find(characters: set[str]) -> None:
    """Look for fonts that have these characters; `_HOLDERS` keeps the answers."""
    # Codes and the sign of what was cut off are written too.
    lacking = (characters | set(map(chr, range(32, 127))) | {"…"}) - set(_HOLDERS)
    for path in chain([_dejavu()], _others()):
        if not lacking:
            return
        held = _held(path, lacking)
        _HOLDERS.update(dict.fromkeys(held, path))
        lacking -= held
    _HOLDERS.update(dict.fromkeys(lacking, ""))


def _held(path: str, characters: set[str]) -> set[str]:
    """Those of the characters that a font has; none where the font cannot be used."""
    from matplotlib.ft2font import FT2Font

    try:
        font = FT2Font(path)
        held = {one for one in characters if font.get_char_index(ord(one))}
        if held:
            _font(path, 12)  # one of bitmaps has its own sizes
    except (OSError, RuntimeError, ValueError):
        return set()
    return held


def _others() -> Iterator[str]:
    """The system's fonts, upright ones of usual weight first."""
    import matplotlib as mpl
    from matplotlib import font_manager

    # Beside DejaVu matplotlib brings symbols of formulas, and boxes for all that there is.
    own = Path(mpl.get_data_path())
    fonts = [one for one in font_manager.fontManager.ttflist if own not in Path(one.fname).parents]
    usual = (400, "normal", "regular", "book")
    for one in sorted(
        fonts, key=lambda one: (one.style != "normal", one.weight not in usual, one.fname)
    ):
        if not one.name.strip(".").replace(" ", "").startswith(("LastResort", "AdobeBlank")):
            yield one.fname


def _dejavu() -> str:
    import matplotlib as mpl

    return str(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")


@functools.cache
def _font(path: str, size: int) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(path, size)
