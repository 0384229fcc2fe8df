"""Charts whose ink is the page's."""

from __future__ import annotations

import numpy as np
import pytest

from kitbox.report import charts
from kitbox.report.page import Figure

LINES = {"train": ([1.0, 2.0], [3.0, 2.0]), "valid <b>": ([1.0, 2.0], [3.5, 2.5])}
MADE = {
    "lines": lambda: charts.lines(LINES, title="loss $x_1$", x="epoch", marks=[1.5]),
    "stack": lambda: charts.stack({"train": 3.0, "wait": 0.5}, unit="seconds"),
    "bars": lambda: charts.bars({"a": {"train": 2.0}, "b": {"valid": 1.0}}, unit="pictures"),
    "histogram": lambda: charts.histogram(np.arange(50), x="pixels", title="sizes"),
}


@pytest.mark.parametrize("name", MADE)
def test_a_chart_is_svg_in_the_page_s_ink(name: str) -> None:
    made: Figure = MADE[name]()
    assert made.markup.startswith("<svg")
    assert "currentColor" in made.markup
    assert charts.INK not in made.markup
    assert "<b>" not in made.markup  # what the run calls its things is no markup
    assert MADE[name]() == made  # the same again


def test_words_stay_words() -> None:
    markup = MADE["lines"]().markup
    assert "train" in markup
    assert "epoch" in markup
