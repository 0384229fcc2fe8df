"""What is happening, how far, how long: in a terminal, a notebook and a log file."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from kitbox.errors import visible

if TYPE_CHECKING:
    from kitbox.notebook import Notebook

LOG_EVERY = 30.0
"""Seconds between lines about one bar where lines cannot be rewritten."""

Step = Callable[..., None]
"""step(n=1, note=""): n more are done; the note is shown beside the bar."""


class Progress:
    """Bars that go away when done, and lines that stay.

    In a terminal bars move (rich), in a notebook too, below a table that is written again in
    place; elsewhere, a log file say, a line is written every half minute instead.

    Args:
        file: where to write; by default standard output.
        quiet: write nothing.

    Attributes:
        spent: seconds that each bar was up, by what it was called; those of one name add up.
    """

    def __init__(self, file: TextIO | None = None, *, quiet: bool = False) -> None:
        self._file = sys.stdout if file is None else file
        self._quiet = quiet
        self._console = None if quiet else _console(self._file)
        self._notebook: Notebook | None = None
        if self._console is not None and self._console.is_jupyter:
            from kitbox.notebook import Notebook

            self._console, self._notebook = None, Notebook()
        self._bars: Any = None  # rich's display while a bar is up; it takes several bars
        self._widths: dict[str, int] = {}
        self.spent: dict[str, float] = {}

    @property
    def terminal(self) -> bool:
        """Whether it writes to the terminal that is this process's standard output."""
        own = self._file is sys.stdout and self._console is not None
        return own and bool(self._file.isatty())

    def say(self, text: str) -> None:
        """A line that stays."""
        if self._quiet:
            return
        text = visible(text)
        if self._console is not None:
            self._console.print(text, markup=False, emoji=False, highlight=False, soft_wrap=True)
        else:
            print(text, file=self._file, flush=True)
        if self._notebook is not None:
            self._notebook.said()

    def warn(self, text: str) -> None:
        """A line that stays and that a person should read."""
        self.say(f"Note: {text}")

    def head(self, columns: Mapping[str, str]) -> None:
        """Begin a table that grows a row at a time; `columns` maps a name to a sample cell."""
        if self._notebook is not None:
            self._notebook.head(columns)
            return
        self._widths = {name: max(len(name), len(cell)) for name, cell in columns.items()}
        self.row({name: name for name in columns})

    def row(self, cells: Mapping[str, str]) -> None:
        """A row of the table that `head` began; a wider cell widens its column from here on."""
        if self._notebook is not None:
            self._notebook.row(cells)
            return
        self._widths = {n: max(w, len(cells.get(n, ""))) for n, w in self._widths.items()}
        self.say("  ".join(f"{cells.get(name, ''):>{w}}" for name, w in self._widths.items()))

    @contextmanager
    def bar(self, what: str, total: int) -> Iterator[Step]:
        """A bar of `total` steps while the block runs."""
        began = time.monotonic()
        try:
            if self._quiet:
                yield lambda n=1, note="": None
            elif self._notebook is not None:
                with self._notebook.bar(what, total) as step:
                    yield step
            elif self._console is None:
                yield self._lines(what, total)
            else:
                with self._moving(what, total) as step:
                    yield step
        finally:
            self.spent[what] = self.spent.get(what, 0.0) + time.monotonic() - began

    @contextmanager
    def _moving(self, what: str, total: int) -> Iterator[Step]:
        outermost = self._bars is None
        if outermost:
            self._bars = _bars(self._console)
            self._bars.start()
        bars = self._bars
        task = bars.add_task(what, total=total, note="")

        def step(n: int = 1, note: str = "") -> None:
            bars.update(task, advance=n, **({"note": note} if note else {}))

        try:
            yield step
        finally:
            bars.remove_task(task)
            if outermost:
                self._bars = None
                bars.stop()

    def _lines(self, what: str, total: int) -> Step:
        began = last = time.monotonic()
        done = 0

        def step(n: int = 1, note: str = "") -> None:
            nonlocal done, last
            done += n
            now = time.monotonic()
            if now - last >= LOG_EVERY and 0 < done < total:
                last = now
                left = (now - began) / done * (total - done)
                self.say(f"  {what}: {done} of {total}, {clock(left)} left  {note}".rstrip())

        return step


def clock(seconds: float) -> str:
    """Seconds as a person reads them.

    >>> clock(75), clock(3725)
    ('1:15', '1:02:05')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _console(file: TextIO) -> Any:
    """rich's console where lines can be rewritten, else None."""
    from rich.console import Console

    if file is not sys.stdout:
        # A file of a notebook's own is a file, and FORCE_COLOR makes no terminal of one.
        console = Console(file=file, force_jupyter=False, force_terminal=file.isatty())
    else:
        console = Console(force_terminal=None if file.isatty() else False)
    if console.is_jupyter:
        return console
    return console if console.is_terminal and not console.is_dumb_terminal else None


def _bars(console: Any) -> Any:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=console,
        transient=True,
    )
