"""What the finder suggests, in numbers, in words, in a notebook."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
from PIL import Image

from kitbox.learning.suggestion import Suggestion
from kitbox.training.finder import Curve, read


def curve(fall: float = 1.5) -> Curve:
    rates = list(np.geomspace(1e-7, 10, 100))
    at = np.log10(rates)
    losses = 2.3 - fall / (1 + np.exp(-4 * (at + 3))) + np.maximum(0, at + 1) ** 2 * 3
    return read(rates, list(losses))


def test_numbers_and_words() -> None:
    seen = curve()
    found = Suggestion(seen.steepest, seen)
    assert (found.steepest, found.shoots_up, found.flat) == (seen.steepest, seen.shoots_up, False)
    assert 3e-4 < found.steepest < 3e-3
    assert repr(found) == (
        f"lr {seen.steepest:.1e} (the loss falls fastest at {seen.steepest:.1e} and only rises "
        f"after {seen.shoots_up:.1e})"
    )
    assert repr(Suggestion((1e-5, 1e-3), seen)).startswith("lr 1.0e-05 to 1.0e-03 (")
    flat = Suggestion(4e-3, curve(fall=0.0001))
    assert repr(flat) == "lr 4.0e-03: the loss falls at no rate"


def test_a_notebook_shows_the_curve() -> None:
    found = Suggestion((1e-5, 1e-3), curve())
    page = found._repr_html_()
    assert repr(found) in page
    coded = re.search(r'src="data:image/png;base64,([^"]+)"', page)
    assert coded is not None
    shown = Image.open(io.BytesIO(base64.b64decode(coded[1])))
    assert np.array_equal(np.asarray(shown), np.asarray(found.plot()))
    colours = np.unique(np.asarray(shown).reshape(-1, 3), axis=0)
    assert len(colours) > 10
