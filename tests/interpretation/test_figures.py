"""Grids of pictures and bars: sizes, lines, heat, many rows."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
from PIL import Image

from kitbox.interpretation import figures
from kitbox.interpretation.figures import Tile


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


def test_bars_of_many_rows_say_how_many_are_shown() -> None:
    table = pd.DataFrame({"f1": np.linspace(0, 1, 300)}, index=[f"n{n}" for n in range(300)])
    plot = figures.bars(table, {"f1": figures.BLUE}, title="Scores")
    assert plot.axes[0].get_title(loc="left") == "Scores (40 of 300)"
    labels = [one.get_text() for one in plot.axes[0].get_yticklabels()]
    assert labels[0] == "n0"
    assert len(labels) == 40
    assert figures.bars(table.head(0), {"f1": figures.BLUE}, title="t").png()
    assert figures.bars(table.head(1) * np.nan, {"f1": figures.BLUE}, title="t").png()
