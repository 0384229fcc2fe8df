"""Charts that follow the page from light to dark: SVG whose ink is the page's."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kitbox import ink
from kitbox.report.page import LEAST, Figure

if TYPE_CHECKING:
    import numpy as np

INK = "#010203"
"""Stands for the page's ink in a chart that is being drawn."""

LETTERS = 30
"""Of the name of a bar, at most."""

_LEGEND: dict[str, Any] = {"frameon": False, "labelcolor": INK}


def lines(
    shown: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    title: str,
    x: str,
    marks: Sequence[float] = (),
) -> Figure:
    """Lines (x values, y values) by name.

    Args:
        marks: x values where a thin upright line stands.
    """
    figure, (axis,) = _figure(3.7, 2.6, 1, 1)
    for color, (label, (there, values)) in zip(ink.lines(len(shown)), shown.items(), strict=True):
        few = len(values) < 40
        axis.plot(there, values, "-o" if few else "-", ms=3, lw=1.6, color=color, label=label)
    for mark in marks:
        axis.axvline(mark, color=INK, lw=1.2, alpha=0.8, ls=":")
    axis.set_title(title, fontsize=10, loc="left", color=INK)
    axis.set_xlabel(x, fontsize=9, color=INK)
    axis.xaxis.get_major_locator().set_params(integer=True)
    _tidy(axis)
    if len(shown) > 1:
        axis.legend(fontsize=8, **_LEGEND)
    return Figure(_svg(figure, f"{title}: {', '.join(shown)}, by {x}"))


def stack(parts: Mapping[str, float], *, unit: str, name: str = "") -> Figure:
    """One bar from left to right, a piece for each part, with a legend."""
    figure, axes = _figure(8.4, 1.5, 1, 1)
    axis, left = axes[0], 0.0
    for color, (label, value) in zip(ink.lines(len(parts)), parts.items(), strict=True):
        axis.barh([0], [value], left=left, color=color, height=0.6, label=f"{label} {value:.3g}")
        left += value
    axis.set_yticks([])
    axis.set_xlabel(unit, fontsize=9, color=INK)
    axis.set_xlim(0, left or 1)
    _tidy(axis)
    axis.spines["left"].set_visible(False)
    figure.legend(loc="outside upper left", ncols=3, fontsize=8, **_LEGEND)
    told = ", ".join(f"{label} {value:.3g}" for label, value in parts.items())
    return Figure(_svg(figure, f"{name or unit}: {told}"), name)


def bars(values: Mapping[str, Mapping[str, float]], *, unit: str, name: str = "") -> Figure:
    """Bars from left to right, a row for each name; the pieces of a row stand one after another."""
    figure, axes = _figure(7.0, 0.8 + 0.24 * max(2, len(values)), 1, 1)
    axis = axes[0]
    pieces = list(dict.fromkeys(piece for row in values.values() for piece in row))
    left = [0.0] * len(values)
    for color, piece in zip(ink.lines(len(pieces)), pieces, strict=True):
        widths = [row.get(piece, 0.0) for row in values.values()]
        axis.barh(range(len(values)), widths, left=left, color=color, height=0.7, label=piece)
        left = [at + width for at, width in zip(left, widths, strict=True)]
    axis.set_yticks(range(len(values)), [ink.shortened(one, LETTERS) for one in values], fontsize=8)
    axis.set_ylim(len(values) - 0.4, -0.6)
    axis.set_xlabel(unit, fontsize=9, color=INK)
    _tidy(axis)
    if len(pieces) > 1:
        figure.legend(loc="outside upper left", ncols=3, fontsize=8, **_LEGEND)
    return Figure(_svg(figure, name or unit), name)


def histogram(values: np.ndarray, *, x: str, title: str, name: str = "") -> Figure:
    """How often values occur."""
    figure, axes = _figure(4.2, 2.4, 1, 1)
    axes[0].hist(values, bins=min(40, max(5, len(values) // 5)), color=ink.LINES[0])
    axes[0].set_title(title, fontsize=10, loc="left", color=INK)
    axes[0].set_xlabel(x, fontsize=9, color=INK)
    _tidy(axes[0])
    return Figure(_svg(figure, f"{title}, {x}"), name)


def _figure(width: float, height: float, rows: int, columns: int) -> tuple[Any, list[Any]]:
    from matplotlib.figure import Figure as Canvas

    figure = Canvas(figsize=(width, height), layout="constrained", facecolor="none")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes:
        axis.set_facecolor("none")
    return figure, list(axes)


def _tidy(axis: Any) -> None:
    for side, spine in axis.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(INK)
    axis.tick_params(labelsize=8, colors=INK)
    axis.grid(color=INK, alpha=0.12, lw=0.7)
    axis.set_axisbelow(True)


def _svg(figure: Any, told: str) -> str:
    """The chart as `svg` markup of the page, its letters letters.

    Args:
        told: what it shows, for those who cannot see it.
    """
    import matplotlib as mpl
    from markupsafe import Markup, escape
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        text.set_parse_math(False)
        text.set_text(ink.drawable(text.get_text()))
    content = io.StringIO()
    with (
        mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "kitbox"}),
        warnings.catch_warnings(),
    ):
        # The browser's font has letters that are missing from the one measured with.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(content, format="svg", metadata={"Date": None, "Creator": None})
    made = content.getvalue()
    made = made[made.index("<svg") :].replace(INK, "currentColor")
    least = LEAST * 96 * figure.get_figwidth()
    label = escape(ink.drawable(told))
    head = f'<svg role="img" aria-label="{label}" style="min-width: {least:.0f}px"'
    made = head + made.removeprefix("<svg")
    made = re.sub(r"<metadata>.*?</metadata>", "", made, flags=re.DOTALL)
    made = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font: \1px system-ui, sans-serif", made)
    return Markup(made)
