"""A submission file checked against the sample, before it is handed in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kitbox import cells
from kitbox.errors import counted, some
from kitbox.joined_keys import says_joined
from kitbox.writers import sample as samples
from kitbox.writers.decoding import Reading, run_faults
from kitbox.writers.faults import doubled, named, strangers
from kitbox.writers.shape import TOKENS, Shape, guess

if TYPE_CHECKING:
    import pandas as pd

_MISSING = frozenset(
    (
        *("#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
        *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    )
)
"""What pandas, and so most scoring code, reads as a missing value."""


@dataclass(frozen=True)
class Verdict:
    """What a submission is.

    Attributes:
        what: its shape in a few words, with counts.
        faults: what is wrong with it, a paragraph each; () where nothing is.
        notes: what may be wrong, or could not be checked.
    """

    what: str
    faults: tuple[str, ...]
    notes: tuple[str, ...] = ()


def verify_file(path: str | Path, sample: str | Path, reading: Reading | None = None) -> Verdict:
    """Check a submission file against a sample submission file, in any of the shapes.

    Raises:
        SubmissionError: when either cannot be read at all.
    """
    wanted = samples.read(sample)
    return verify(samples.read(path, "The submission", strict=False), wanted, reading)


def verify(
    submission: pd.DataFrame, sample: pd.DataFrame, reading: Reading | None = None
) -> Verdict:
    """Check a submission (all columns str) against the sample (all columns str).

    Rows, columns and their order, kinds of value, empty values, the range of
    probabilities (where the sample's rows sum to 1, or all its cells are 0.5), labels
    that a cell names twice, and run lengths: they decode, lie inside the picture
    where its size is known, and do not overlap, nor do the instances of a picture.
    The order of rows does not matter.
    """
    shape = guess(sample, submission)
    wrong = samples.wrongs(submission, sample, shape)
    once = [name for name in submission.columns if list(submission.columns).count(name) == 1]
    values = [name for name in once if name in sample.columns[shape.keys :]]
    keys = named(submission, min(shape.keys, len(submission.columns)))
    for name in values:
        written, asked = submission[name].tolist(), sample[name].tolist()
        if name in shape.blank:
            wrong += run_faults(name, keys, written, asked, reading or Reading())
        else:
            wrong += _missing(name, keys, written, asked)
            wrong += _lists(name, keys, written, asked)
    notes = [note for name in values for note in _unknown(name, submission, sample, shape)]
    if shape.repeats and (twice := doubled(keys)) and not doubled(named(sample)):
        some_have = f"{counted(len(twice), 'id')} {'has' if len(twice) == 1 else 'have'}"
        notes.append(
            f"{some_have} several rows ({some(twice, 3)}): right only where a row is an instance"
        )
    if shape.blank and (reading is None or reading.size is None):
        notes.append(
            "the lengths are not checked against the picture size: give --height and --width"
        )
    wrong += _ranges(submission, sample, [name for name in values if name not in shape.blank])
    return Verdict(
        _what(submission, sample, shape),
        tuple(map(_paragraph, wrong)),
        tuple(map(_paragraph, notes)),
    )


def _missing(name: str, keys: list[str], written: list[str], asked: list[str]) -> list[str]:
    """Cells that read as missing values."""
    strange = ({*written} & _MISSING) - {*asked}
    rows = (
        [key for key, cell in zip(keys, written, strict=True) if cell in strange] if strange else []
    )
    if not rows:
        return []
    return [
        f"column '{name}' holds {some(sorted(map(repr, strange)))} in {counted(len(rows), 'row')} "
        f"({some(rows, 3)}), which reads as a missing value"
    ]


def _lists(name: str, keys: list[str], written: list[str], asked: list[str]) -> list[str]:
    """Labels joined in a cell: named twice, or names where the sample has numbers."""
    several = {cell for cell in {*asked} if len(cell.split()) > 1}
    if not several:
        return []
    faults = []
    twice = {cell for cell in {*written} if doubled(cell.split())}
    if twice and not any(doubled(cell.split()) for cell in several):
        rows = [key for key, cell in zip(keys, written, strict=True) if cell in twice]
        faults.append(
            f"column '{name}' has {counted(len(rows), 'cell')} that "
            f"{'names' if len(rows) == 1 else 'name'} a label twice ({some(rows, 3)})"
        )
    want, found = _words(asked), _words(written)
    if cells.judge(want) == "whole" and cells.judge(found) == "text":
        strange = sorted(word for word in found if cells.judge([word]) == "text")
        faults.append(f"column '{name}' holds {some(strange, 3)} where the sample has numbers")
    if found and cells.judge(found) == "whole" and all(cells.judge([w]) == "text" for w in want):
        faults.append(
            f"column '{name}' holds numbers ({some(sorted(found), 3)}) where the sample has names "
            f"({some(sorted(want), 3)})"
        )
    return faults


def _unknown(name: str, submission: pd.DataFrame, sample: pd.DataFrame, shape: Shape) -> list[str]:
    """Words joined in cells that the sample does not have: perhaps misspelt."""
    asked = sample[name].tolist()
    if name in shape.blank or not any(len(cell.split()) > 1 for cell in asked):
        return []
    known, found = _words(asked), _words(submission[name].tolist())
    if cells.judge(known) != "text":
        return []
    return strangers(found, known, "submission", "words in the sample")


def _words(written: Iterable[str]) -> set[str]:
    return {word for cell in {*written} for word in cell.split()}


def _ranges(submission: pd.DataFrame, sample: pd.DataFrame, names: list[str]) -> list[str]:
    """Probabilities outside 0..1, where the sample shows that probabilities are wanted."""
    import pandas as pd

    asked = [pd.to_numeric(sample[name], errors="coerce") for name in names]
    if not asked or not len(sample) or any(column.isna().any() for column in asked):
        return []
    total = sum(asked[1:], asked[0])
    sums = len(asked) > 1 and bool(((total - 1).abs() < 0.02).all())
    sums = sums and all(bool(column.between(0, 1).all()) for column in asked)
    if not sums and not (len(asked) == 1 and bool((asked[0] == 0.5).all())):
        return []
    faults = []
    for name in names:
        numbers = pd.to_numeric(submission[name], errors="coerce")
        outside = (numbers < -1e-6) | (numbers > 1 + 1e-6)
        if outside.any():
            first = submission.loc[outside, name].iloc[0]
            faults.append(
                f"column '{name}' has {counted(int(outside.sum()), 'number')} outside 0 to 1 "
                f"({first}), where the sample has probabilities"
            )
    return faults


def _what(submission: pd.DataFrame, sample: pd.DataFrame, shape: Shape) -> str:
    """The shape in a few words."""
    rows = counted(len(submission), "row")
    names = [str(name) for name in sample.columns[shape.keys :]]
    if shape.blank:
        empty = sum(
            cell.strip() in ("", *TOKENS)
            for name in shape.blank
            if name in submission.columns
            for cell in submission.loc[:, [name]].iloc[:, 0].tolist()
        )
        per = "picture"
        if shape.keys == 2 or says_joined(str(sample.columns[0])):
            per = "picture and class"
        elif submission.iloc[:, 0].duplicated().any():
            per = "instance"
        more = f", {len(shape.blank)} columns" if len(shape.blank) > 1 else ""
        return f"run lengths, a row per {per}{more}; {rows}, {empty:,} empty"
    if len(names) > 1:
        return f"{len(names)} values a row; {rows}"
    column = submission.iloc[:, -1].tolist()
    kind = cells.judge(column)
    joined = kind == "text" and any(len(cell.split()) > 1 for cell in column)
    kind_words = "words joined in a cell" if joined else cells.WORDS[kind]
    return f"one value a row, {kind_words}; {rows}"


def _paragraph(fault: str) -> str:
    text = fault[:1].upper() + fault[1:]
    return text if text.endswith((".", "!", "?")) else text + "."
