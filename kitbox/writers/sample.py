"""The sample submission: reading it, and obeying it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from kitbox import cells
from kitbox.errors import SubmissionError, counted, some
from kitbox.storage import whole
from kitbox.writers import faults
from kitbox.writers.shape import Shape, guess

if TYPE_CHECKING:
    import pandas as pd

SAMPLE = "The sample submission"


def read(path: str | Path, what: str = SAMPLE, strict: bool = True) -> pd.DataFrame:
    """Read a submission, the sample or another: every cell a str, exactly as it stands in the file.

    Leading zeros, 'NA', and spaces in names and cells are kept; a byte-order mark
    and the kind of line ends do not matter; a cell that a line lacks is ''. The
    first column is the key, or part of it. A file with a header only is fine (code
    competitions have them).

    Args:
        path: the file.
        what: what a message calls it.
        strict: refuse what no sample has: columns that are doubled or have no name,
            and rows without an id.

    Raises:
        SubmissionError: when there is no such file (naming the csv files that lie
            there), it is empty or no csv, has one column only, or what `strict` says.
    """
    path = Path(path)
    if not path.is_file():
        raise _absent(path, what)
    header, table = _parse(path, what)
    if len(header) < 2:
        raise SubmissionError(
            f"{what} {path} has one column only",
            found=repr(header[0]),
            do="It has a key and at least one value, separated by commas",
        )
    if not strict:
        return table
    wrong = []
    if twice := faults.doubled(header):
        wrong.append(f"columns named twice ({some(twice)})")
    if any(not name.strip() for name in header):
        wrong.append("a column without a name")
    if any(not text.strip() for text in table.iloc[:, 0].tolist()):
        wrong.append("rows without an id")
    if wrong:
        raise SubmissionError(
            f"{what} {path} cannot be obeyed",
            found=", ".join(wrong),
            do="Fetch or write it again, or name another file",
        )
    return table


def key(sample: pd.DataFrame) -> str:
    """The name of the key column: the first."""
    return str(sample.columns[0])


def ids(sample: pd.DataFrame) -> list[str]:
    """The keys of a sample that has a row per picture, in its order.

    Raises:
        SubmissionError: when a key is empty or doubled.
    """
    name = key(sample)
    cells = sample[name]
    found = [str(cell).strip() for cell in cells]
    empty = sum(not cell for cell in found) + int(cells.isna().sum())
    if empty:
        raise SubmissionError(
            f"{counted(empty, 'row')} of the sample submission "
            f"{'has' if empty == 1 else 'have'} no id in '{name}'"
        )
    doubled = [one for one, times in Counter(found).items() if times > 1]
    if doubled:
        raise SubmissionError(
            f"{counted(len(doubled), 'id')} of the sample submission "
            f"{'is' if len(doubled) == 1 else 'are'} there more than once",
            found=some(doubled),
            do=f"Choose a writer for which '{name}' need not name a picture of its own",
        )
    return found


def check(
    submission: pd.DataFrame,
    sample: pd.DataFrame | None,
    also: Iterable[str] = (),
    shape: Shape | None = None,
) -> pd.DataFrame:
    """Refuse what the competition would refuse, all of it at once.

    The submission must have the sample's columns in its order, a row for each of
    its keys and no other, no empty cell, NaN or infinity, and the kinds of value
    that `kitbox.cells.wanted` reads from the sample's cells. Rows in
    another order are no fault. A sample without rows tells nothing about the rows,
    and without a sample only doubled columns, doubled keys and empty cells are
    faults.

    Args:
        submission: N rows, the key and the values.
        sample: the sample submission (all columns str), or None.
        also: what the writer itself found wrong, to be said with the rest.
        shape: what names a row and where cells may be blank; None guesses it.

    Returns:
        The submission with its key as str, its rows in the sample's order and
        numbered from 0. What was passed stays as it was.

    Raises:
        SubmissionError: one paragraph that lists every fault.
    """
    shape = guess(sample, submission) if shape is None else shape
    if wrong := [*also, *wrongs(submission, sample, shape)]:
        raise SubmissionError(
            f"The submission would be refused: {'; '.join(wrong)}",
            do="The sample submission says what is wanted, the writer's options say which "
            "prediction goes where",
        )
    ordered = submission.copy()
    for name in submission.columns[: shape.keys]:
        ordered[name] = [str(value) for value in submission[name]]
    if sample is not None and len(sample):
        place = {name: place for place, name in enumerate(faults.named(sample, shape.keys))}
        places = [place[name] for name in faults.named(ordered, shape.keys)]
        ordered = ordered.iloc[sorted(range(len(places)), key=places.__getitem__)]
    return ordered.reset_index(drop=True)


def wrongs(submission: pd.DataFrame, sample: pd.DataFrame | None, shape: Shape) -> list[str]:
    """What `check` finds wrong with a submission, a phrase each."""
    wrong: list[str] = []
    header = [str(name) for name in submission.columns]
    if not header:
        wrong.append("it has no columns")
    if sample is not None:
        wrong += faults.columns(header, [str(name) for name in sample.columns])
    elif twice := faults.doubled(header):
        wrong.append(f"columns appear twice ({some(twice)})")
    like = header if sample is None else [str(name) for name in sample.columns]
    keys = like[: shape.keys]
    if keys and all(header.count(name) == 1 for name in keys):
        named = faults.named(submission.set_axis(header, axis="columns")[keys], len(keys))
        wrong += faults.rows(named, sample, len(keys), shape.repeats)
    for position, column in enumerate(header):
        values = submission.iloc[:, position]
        if empty := faults.empty(values, column in shape.blank):
            counted = faults.counted(empty, "empty or infinite value")
            wrong.append(f"column '{column}' has {counted}")
        elif sample is not None and column not in keys and column in sample.columns:
            wrong += faults.kinds(column, values, sample[column], column in shape.blank)
    return wrong


def save(submission: pd.DataFrame, path: str | Path) -> None:
    """Write a submission as csv: the whole file or nothing, the same bytes every time.

    Floats have 7 significant digits, whole numbers no decimals, text is quoted
    where it must be, lines end with a line feed, the encoding is UTF-8. The file
    is written beside `path`, flushed, read back, compared and renamed. A folder
    that is missing is made.

    Raises:
        SubmissionError: when a value is missing, NaN or infinite, or cannot be
            kept in a csv file.
        StorageError: when the disk does not take it. What lay at `path` stays.
    """
    path = Path(path)
    header = [str(name) for name in submission.columns]
    columns: list[list[str]] = []
    for position, name in enumerate(header):
        try:
            columns.append(cells.texts(submission.iloc[:, position]))
        except ValueError as error:
            raise SubmissionError(
                f"Column '{name}' of the submission cannot be written",
                found=str(error),
                do="Give a value to every row",
            ) from error
    quoted = [
        column if cells.is_number(submission.iloc[:, position]) else [*map(_quoted, column)]
        for position, column in enumerate(columns)
    ]
    lines = map(",".join, [map(_quoted, header), *zip(*quoted, strict=True)])
    content = "\n".join(lines) + "\n"
    if "\0" in content:
        # Some versions of pandas end a cell there, and so may whoever reads the file.
        raise SubmissionError(
            "The submission holds a NUL character", do="Rename the classes or pictures concerned"
        )
    try:
        data = content.encode("utf-8")
    except UnicodeEncodeError as error:
        raise SubmissionError(
            "The submission holds text that is no valid Unicode",
            found=repr(content[error.start : error.end]),
            do="Rename the classes or pictures concerned",
        ) from error
    with whole(path) as beside:
        beside.write_bytes(data)
        _compare(beside, path, header, columns)


def _parse(path: Path, what: str = SAMPLE) -> tuple[list[str], pd.DataFrame]:
    """The header and the rows of a csv file, all str."""
    import pandas as pd

    try:
        # Read without a header: pandas would rename columns that are named twice.
        raw = pd.read_csv(
            path,
            header=None,
            dtype=str,
            na_filter=False,
            keep_default_na=False,
            encoding="utf-8-sig",
        )
    except pd.errors.EmptyDataError as error:
        raise SubmissionError(
            f"{what} {path} is empty", do="Fetch or write it again, or name another file"
        ) from error
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise SubmissionError(
            f"{what} {path} is no csv file in UTF-8",
            found=" ".join(str(error).split()),
            do="Fetch or write it again, or name another file",
        ) from error
    except OSError as error:
        raise SubmissionError(
            f"{what} {path} cannot be read",
            found=error.strerror or type(error).__name__,
            do="Check who may read it",
        ) from error
    header = [str(name) for name in raw.iloc[0]]
    table = raw.iloc[1:].reset_index(drop=True)
    table.columns = pd.Index(header)
    return header, table


def _absent(path: Path, what: str) -> SubmissionError:
    folder = path.parent
    if path.is_dir():
        wrong, folder = f"{what} {path} is a folder", path
    elif not folder.is_dir():
        return SubmissionError(
            f"{what} {path} is not there: its folder does not exist",
            do="Name the file's place, relative to the source's folder",
        )
    else:
        wrong = f"{what} {path} is not there"
    lying = sorted(file.name for file in folder.iterdir() if ".csv" in file.name.lower())
    return SubmissionError(
        wrong,
        found=f"in {folder} lie {some(lying, 10)}" if lying else f"no csv file in {folder}",
        do="Name one that is there",
    )


def _compare(written: Path, path: Path, header: list[str], columns: list[list[str]]) -> None:
    try:
        found, table = _parse(written)
        same = found == header and all(
            table.iloc[:, position].tolist() == column for position, column in enumerate(columns)
        )
    except SubmissionError:
        same = False
    if not same:
        raise SubmissionError(
            f"The submission was not written to {path}: read back, the file differs",
            do="Look for control characters in ids and class names",
        )


_SPECIAL = re.compile('[",\r\n]')


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _SPECIAL.search(text) else text
