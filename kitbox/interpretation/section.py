"""Sections: what there is to show, as data."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.text import Text

from kitbox.ink import drawable

if TYPE_CHECKING:
    import pandas as pd

DOTS = 110
"""Pixels per inch of a saved plot."""


class Plot(Figure):
    """A figure of matplotlib that no global state knows of: a notebook shows it, `save` keeps it.

    >>> plot = Plot(figsize=(1, 1))
    >>> plot.png()[:4]
    b'\\x89PNG'
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("facecolor", "white")
        options.setdefault("layout", "constrained")
        super().__init__(*args, **options)

    def png(self) -> bytes:
        """The plot as the bytes of a PNG file."""
        content = io.BytesIO()
        for text in self.findobj(Text):
            text.set_text(drawable(text.get_text()))
        with warnings.catch_warnings():
            # Letters that the font has not are boxes; a page of warnings helps nobody.
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            self.savefig(content, format="png", dpi=DOTS)
        return content.getvalue()

    def save(self, path: Path | str) -> Path:
        """Write the plot as a PNG file, whole or not at all.

        Raises:
            StorageError: when it cannot be written.
        """
        from kitbox.storage import write

        write(Path(path), self.png())
        return Path(path)

    def _repr_png_(self) -> bytes:
        return self.png()


@dataclass(frozen=True)
class Section:
    """A part of what there is to see.

    Attributes:
        title: a few words.
        text: what it says, in sentences; '' where tables and plots speak for themselves.
        tables: by name.
        plots: by name.
    """

    title: str
    text: str = ""
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    plots: Mapping[str, Plot] = field(default_factory=dict)


def slug(text: str) -> str:
    """A file's name from a title.

    >>> slug("Per-class scores (20 of 300)")
    'per-class-scores-20-of-300'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def each(table: pd.DataFrame) -> Iterator[Any]:
    """The rows of a table as named tuples, their cells by attribute.

    >>> import pandas as pd
    >>> [row.a for row in each(pd.DataFrame({"a": [1, 2]}))]
    [1, 2]
    """
    return iter(table.itertuples(index=False))
