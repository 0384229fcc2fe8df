"""Charts whose ink is the page's."""

from __future__ import annotations

import os
import warnings

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


@pytest.mark.parametrize("name", MADE)
def test_a_chart_says_what_it_is(name: str) -> None:
    head = MADE[name]().markup.partition(">")[0]
    assert 'role="img"' in head
    said = {"lines": "loss $x_1$: train, valid &lt;b&gt;, by epoch", "bars": "pictures"}
    said |= {"stack": "seconds: train 3, wait 0.5", "histogram": "sizes, pixels"}
    assert f'aria-label="{said[name]}"' in head


@pytest.mark.parametrize("name", ["猫", "up_$, down_$", os.fsdecode(b"caf\xe9"), "a\nb"])
def test_any_name_is_drawn_without_a_warning(name: str) -> None:
    curve = {name: ([1.0], [2.0]), "b": ([1.0], [2.0])}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = [
            charts.bars({name: {name: 3.0}, "b": {"v": 1.0}}, unit="pictures"),
            charts.lines(curve, title=name, x=name),
            charts.stack({name: 1.0}, unit=name),
        ]
    for one in made:
        one.markup.encode()


def test_words_stay_words() -> None:
    markup = MADE["lines"]().markup
    assert "train" in markup
    assert "epoch" in markup
