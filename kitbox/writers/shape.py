"""The shape of a submission: what names a row, and which columns hold run lengths."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from kitbox import cells
from kitbox.joined_keys import says_joined

if TYPE_CHECKING:
    import pandas as pd

TOKENS = ("-", "-1")
"""What competitions write for an empty mask, where it is not a blank cell."""

_NAMED = re.compile(r"rle|encod|pixel|mask|segm", re.IGNORECASE)
_SURE = re.compile(r"rle|encoded", re.IGNORECASE)
_PAIRS = re.compile(r"\d+ +\d+( +\d+ +\d+)*", re.ASCII)


@dataclass(frozen=True)
class Shape:
    """How a submission is to be read.

    Attributes:
        keys: how many of the first columns together name a row.
        repeats: whether a key may name several rows (a row per instance).
        blank: the columns whose cells may be blank.
    """

    keys: int = 1
    repeats: bool = False
    blank: frozenset[str] = frozenset()


def guess(sample: pd.DataFrame | None, submission: pd.DataFrame) -> Shape:
    """The shape of a submission, by the sample and by what the submission holds.

    A file of run lengths may have blank cells, and has two columns as its key
    where it has three and the second holds no run lengths and no decimals; where
    it has two, a key may name several rows, unless it is joined with a class. Any
    other has one row a key.
    """
    like = submission if sample is None else sample
    names = [str(name) for name in like.columns]
    found = [str(name) for name in submission.columns]
    runs = []
    for place, name in enumerate(names[1:], 1):
        if name not in found:
            continue
        written = submission.iloc[:, found.index(name)]
        asked = like.iloc[:, place].tolist() if sample is not None else ()
        if holds_runs(name, asked, written):
            runs.append(name)
    if not runs and sample is not None and _asks_pairs(sample):
        runs = names[2:]
    if not runs:
        return Shape()
    rows = sample if sample is not None and len(sample) else submission
    keys = 2 if len(names) == 3 and runs == names[2:] and _is_class(rows, names[1]) else 1
    repeats = len(names) == 2 and not says_joined(names[0])
    return Shape(keys=keys, repeats=repeats, blank=frozenset(runs))


def holds_runs(name: str, asked: Iterable[str], written: pd.Series) -> bool:
    """Whether the column `name` is one of run lengths.

    It is where its cells in the sample, blank ones and tokens of emptiness aside,
    are pairs of whole numbers, and its name says so ('EncodedPixels', 'rle_mask')
    or a cell is no list of labels in order ('1 1', '5 3'). Where the sample's cells
    say nothing, most of what is written decides in the same way.
    """
    if cells.is_number(written):
        return False
    named = _NAMED.search(name) is not None
    asked = [*asked]
    values = cells.filled(asked) - {*TOKENS}
    if not all(map(is_pairs, values)):
        return False
    sure = named and (values or {*TOKENS} & {*asked} or _SURE.search(name))
    if sure or any(map(_is_no_list, values)):
        return True
    found = cells.filled(map(str, written.tolist())) - {*TOKENS}
    pairs = [*filter(is_pairs, found)]
    if found:
        return 2 * len(pairs) >= len(found) and (named or any(map(_is_no_list, pairs)))
    # Nothing but blank cells and tokens.
    return named or (bool(asked) and not cells.filled(asked))


def is_pairs(cell: str) -> bool:
    """Whether a cell holds pairs of whole numbers.

    >>> is_pairs("1 5 9 2"), is_pairs("1"), is_pairs("-1")
    (True, False, False)
    """
    return _PAIRS.fullmatch(cell.strip()) is not None


def _is_no_list(cell: str) -> bool:
    numbers = [word.lstrip("0").rjust(12, "0") for word in cell.split()]
    return any(after <= before for before, after in pairwise(numbers))


def _asks_pairs(sample: pd.DataFrame) -> bool:
    """Whether a sample has several rows an id, a second column, and a third that is blank."""
    if len(sample.columns) != 3 or not sample.iloc[:, 0].duplicated().any():
        return False
    return not cells.filled(sample.iloc[:, 2].tolist()) - {*TOKENS}


def _is_class(submission: pd.DataFrame, name: str) -> bool:
    names = [str(column) for column in submission.columns]
    column = submission.iloc[:, names.index(name)] if name in names else None
    return column is not None and cells.judge_column(column) in ("text", "whole")
