"""Grids of pictures and bars: sizes, lines, heat, many rows."""

from __future__ import annotations

import io
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from kitbox.interpretation import figures
from kitbox.interpretation.figures import Tile
from kitbox.interpretation.landmarks import GIVEN, TRUE


def shown(plot: figures.Plot) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(plot.png())).convert("RGB"))


def test_pictures_of_all_shapes_are_whole_and_lines_below_them() -> None:
    red = np.zeros((20, 60, 3), np.uint8)
    red[..., 0] = 255
    tall = np.zeros((60, 20, 3), np.uint8)
    tall[..., 2] = 255
    plot = figures.tiles([Tile(red, [("a line", "#000000")]), Tile(tall)], columns=2)
    seen = shown(plot).astype(int)
    is_red = (seen[..., 0] > 250) & (seen[..., 1:] < 5).all(axis=2)
    is_blue = (seen[..., 2] > 250) & (seen[..., :2] < 5).all(axis=2)
    for mask, ratio in ((is_red, 3), (is_blue, 1 / 3)):
        height, width = np.ptp(np.argwhere(mask), axis=0) + 1
        assert abs(width / height - ratio) < 0.1 * ratio
    letters = (seen < 80).all(axis=2)
    assert np.argwhere(letters)[:, 0].min() > np.argwhere(is_red)[:, 0].max()


def test_heat_lies_where_it_is_hot() -> None:
    grey = np.full((40, 40, 3), 128, np.uint8)
    heat = np.zeros((40, 40), np.float32)
    heat[:20] = 1
    cold, hot = (shown(figures.tiles([Tile(grey, heat=one)])) for one in (0 * heat, heat))
    differs = (cold != hot).any(axis=2)
    middle = len(differs) // 2
    assert differs[: middle - 20].mean() > 0.5
    assert differs[middle + 20 :].mean() < 0.05


def test_one_and_none() -> None:
    one = Tile(np.zeros((8, 8, 1), np.uint8).repeat(3, axis=2), [("$ % _", "#000000")])
    assert shown(figures.tiles([one], title="t", rows=["r"])).size
    assert shown(figures.tiles([])).size


def test_formulas_and_underscores_are_names() -> None:
    tile = Tile(np.zeros((8, 8, 3), np.uint8), [("a_$b_$", "#000000")])
    plot = figures.tiles([tile], title="5_$, 6_$", rows=["up_$, taken for down_$: 3"])
    assert shown(plot).size
    table = pd.DataFrame({"_a": [0.5], "$_$": [0.25]}, index=["_$x_$"])
    plot = figures.bars(table, {"_a": figures.BAR, "$_$": figures.RECALL}, title="t")
    assert shown(plot).size
    (legend,) = [axis.get_legend() for axis in plot.axes]
    assert [one.get_text() for one in legend.get_texts()] == ["_a", "$_$"]


EYES = {
    "normal": np.eye(3),
    "deuteranope": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "protanope": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
}
"""Linear RGB as eyes see it; Machado, Oliveira and Fernandes, 2009, at severity 1."""


def seen_as(color: object, eyes: str) -> np.ndarray:
    """A colour in CIELAB, of white D65, as some eyes see it."""
    share = np.array(to_rgb(color)) if isinstance(color, str) else np.array(color) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(EYES[eyes]) @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(to_xyz) @ linear / [0.9505, 1, 1.089]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eyes", EYES)
def test_colours_are_far_apart_for_all_eyes(eyes: str) -> None:
    marks = (figures.BAR, figures.PRECISION, figures.RECALL, figures.THRESHOLD)
    pairs = [*combinations([one.color for one in marks], 2), (TRUE, GIVEN)]
    for one, other in pairs:
        assert np.linalg.norm(seen_as(one, eyes) - seen_as(other, eyes)) > 40, (one, other)
    assert len({one.marker for one in marks}) == len(marks)
    old = np.linalg.norm(seen_as("#1a7f37", eyes) - seen_as("#c62828", eyes))
    assert (old > 40) == (eyes == "normal")  # it can be seen that the test sees


def test_bars_of_many_rows_say_how_many_are_shown() -> None:
    table = pd.DataFrame({"f1": np.linspace(0, 1, 300)}, index=[f"n{n}" for n in range(300)])
    plot = figures.bars(table, {"f1": figures.BAR}, title="Scores")
    assert plot.axes[0].get_title(loc="left") == "Scores (40 of 300)"
    labels = [one.get_text() for one in plot.axes[0].get_yticklabels()]
    assert labels[0] == "n0"
    assert len(labels) == 40
    assert figures.bars(table.head(0), {"f1": figures.BAR}, title="t").png()
    assert figures.bars(table.head(1) * np.nan, {"f1": figures.BAR}, title="t").png()
