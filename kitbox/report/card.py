"""The data card: how many pictures of what, their sizes, broken ones, copies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from kitbox.data.counts import PARTS
from kitbox.interpretation.across import MOST
from kitbox.report import charts
from kitbox.report.page import Figure, Part

if TYPE_CHECKING:
    import pandas as pd

    from kitbox.data.pixels import Pixels
    from kitbox.interpretation.across import Pair

NAMES = {"train": "training", "valid": "validation", "test": "test"}
MOST_VALUES = 30
"""Different values of a target that are drawn, at most."""


def card(
    rows: pd.DataFrame,
    pixels: Pixels | None,
    broken: Mapping[str, str],
    copies: Sequence[Pair] | None,
    classes: pd.DataFrame | None = None,
) -> Part:
    """The data card.

    Args:
        rows: the run's table: `id`, `image`, `part` and the target columns.
        pixels: the decoded pictures of the rows, for their sizes; None where they are not there.
        broken: reason by picture.
        copies: pairs of pictures that look alike; None where nobody looked.
        classes: pictures by class and part, as `kitbox.data.counts.by_class` gives them; None
            where there are no classes: then the values of each target are counted.
    """
    import pandas as pd

    counts = rows["part"].value_counts()
    facts = {f"{name} pictures": f"{counts.get(part, 0):,}" for part, name in NAMES.items()}
    lines, figures, tables = [], [], {}
    if pixels is not None and len(pixels):
        line, figure, table = _sizes(pixels)
        lines.append(line)
        figures += figure
        tables["picture sizes"] = table
    known = rows[rows["part"].isin(PARTS)]
    for target in _targets(known) if classes is None else _by_class(known, classes):
        lines += target.lines
        figures += target.figures
        tables[target.name] = target.table
    if broken:
        facts["broken"] = f"{len(broken):,}"
        tables["broken pictures"] = pd.DataFrame(
            {"picture": list(broken), "what is wrong": list(broken.values())}
        )
    if copies is not None:
        facts["pairs that look alike"] = f"{len(copies):,}"
        if len(known) > MOST:
            lines.append(
                f"Of {len(known):,} pictures {MOST:,} were compared, validation pictures first; "
                "`kitbox interpret` compares all."
            )
        tables["pictures that look alike"] = pd.DataFrame(
            [(*pair.images, *pair.parts) for pair in copies],
            columns=["picture", "looks like", "part", "that one's part"],
        )
    return Part("Data", lines, facts, figures=figures, tables=tables)


def _sizes(pixels: Pixels) -> tuple[str, list[Figure], pd.DataFrame]:
    import pandas as pd

    known = pixels.sizes[pixels.sizes[:, 0] > 0]
    if not len(known):
        return "No picture could be read.", [], pd.DataFrame()
    shapes = pd.DataFrame(known, columns=["height", "width"]).value_counts().reset_index()
    shapes.columns = ["height", "width", "pictures"]
    if len(shapes) == 1:
        height, width = known[0]
        return f"All pictures are {width} pixels wide and {height} high.", [], shapes
    ratio = known[:, 1] / known[:, 0]
    line = (
        f"{len(known):,} pictures are {known[:, 1].min()} to {known[:, 1].max()} pixels wide and "
        f"{known[:, 0].min()} to {known[:, 0].max()} high, in {len(shapes):,} sizes; width to "
        f"height is {ratio.min():.2f} to {ratio.max():.2f}."
    )
    longer = known.max(axis=1)
    figure = charts.histogram(longer, x="pixels of the longer side", title="Sizes of pictures")
    return line, [figure], shapes


class _Target(NamedTuple):
    """What there is to tell of a target."""

    name: str
    table: pd.DataFrame
    figures: list[Figure]
    lines: list[str]


def _by_class(rows: pd.DataFrame, classes: pd.DataFrame) -> Iterator[_Target]:
    names = _names(rows)
    yield _counted(names[0] if len(names) == 1 else "class", classes, [])


def _targets(rows: pd.DataFrame) -> Iterator[_Target]:
    """Each target by its values: they are counted where they are few, else described."""
    import pandas as pd

    for name in _names(rows):
        values = rows[name]
        missing = int(values.isna().sum())
        if missing == len(values):
            continue
        lines = [f"{missing:,} labelled pictures have no value of {name}."] if missing else []
        if values.dtype.kind in "fi" and values.nunique() > MOST_VALUES:
            by_part = {part: of.describe() for part, of in values.groupby(rows["part"])}
            table = pd.DataFrame(by_part).T.rename_axis("part")
            yield _Target(f"values of {name}", table, [], lines)
            continue
        single = values.dropna().explode()  # of several values in a cell each counts
        if single.nunique() > max(MOST_VALUES, len(values) // 5):
            continue  # a text of its own for nearly every picture
        parts = rows["part"].loc[single.index]
        counts = pd.crosstab(single.map(str).to_numpy(), parts.to_numpy())
        yield _counted(name, counts.reindex(columns=list(PARTS), fill_value=0), lines)


def _names(rows: pd.DataFrame) -> list[str]:
    return [name for name in rows.columns if name not in ("id", "image", "part")]


def _counted(name: str, counts: pd.DataFrame, lines: list[str]) -> _Target:
    """Counts by value, columns `PARTS`: a table and a chart, in an order that is said."""
    table = counts.rename_axis(name)
    table.columns.name = None
    table.insert(0, "pictures", table.sum(axis=1))
    numbers = all(re.fullmatch(r"-?\d+(\.\d+)?", str(one)) for one in table.index)
    if numbers and len(table) <= MOST_VALUES:
        table, order = table.loc[sorted(table.index, key=float)], ", in the order of the numbers"
    else:
        table = table.sort_values("pictures", ascending=False, kind="stable")
        order = ", most frequent first"
    if len(table) > MOST_VALUES:
        order = f": the {MOST_VALUES} most frequent of {len(table):,}"
    drawn = {
        str(label): {NAMES[part]: float(row[part]) for part in PARTS}
        for label, row in table.head(MOST_VALUES).iterrows()
    }
    chart = charts.bars(drawn, unit="pictures", name=f"pictures by {name}{order}")
    return _Target(f"counts by {name}", table, [chart], lines)
