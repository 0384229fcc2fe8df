"""Plots that several kinds of interpretation share: grids of pictures, bars, dots."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from kitbox.ink import drawable, shortened
from kitbox.interpretation.section import Plot

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

GOOD, BAD, BLUE, GREY, INK = "#1a7f37", "#c62828", "#2f6db3", "#9aa0a6", "#222222"


class Mark(NamedTuple):
    """How a column of a table is drawn: a colour, and a marker of matplotlib ('' for a bar)."""

    color: str
    marker: str = ""


BAR, PRECISION, RECALL = Mark("#c9d3dd"), Mark("#1f5fbf", "o"), Mark("#e07b00", "^")
THRESHOLD = Mark(INK, "|")
"""Told apart by their shapes, and by their colours with any eyes."""
LINE = 30
"""Letters of a line below a picture, at most, where it is one cell wide."""


@dataclass(frozen=True)
class Tile:
    """A picture with lines below it.

    Attributes:
        picture: (H, W, 3) uint8.
        lines: text and colour of each.
        heat: (H, W) from 0 to 1, laid over the picture; None for none.
    """

    picture: np.ndarray
    lines: Sequence[tuple[str, str]] = ()
    heat: np.ndarray | None = None


def tiles(
    shown: Sequence[Tile],
    *,
    columns: int = 3,
    title: str = "",
    cell: float = 2.5,
    rows: Sequence[str] = (),
) -> Plot:
    """Pictures in rows, their lines below them.

    Args:
        cell: inches of a picture's longer side.
        rows: what stands above each row.
    """
    columns = max(1, min(columns, len(shown)))
    count = max(1, -(-len(shown) // columns))
    heights = [one.picture.shape[0] / max(one.picture.shape[:2]) for one in shown] or [1.0]
    widths = [one.picture.shape[1] / max(one.picture.shape[:2]) for one in shown] or [1.0]
    high, wide = cell * max(heights), max(cell * max(widths), 1.6)
    letters = max(12, int(LINE * wide / 2.5))
    told = [
        [(text, color) for line, color in one.lines for text in wrapped(line, letters)]
        for one in shown
    ]
    lines = max(map(len, told), default=0)
    figure = Plot(
        figsize=(
            columns * wide + 0.2,
            count * (high + 0.17 * lines + 0.1 + 0.25 * bool(rows)) + 0.3 * bool(title),
        )
    )
    if title:
        figure.suptitle(
            shortened(title, int(11 * wide * columns)), fontsize=11, color=INK, parse_math=False
        )
    axes = figure.subplots(count, columns, squeeze=False).ravel()
    for axis in axes:
        axis.set_axis_off()
    for number, (axis, one) in enumerate(zip(axes, shown, strict=False)):
        if number % columns == 0 and number // columns < len(rows):
            # It may reach over all columns, but not beyond: nothing makes room for it.
            row = shortened(rows[number // columns], int(13 * wide * columns))
            axis.set_title(row, fontsize=9, loc="left", color=INK, parse_math=False)
        height, width = one.picture.shape[:2]
        axis.imshow(one.picture, aspect="equal", extent=(0, width, height, 0))
        if one.heat is not None:
            axis.imshow(
                one.heat,
                cmap="turbo",
                alpha=0.55 * one.heat,
                vmin=0,
                vmax=1.2,  # up to red: what comes after is dark
                extent=(0, width, height, 0),
                interpolation="bilinear",
            )
        for place, (text, color) in enumerate(told[number]):
            axis.annotate(
                text,
                (0, 0),
                xycoords="axes fraction",
                xytext=(0, -9 - 11.5 * place),
                textcoords="offset points",
                fontsize=8,
                color=color,
                va="center",
                annotation_clip=False,
                parse_math=False,
            )
    return figure


def bars(
    table: pd.DataFrame,
    columns: Mapping[str, Mark],
    *,
    title: str,
    most: int = 40,
    limits: tuple[float, float] | None = (0, 1),
    unit: str = "",
) -> Plot:
    """A row of horizontal bars and markers for each row of a table, the first at the top.

    Args:
        columns: how each is drawn.
        most: rows that are drawn, at most.
    """
    import numpy as np

    shown = table.head(most)
    figure = Plot(figsize=(6.5, 0.9 + 0.24 * max(2, len(shown))))
    axis = figure.subplots()
    places = np.arange(len(shown))
    handles: list[Any] = []
    for name, (color, marker) in columns.items():
        values = shown[name].to_numpy(float)
        if not marker:
            handles.append(axis.barh(places, np.nan_to_num(values), color=color, height=0.62))
            continue
        size = {"|": 9.0, "^": 5.5}.get(marker, 5.0)
        edge = {"mew": 1.6} if marker == "|" else {"mec": "white", "mew": 0.5}
        handles += axis.plot(
            values, places, marker, color=color, ms=size, clip_on=False, zorder=3, **edge
        )
    axis.set_yticks(places, [shortened(str(name), 34) for name in shown.index], fontsize=8)
    for label in axis.get_yticklabels():
        label.set_parse_math(False)
    axis.set_ylim(len(shown) - 0.4, -0.6)
    if limits is not None:
        axis.set_xlim(*limits)
    axis.set_xlabel(unit, fontsize=9)
    more = f" ({len(shown)} of {len(table)})" if len(shown) < len(table) else ""
    axis.set_title(title + more, fontsize=10, loc="left")
    if len(columns) > 1:
        legend(axis, handles, list(columns), loc="upper left", bbox_to_anchor=(1.0, 1.0))
    tidy(axis)
    axis.grid(axis="x", color="#e5e5e5")
    axis.set_axisbelow(True)
    return figure


def legend(where: Any, handles: Sequence[Any], names: Sequence[str], **options: Any) -> None:
    """A legend of a figure or axis with these names, whatever letters they have.

    matplotlib leaves out names that begin with an underscore, and reads formulas between dollars.
    """
    made = where.legend(handles, ["-"] * len(names), fontsize=8, frameon=False, **options)
    for text, name in zip(made.get_texts(), names, strict=True):
        text.set_text(shortened(name, 28))
        text.set_parse_math(False)


def abreast(names: Sequence[str], figure: Plot) -> int:
    """How many names of a legend, six at most, have room side by side below a figure."""
    longest = max((min(28, len(name)) for name in names), default=0)
    return max(1, min(6, len(names), int(13 * figure.get_figwidth() / (longest + 6))))


def tidy(axis: Any) -> None:
    """Without a box, small letters."""
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    axis.tick_params(labelsize=8)


def wrapped(text: str, letters: int) -> list[str]:
    """A text in two lines at most, of so many letters.

    >>> wrapped("missed: car, tree, sign", 12)
    ['missed: car,', 'tree, sign']
    """
    found = textwrap.wrap(" ".join(drawable(text).split()), letters, max_lines=2, placeholder=" …")
    return found or [""]
