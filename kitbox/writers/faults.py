"""What is wrong with a submission, a phrase each."""

from __future__ import annotations

import difflib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from kitbox import cells
from kitbox.errors import counted, some

if TYPE_CHECKING:
    import pandas as pd


def alike(name: str) -> str:
    """A name without what people write differently: case, spaces, underscores, hyphens.

    >>> alike(" Lily-Valley"), alike("lily_valley")
    ('lily_valley', 'lily_valley')
    """
    return re.sub(r"[\s_-]+", "_", unicodedata.normalize("NFKC", name).strip().casefold())


def columns(found: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Columns that appear twice, are missing, are not wanted or are in another order."""
    faults = []
    known, there = set(wanted), set(found)
    if twice := doubled(found):
        faults.append(f"columns appear twice ({some(twice)})")
    missing = [name for name in wanted if name not in there]
    extra = [name for name in dict.fromkeys(found) if name not in known]
    if missing:
        named = [f"'{name}'{_near(name, extra)}" for name in missing]
        faults.append(f"{counted(len(missing), 'column')} of the sample missing: {some(named, 20)}")
    if extra:
        named = [f"'{name}'{_near(name, missing)}" for name in extra]
        index = any(not name.strip() or name.startswith("Unnamed:") for name in extra)
        why = " (pandas writes its index so: to_csv(..., index=False))" if index else ""
        faults.append(f"{counted(len(extra), 'column')} not in the sample: {some(named, 20)}{why}")
    if not faults and list(found) != list(wanted):
        faults.append(f"the columns are in the order {some(found)}, not {some(wanted)}")
    return faults


def rows(
    ids: Sequence[str], sample: pd.DataFrame | None, keys: int = 1, repeats: bool = False
) -> list[str]:
    """Ids that appear twice, are missing or are not wanted; a sample without rows wants any.

    Args:
        ids: what names each row, as `named` gives it.
        keys: how many of the sample's first columns name a row.
        repeats: an id may appear any number of times.
    """
    faults = []
    if not repeats and (twice := doubled(ids)):
        faults.append(f"{counted(len(twice), 'id')} more than once ({some(twice)})")
    if sample is None or not len(sample):
        return faults
    wanted = named(sample, keys)
    if not repeats and (twice := doubled(wanted)):
        faults.append(f"the sample has {counted(len(twice), 'id')} more than once ({some(twice)})")
    found, known = set(ids), set(wanted)
    missing = [name for name in dict.fromkeys(wanted) if name not in found]
    extra = [name for name in dict.fromkeys(ids) if name not in known]
    if missing:
        faults.append(f"{counted(len(missing), 'id')} of the sample missing ({some(missing)})")
    if extra:
        faults.append(f"{counted(len(extra), 'id')} not in the sample ({some(extra)})")
    for what, without in _RETOLD.items():
        if missing and extra and {*map(without, missing)} == {*map(without, extra)}:
            faults.append(f"those ids would agree without {what}")
            break
    return faults


def named(table: pd.DataFrame, keys: int = 1) -> list[str]:
    """What names each row: the cell of the first column, or of the first few, 'a.png, sky'."""
    columns = [[*map(str, table.iloc[:, place].tolist())] for place in range(keys)]
    return columns[0] if keys == 1 else [*map(", ".join, zip(*columns, strict=True))]


_RETOLD: dict[str, Callable[[str], str]] = {
    "their file endings": lambda name: os.path.splitext(name)[0],
    "their folders": lambda name: name.rsplit("/", 1)[-1],
    "their folders and file endings": lambda name: os.path.splitext(name.rsplit("/", 1)[-1])[0],
    "their leading zeros": lambda name: name.lstrip("0"),
    "the difference of case and spaces": alike,
}


def strangers(words: Collection[str], known: Collection[str], whose: str, what: str) -> list[str]:
    """A sentence on words that are not known, where most are; else none, as nothing can be told.

    >>> strangers({"sky", "sea", "skyy"}, ["sky", "sea"], "sample", "labels")
    ["1 word of the sample is none of the labels: 'skyy' (near: 'sky')"]
    """
    unknown = sorted(set(words) - set(known))
    if not unknown or 2 * len(unknown) >= len(words):
        return []
    told = some(f"'{word}'{_near(word, list(known))}" for word in unknown)
    are = "is" if len(unknown) == 1 else "are"
    counts = counted(len(unknown), "word")
    return [f"{counts} of the {whose} {are} none of the {what}: {told}"]


def kinds(name: str, values: pd.Series, sample: pd.Series, runs: bool = False) -> list[str]:
    """Values (N,) of another kind than the sample's cells in the column `name`.

    Run lengths are no kind: the sample's '-1' or blank cell is not one of them.
    """
    if runs:
        return []
    want = cells.wanted(sample.tolist())
    found = cells.judge_column(values)
    if cells.fits(found, want):
        return []
    if (want, found) == ("number", "text") and _are_lists(values, sample):
        return []
    first = _first(values, want)
    if first.strip().lower().lstrip("+-") in ("inf", "infinity"):
        return [f"column '{name}' holds a value that is not finite ({first})"]
    return [
        f"column '{name}' holds {cells.WORDS[found]} ({first}) where the sample "
        f"has {cells.WORDS[want]} ({some(sorted(cells.filled(sample)), 2)})"
    ]


def _are_lists(values: pd.Series, sample: pd.Series) -> bool:
    """Whether values are whole numbers joined by spaces, for which '0' may stand in a sample."""
    if cells.judge(sample) != "whole":
        return False
    return cells.judge({word for cell in cells.texts(values) for word in cell.split()}) == "whole"


def _first(values: pd.Series, want: cells.Kind) -> str:
    """The first cell that does not fit."""
    written = cells.texts(values)
    return next((t for t in written if not cells.fits(cells.judge([t]), want)), written[0])


def empty(values: pd.Series, blank: bool = False) -> int:
    """How many values are missing, NaN, infinite or, unless `blank` allows it, blank."""
    import numpy as np

    if cells.is_number(values):
        return int((~np.isfinite(values.to_numpy("float64", na_value=np.nan))).sum())
    return sum(_is_empty(value, blank) for value in values.tolist())


def _is_empty(value: object, blank: bool) -> bool:
    if isinstance(value, str):
        return not blank and not value.strip()
    try:
        return not cells.text(value).strip()
    except ValueError:
        return True


def _near(name: str, candidates: Sequence[str]) -> str:
    by_form = {alike(candidate): candidate for candidate in candidates}
    close = difflib.get_close_matches(alike(name), list(by_form), n=1, cutoff=0.6)
    return f" (near: '{by_form[close[0]]}')" if close else ""


def doubled(names: Iterable[str]) -> list[str]:
    """The names that occur more than once, each once."""
    names = list(names)
    if len(set(names)) == len(names):
        return []
    return [name for name, times in Counter(names).items() if times > 1]
