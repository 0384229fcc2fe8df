"""The data card: how many pictures of what, their sizes, broken ones, copies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from kitbox.report import charts
from kitbox.report.page import Figure, Part

if TYPE_CHECKING:
    import pandas as pd

    from kitbox.data.pixels import Pixels
    from kitbox.report.copies import Pair

PARTS = ("train", "valid", "test")
MOST_VALUES = 30
"""Different values of a target that are drawn, at most."""


def card(
    rows: pd.DataFrame,
    pixels: Pixels | None,
    broken: Mapping[str, str],
    copies: Sequence[Pair] | None,
) -> Part:
    """The data card.

    Args:
        rows: the run's table: `id`, `image`, `part` and the target columns.
        pixels: the decoded pictures of the rows, for their sizes; None where they are not there.
        broken: reason by picture.
        copies: pairs of pictures that look alike; None where nobody looked.
    """
    import pandas as pd

    counts = rows["part"].value_counts()
    facts = {f"{part} pictures": f"{counts.get(part, 0):,}" for part in PARTS}
    lines, figures, tables = [], [], {}
    if pixels is not None and len(pixels):
        line, figure, table = _sizes(pixels)
        lines.append(line)
        figures += figure
        tables["picture sizes"] = table
    for name, table, figure in _targets(rows):
        figures += figure
        tables[name] = table
    if broken:
        facts["broken"] = f"{len(broken):,}"
        tables["broken pictures"] = pd.DataFrame(
            {"picture": list(broken), "what is wrong": list(broken.values())}
        )
    if copies is not None:
        facts["pairs that look alike"] = f"{len(copies):,}"
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


def _targets(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame, list[Figure]]]:
    """For each target its name, a table of its values, and a chart where they are few."""
    import pandas as pd

    labelled = rows[rows["part"] != "test"]
    for name in labelled.columns:
        if name in ("id", "image", "part"):
            continue
        values = labelled[name]
        if values.isna().all():
            continue
        if values.dtype.kind in "fi" and values.nunique() > MOST_VALUES:
            by_part = {part: of.describe() for part, of in values.groupby(labelled["part"])}
            yield f"values of {name}", pd.DataFrame(by_part).T.rename_axis("part"), []
            continue
        if values.nunique() > max(MOST_VALUES, len(values) // 5):
            continue  # a text of its own for nearly every picture
        texts = values.map(str)
        table = pd.crosstab(texts, labelled["part"])
        table = table.reindex(columns=[part for part in PARTS if part in table])
        table.insert(0, "pictures", table.sum(axis=1))
        table = table.sort_values("pictures", ascending=False, kind="stable").rename_axis(name)
        table.columns.name = None
        drawn = {
            str(label): {part: float(row[part]) for part in table.columns[1:]}
            for label, row in table.head(MOST_VALUES).iterrows()
        }
        most = f" (the {MOST_VALUES} most frequent of {len(table)})"
        title = f"pictures by {name}{most if len(table) > MOST_VALUES else ''}"
        yield f"counts by {name}", table, [charts.bars(drawn, unit="pictures", name=title)]
