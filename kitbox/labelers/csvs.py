"""Reading csv files as people have them: a BOM, other separators, empty cells."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitbox.errors import LabelError, nearest, some

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class Csv:
    """A csv file and how to read it.

    Attributes:
        path: the file.
        encoding: Python's name of its encoding.
        separator: what stands between its cells.
        columns: its column names, stripped; doubled and empty ones as pandas names them.
    """

    path: Path
    encoding: str
    separator: str
    columns: tuple[str, ...]

    def read(self, text: Collection[str] | None = None, rows: int | None = None) -> pd.DataFrame:
        """The table, where only an empty cell is a missing value.

        Strings are stripped. What looks like a number becomes one, as pandas
        reads it, except in the columns `text` (None: all columns are text).

        Raises:
            LabelError: when the rows do not fit the header.
        """
        import pandas as pd

        as_text = self.columns if text is None else text
        try:
            # Positions rather than names, because names are stripped afterwards.
            table = pd.read_csv(
                self.path,
                sep=self.separator,
                encoding=self.encoding,
                nrows=rows,
                dtype={i: str for i, name in enumerate(self.columns) if name in as_text},
                header=0,
                names=list(range(len(self.columns))),
                keep_default_na=False,
                na_values=[""],
                low_memory=False,
            )
        except (pd.errors.ParserError, ValueError) as error:
            raise LabelError(
                f"The csv file {self.path} cannot be read",
                found=str(error),
                do="Every row needs as many cells as the header; quote cells with separators",
            ) from error
        if not isinstance(table.index, pd.RangeIndex):
            raise LabelError(
                f"The rows of {self.path} have more cells than its header",
                found=f"columns {', '.join(self.columns)}",
                do="Name every column, or remove the separator at the end of the rows",
            )
        table.columns = pd.Index(self.columns)
        for name in self.columns:
            if table[name].dtype.kind not in "iufb":
                table[name] = table[name].map(_stripped)
        return table

    def check(self, columns: Iterable[str | None]) -> None:
        """Check that columns are there; None is no column.

        Raises:
            LabelError: naming one that is not.
        """
        for name in columns:
            if name is not None and name not in self.columns:
                raise LabelError(
                    f"{self.path.name} has no column '{name}'",
                    found=f"columns {some(self.columns, most=20)}",
                    do=nearest(name, self.columns),
                )

    def lines(self, rows: Collection[int]) -> list[int]:
        """The line numbers (from 1) at which the rows (from 0) begin in the file."""
        wanted, found = set(rows), []
        number, begin = -1, 1  # the header is row -1
        with self.path.open(encoding=self.encoding, newline="") as file:
            reader = csv.reader(file, delimiter=self.separator)
            for cells in reader:
                if any(cell.strip() for cell in cells) or len(cells) > 1:
                    if number in wanted:
                        found.append(begin)
                    number += 1
                begin = reader.line_num + 1
        return found


def open_csv(path: Path) -> Csv:
    """Find out how a csv file is to be read.

    The separator is the one that parts the header into the most columns (comma,
    semicolon, tab, bar). The encoding is the one that a byte order mark tells,
    else UTF-8, else Latin-1.

    Raises:
        LabelError: when the file cannot be read or is empty.
    """
    try:
        with path.open("rb") as file:
            beginning = file.read(4)
        encoding = "utf-16" if beginning[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        if encoding == "utf-8-sig" and not _decodes(path, encoding):
            encoding = "latin-1"
        header, separator = _header(path, encoding)
    except (OSError, UnicodeError, csv.Error) as error:
        raise LabelError(f"The csv file {path} cannot be read", found=str(error)) from error
    if not any(header):
        raise LabelError(f"The csv file {path} is empty", do="Its first row must name the columns")
    # pandas' own names for columns without a name, and for doubled names.
    columns: list[str] = []
    for number, name in enumerate(header):
        plain = name.strip() or f"Unnamed: {number}"
        again, times = plain, 0
        while again in columns:
            times += 1
            again = f"{plain}.{times}"
        columns.append(again)
    return Csv(path, encoding, separator, tuple(columns))


def open_listed(folder: Path, name: str, listed: Sequence[str]) -> Csv:
    """Open the csv file `name` below a folder whose files are `listed`.

    Raises:
        LabelError: when it is not there, naming the nearest, or as `open_csv` says.
    """
    if not (folder / name).is_file():
        known = [path for path in listed if path.lower().endswith((".csv", ".tsv", ".txt"))]
        raise LabelError(
            f"There is no file '{name}' below {folder}",
            found=some(known) if known else "no csv file at all",
            do=nearest(name, known),
        )
    return open_csv(folder / name)


def _stripped(cell: Any) -> Any:
    """Text without spaces around it, missing if nothing is left; else the cell itself."""
    return (cell.strip() or float("nan")) if isinstance(cell, str) else cell


def _decodes(path: Path, encoding: str) -> bool:
    with path.open(encoding=encoding) as file:
        try:
            while file.read(1 << 20):
                pass
        except UnicodeDecodeError:
            return False
    return True


def _header(path: Path, encoding: str) -> tuple[list[str], str]:
    """The cells of the first line that is not empty, and the separator."""
    best: tuple[list[str], str] = ([], ",")
    for separator in SEPARATORS:
        with path.open(encoding=encoding, newline="") as file:
            for cells in csv.reader(file, delimiter=separator):
                if any(cell.strip() for cell in cells):
                    if len(cells) > len(best[0]):
                        best = (cells, separator)
                    break
    return best
