"""The page: parts of a report as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kitbox.ink import drawable

if TYPE_CHECKING:
    import pandas as pd

    from kitbox.interpretation.advice import Advice
    from kitbox.interpretation.section import Section

MOST_ROWS = 200
"""Rows of a table that the page shows, at most."""
MOST_COLUMNS = 41
"""Columns of a table that the page shows, at most; a table of more stays away."""
FOLD = 12
"""Tables of more rows are folded away until somebody opens them."""

LEAST = 0.55
"""How much smaller a picture is shown where the page is narrow; beyond that it scrolls."""


class Figure(NamedTuple):
    """A picture on the page: its markup, `img` or `svg`, and what stands below it."""

    markup: str
    name: str = ""


@dataclass(frozen=True)
class Part:
    """A part of the page.

    Attributes:
        title: a few words.
        lines: sentences.
        facts: large numbers, by what they are.
        advice: what may be mended.
        figures: shown in their order.
        tables: by name.
        code: shown as it is.
    """

    title: str
    lines: Sequence[str] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    advice: Sequence[Advice] = ()
    figures: Sequence[Figure] = ()
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    code: str = ""


def of_section(section: Section) -> Part:
    """A section of an interpretation as a part of the page."""
    figures = [image(plot.png(), name) for name, plot in section.plots.items()]
    lines = [line for line in section.text.split("\n") if line.strip()]
    return Part(section.title, lines, figures=figures, tables=section.tables)


def image(png: bytes, name: str, alt: str = "") -> Figure:
    """A PNG file, within the page; `alt` is read out where `name` does not say what it shows."""
    from markupsafe import Markup

    source = "data:image/png;base64," + base64.b64encode(png).decode("ascii")
    width = int.from_bytes(png[16:20], "big")  # of the file's first chunk
    markup = '<img src="{}" alt="{}" style="min-width: {:.0f}px">'
    return Figure(Markup(markup).format(source, alt or name, LEAST * width), name)


def render(title: str, subtitle: str, parts: Sequence[Part], footer: str) -> str:
    """The page, all of it in one text."""
    from jinja2 import Environment, StrictUndefined

    text = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    anchors = _anchors(part.title for part in parts)
    number = count(1)
    shown = [
        {
            "title": part.title,
            "anchor": anchor,
            "facts": part.facts,
            "lines": [_with_code(line) for line in part.lines],
            "advice": [_advice(one) for one in part.advice],
            "figures": [_with_own_ids(one, next(number)) for one in part.figures],
            "tables": [_table(name, table) for name, table in part.tables.items() if len(table)],
            "code": part.code,
        }
        for part, anchor in zip(parts, anchors, strict=True)
    ]
    page = environment.from_string(text)
    made = page.render(title=title, subtitle=subtitle, parts=shown, footer=footer) + "\n"
    return drawable(made)


def _with_own_ids(figure: Figure, number: int) -> Figure:
    """A chart whose ids no other chart of the page has; those that nothing points to are gone."""
    from markupsafe import Markup

    if not figure.markup.startswith("<svg"):
        return figure
    named = set(re.findall(r'(?:href="|url\()#([^")]+)', figure.markup))
    text = re.sub(
        r' id="([^"]*)"',
        lambda found: f' id="c{number}-{found[1]}"' if found[1] in named else "",
        figure.markup,
    )
    text = re.sub(r'(href="|url\()#', rf"\1#c{number}-", text)
    return figure._replace(markup=Markup(text))


def _advice(one: Advice) -> dict[str, str]:
    """What the template wants of a piece of advice."""
    code = [*one.first, *([one.command()] if one.change else [])]
    told = {"seen": _with_code(one.seen), "why": _with_code(one.why)}
    return {"about": one.about, **told, "code": "\n".join(code)}


def _with_code(text: str) -> str:
    """A sentence as markup: what stands between backticks is code.

    >>> _with_code("`a<b` is less")
    Markup('<code>a&lt;b</code> is less')
    """
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", str(escape(text))))


class _Cell(NamedTuple):
    text: str
    number: bool
    order: str | None


def _table(name: str, table: pd.DataFrame) -> dict[str, Any]:
    """What the template wants of a table."""
    if len(table.columns) > MOST_COLUMNS:
        from kitbox.interpretation.section import slug

        wide = f"{name}: {len(table.columns):,} columns are too many for a page; "
        where = f"`kitbox interpret` writes them as interpretation/{slug(name)}.csv."
        return {"name": name, "rows": [], "folded": False, "more": _with_code(wide + where)}
    if table.index.name is not None or table.index.dtype.kind not in "iu":
        table = table.rename_axis(str(table.index.name or "")).reset_index()
    shown = table.head(MOST_ROWS)
    numbers = [column.dtype.kind in "iufb" for _, column in shown.items()]
    left = len(table) - len(shown)
    return {
        "name": name,
        "count": len(table),
        "folded": len(table) > FOLD,
        "heads": [
            {"name": str(head), "number": number}
            for head, number in zip(shown.columns, numbers, strict=True)
        ],
        "rows": [
            [_cell(value, number) for value, number in zip(row, numbers, strict=True)]
            for row in shown.itertuples(index=False)
        ],
        "more": f"{left:,} more rows are not shown." if left else "",
    }


def _cell(value: Any, number: bool) -> _Cell:
    text = said(value)
    if isinstance(value, bool) or not number:
        return _Cell(text, False, None)
    return _Cell(text, True, "" if text == "" else repr(float(value)))


def said(value: Any) -> str:
    """A value as a cell shows it: four digits of a fraction, '' where there is none.

    >>> said(0.123456), said(1234567), said(float("nan")), said(12345.678), said(None)
    ('0.1235', '1,234,567', '', '12,346', '')
    """
    import numpy as np

    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{int(value):,}"
    if isinstance(value, float | np.floating):
        if math.isnan(value):
            return ""
        number = float(value)
        return f"{number:,.0f}" if 1e4 <= abs(number) < 1e15 else f"{number:.4g}"
    return str(value)


def _anchors(titles: Iterable[str]) -> list[str]:
    """A different anchor for each title."""
    made: list[str] = []
    for title in titles:
        name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "part"
        made.append(name if name not in made else f"{name}-{len(made)}")
    return made
