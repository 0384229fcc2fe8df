"""A cell of a notebook: a table and bars that are written again in place."""

from __future__ import annotations

import html
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kitbox.progress import clock

EVERY = 0.2
"""Seconds between two pictures of a moving bar, at least."""


@dataclass
class Bar:
    """A bar: what, how far, since when."""

    what: str
    total: int
    done: int = 0
    note: str = ""
    began: float = field(default_factory=time.monotonic)

    def said(self) -> str:
        """How far it is, how long it took and how long it will, in words."""
        took = time.monotonic() - self.began
        left = f", {clock(took / self.done * (self.total - self.done))} left" if self.done else ""
        return (
            f"{self.what}: {self.done} of {self.total}, {clock(took)}{left}  {self.note}".rstrip()
        )


class Notebook:
    """What moves in a cell: bars while they last, below a table that stays.

    Both are one output of the cell. Another one is begun by another table, in another cell,
    and after a line was written below.
    """

    def __init__(self) -> None:
        # Libraries below us look for a package that their bars need; ours need none.
        warnings.filterwarnings("ignore", message="IProgress not found")
        self._output: Any = None  # IPython's handle
        self._cell: object = None
        self._columns: list[str] = []
        self._rows: list[Mapping[str, str]] = []
        self._bars: list[Bar] = []
        self._shown = 0.0

    def said(self) -> None:
        """A line was written: what comes after it belongs below it."""
        if not self._bars:
            self._leave()

    def head(self, columns: Mapping[str, str]) -> None:
        """Begin a table."""
        self._enter()
        if self._rows:
            self._leave()
        self._columns = list(columns)

    def row(self, cells: Mapping[str, str]) -> None:
        """A row of the table."""
        self._enter()
        self._rows.append(dict(cells))
        self._columns += [name for name in cells if name not in self._columns]
        self._show()

    @contextmanager
    def bar(self, what: str, total: int) -> Iterator[Any]:
        """A bar of `total` steps while the block runs."""
        bar = Bar(what, total)

        def step(n: int = 1, note: str = "") -> None:
            bar.done, bar.note = bar.done + n, note or bar.note
            if time.monotonic() - self._shown >= EVERY:
                self._show()

        self._enter()
        self._bars.append(bar)
        self._show()
        try:
            yield step
        finally:
            self._bars.remove(bar)
            self._show()

    def _enter(self) -> None:
        """Begin anew in another cell."""
        from IPython import get_ipython

        cell = getattr(get_ipython(), "execution_count", None)
        if cell != self._cell:
            self._leave()
            self._cell = cell

    def _leave(self) -> None:
        """Leave an output as it is; what comes goes into another one."""
        self._output, self._columns, self._rows = None, [], []

    def _show(self) -> None:
        from IPython.display import display

        content = {"text/html": self._html(), "text/plain": self._plain()}
        if self._output is None:
            self._output = display(content, raw=True, display_id=True)
        else:
            self._output.update(content, raw=True)
        self._shown = time.monotonic()

    def _html(self) -> str:
        parts = []
        if self._rows:
            lines = [_line("th", self._columns)]
            lines += [_line("td", [row.get(n, "") for n in self._columns]) for row in self._rows]
            parts.append(f"<table>{''.join(lines)}</table>")
        for bar in self._bars:
            part = f'<progress value="{bar.done}" max="{max(1, bar.total)}"></progress>'
            parts.append(f"<div>{part} {html.escape(bar.said())}</div>")
        return "\n".join(parts)

    def _plain(self) -> str:
        lines = [self._columns, *([row.get(n, "") for n in self._columns] for row in self._rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        said = [
            "  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True))
            for line in (lines if self._rows else [])
        ]
        return "\n".join([*said, *(bar.said() for bar in self._bars)])


def _line(kind: str, cells: list[str]) -> str:
    made = "".join(
        f'<{kind} style="text-align: right">{html.escape(cell)}</{kind}>' for cell in cells
    )
    return f"<tr>{made}</tr>"
