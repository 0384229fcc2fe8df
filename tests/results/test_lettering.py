"""Text in pictures."""

from __future__ import annotations

import itertools
import warnings
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw

from kitbox.results import lettering, pictures
from kitbox.results.lettering import Lettering


def drawn(text: str) -> np.ndarray:
    """A grid of one picture with a caption, (H, W, 3) uint8."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return np.asarray(pictures.grid([np.zeros((8, 8, 3), np.uint8)], [text]))


@pytest.fixture
def no_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a font beside matplotlib's."""
    monkeypatch.setattr(lettering, "_HOLDERS", {})
    monkeypatch.setattr(lettering, "_others", lambda: iter(()))


@pytest.mark.parametrize(
    "letters", ["äöüßéñçøłž", "жщыяє", "αβγω", "אבג", "日本語中国", "กขค", "…–“€"]
)
def test_each_letter_looks_another_way(letters: str) -> None:
    sheets = [drawn(one) for one in letters]
    blank = drawn("")
    for one in sheets:
        assert one.shape == blank.shape
        assert (one != blank).any()
    assert not any((a == b).all() for a, b in itertools.combinations(sheets, 2))


def test_a_letter_and_its_accent_are_one() -> None:
    assert (drawn("Gänseblümchen") == drawn("Ga\u0308nseblu\u0308mchen")).all()


@pytest.mark.usefixtures("no_fonts")
def test_what_no_font_has_is_written_as_its_code() -> None:
    letters = Lettering(["日x", "\udcff", "a\u200bb\U000e0001", "\x1b"], 12)
    assert letters.readable("日x") == "\\u65e5x"
    assert letters.readable("\udcff\x1b") == "\\udcff\\x1b"
    assert letters.readable("ab\U000e0001") == "ab"
    assert drawn("日本語日本語日本語").shape == drawn("a").shape


def test_another_font_that_has_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    plain, other = (folder / f"{name}.ttf" for name in ("DejaVuSans", "STIXGeneral"))
    only = set(FT2Font(str(other)).get_charmap()) - set(FT2Font(str(plain)).get_charmap())
    letter = next(one for one in map(chr, sorted(only)) if one.isalpha())
    broken = folder.parent / "nothing.ttf"
    monkeypatch.setattr(lettering, "_HOLDERS", {})
    monkeypatch.setattr(lettering, "_others", lambda: iter(map(str, (broken, other))))
    letters = Lettering([f"a{letter}b"], 12)
    assert letters.readable(f"a{letter}b") == f"a{letter}b"
    assert lettering._HOLDERS[letter] == str(other)
    assert lettering._HOLDERS["a"] == str(plain)
    lengths = [letters.length(one) for one in ("a", letter, "b")]
    assert letters.length(f"a{letter}b") == pytest.approx(sum(lengths))
    sheet = Image.new("RGB", (60, 20), "white")
    letters.write(ImageDraw.Draw(sheet), 5, 14, f"a{letter}b")
    inked = np.flatnonzero((np.asarray(sheet) < 128).any(axis=(0, 2)))
    assert 5 <= inked.min() < 7
    assert inked.max() <= 5 + sum(lengths)


def test_fonts_of_symbols_and_boxes_are_not_asked() -> None:
    own = str(mpl.get_data_path())
    assert not [one for one in lettering._others() if one.startswith(own) or "LastResort" in one]
