"""Confusion matrices: order, pairs, plots of 1 to 300 classes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kitbox.interpretation import matrix


def frame(counts: np.ndarray) -> pd.DataFrame:
    names = [f"class number {n}" for n in range(len(counts))]
    return pd.DataFrame(counts, index=names, columns=names)


def test_similar_classes_come_side_by_side() -> None:
    counts = np.diag([10] * 8)
    for one, other in ((0, 5), (2, 7), (1, 6)):
        counts[one, other] = counts[other, one] = 6
    order = matrix.similar_first(counts)
    assert sorted(order) == list(range(8))
    for one, other in ((0, 5), (2, 7), (1, 6)):
        assert abs(order.index(one) - order.index(other)) == 1


def test_an_order_of_few_or_empty_classes() -> None:
    assert matrix.similar_first(np.zeros((2, 2), int)) == [0, 1]
    assert sorted(matrix.similar_first(np.zeros((5, 5), int))) == list(range(5))


def test_pairs_are_the_errors_most_first() -> None:
    counts = np.array([[5, 3, 0], [1, 9, 2], [0, 0, 0]])
    found = matrix.pairs(frame(counts), 2)
    assert found["count"].tolist() == [3, 2]
    assert found["truth"].tolist() == ["class number 0", "class number 1"]
    assert found["share"].tolist() == pytest.approx([3 / 8, 2 / 12])
    assert len(matrix.pairs(frame(counts), 0)) == 3  # none of what never happened


def test_the_most_involved_are_counted_both_ways() -> None:
    counts = np.diag([9] * 5)
    counts[0, 3] = 4
    counts[4, 2] = 1
    assert matrix.most_involved(counts, 2) == [0, 3]


@pytest.mark.parametrize("size", [1, 2, 13, 30, 300])
def test_it_is_drawn(size: int) -> None:
    counts = np.random.default_rng(0).poisson(0.2, (size, size)) + np.diag([5] * size)
    counts[0] = 0  # a class that no picture has
    plot = matrix.draw(frame(counts))
    axis = plot.axes[0]
    drawn = min(size, matrix.DRAWN)
    assert len(axis.get_yticklabels()) == drawn
    height, width = (round(side * 110) for side in plot.get_size_inches()[::-1])
    assert max(height, width) < 3000
    # Names do not run into each other: a row is at least as high as its letters.
    plot.png()
    per_row = axis.get_window_extent().height / plot.dpi * 72 / drawn
    letters = axis.get_yticklabels()[0].get_fontsize()
    assert letters <= per_row * 1.05 or drawn == 1
    assert ("the 40 of 300" in axis.get_title(loc="left")) == (size == 300)


def test_all_of_many_classes_are_drawn_when_asked_for() -> None:
    plot = matrix.draw(frame(np.diag([3] * 200)), most=None)
    assert len(plot.axes[0].get_yticklabels()) == 200
    plot.png()
    per_row = plot.axes[0].get_window_extent().height / plot.dpi * 72 / 200
    assert plot.axes[0].get_yticklabels()[0].get_fontsize() <= per_row * 1.05


def test_a_name_with_a_dollar_sign_is_no_formula() -> None:
    names = ["$a", "b$"]
    assert matrix.draw(pd.DataFrame(np.eye(2, dtype=int), names, names)).png()[:4] == b"\x89PNG"
