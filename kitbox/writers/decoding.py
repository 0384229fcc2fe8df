"""Whether the run lengths in a column decode: many cells at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kitbox.errors import counted, some
from kitbox.runs import Runs, is_sound, spans
from kitbox.writers.shape import TOKENS

if TYPE_CHECKING:
    import numpy as np

_BLOCK = 20_000
"""Cells that are looked at together, so that memory stays small."""


@dataclass(frozen=True)
class Reading:
    """How run lengths are to be read.

    Attributes:
        size: the pictures' (height, width), None where it is not known.
        relative: starts count from the end of the run before.
    """

    size: tuple[int, int] | None = None
    relative: bool = False


def run_faults(
    name: str, keys: Sequence[str], written: Sequence[str], asked: Sequence[str], reading: Reading
) -> list[str]:
    """What is wrong with a column of run lengths, a phrase each.

    Cells must decode, end inside the picture where its size is known, and be blank
    (or what the sample has for it) for an empty mask. Where a key has several rows,
    they must not overlap, and none may be empty.

    Args:
        name: the column's name.
        keys, written: what names each row (N,), and its cell.
        asked: the column's cells in the sample.
    """
    faults = []
    tokens = {*TOKENS} & {cell.strip() for cell in asked}
    blank = not tokens or any(not cell.strip() for cell in asked)
    allowed = ({""} if blank else set()) | (tokens if len(asked) else {*TOKENS})
    if not blank and (empty := [k for k, c in zip(keys, written, strict=True) if not c.strip()]):
        faults.append(
            f"column '{name}' has {counted(len(empty), 'blank cell')} ({some(empty, 3)}), where "
            f"the sample writes an empty mask as '{min(tokens)}'"
        )
    rows = [row for row, cell in enumerate(written) if cell.strip() and cell.strip() not in allowed]
    base: Literal[0, 1] = 0 if any(written[row].split(None, 1)[0] == "0" for row in rows) else 1
    wrong = _undecodable([written[row] for row in rows], reading, base)
    if wrong:
        told = [f"{keys[rows[n]]}: {_why(written[rows[n]], reading, base)}" for n in wrong[:3]]
        hint = "" if reading.relative else _perhaps_relative([written[rows[n]] for n in wrong])
        more = f"; and {len(wrong) - 3:,} more" if len(wrong) > 3 else ""
        faults.append(
            f"column '{name}' has {counted(len(wrong), 'cell')} of run lengths that cannot be "
            f"accepted: {'; '.join(told)}{more}{hint}"
        )
        return faults
    return faults + _between(name, keys, written, rows, reading)


def _undecodable(texts: Sequence[str], reading: Reading, base: Literal[0, 1]) -> list[int]:
    """The numbers of the cells that do not decode."""
    import numpy as np

    wrong: list[int] = []
    for begin in range(0, len(texts), _BLOCK):
        block = texts[begin : begin + _BLOCK]
        sound = [n for n, text in enumerate(block) if is_sound(text)]
        starts, lengths, cell = _numbers([block[n] for n in sound], reading.relative)
        bad = lengths < 1
        bad |= starts < base
        same = cell[1:] == cell[:-1]
        bad[1:] |= same & (starts[1:] < starts[:-1] + lengths[:-1])
        if reading.size is not None:
            bad |= starts - base + lengths > reading.size[0] * reading.size[1]
        worse = {sound[n] for n in np.unique(cell[bad]).tolist()}
        wrong += [begin + n for n in sorted(worse | ({*range(len(block))} - {*sound}))]
    return wrong


def _between(
    name: str, keys: Sequence[str], written: Sequence[str], rows: Sequence[int], reading: Reading
) -> list[str]:
    """Faults between the rows of one key."""
    import numpy as np

    number: dict[str, int] = {}
    code = np.array([number.setdefault(key, len(number)) for key in keys], dtype=np.int64)
    if len(number) == len(keys):
        return []
    names = [*number]
    several = np.bincount(code) > 1
    faults = []
    filled = np.zeros(len(keys), dtype=bool)
    filled[list(rows)] = True
    if len(empty := np.unique(code[several[code] & ~filled])):
        told = some([names[n] for n in empty.tolist()], 3)
        faults.append(
            f"{counted(len(empty), 'id')} with several rows have an empty one among them ({told})"
        )
    chosen = np.flatnonzero(several[code] & filled)
    starts, lengths, cell = _numbers([written[row] for row in chosen.tolist()], reading.relative)
    owner = code[chosen][cell]
    order = np.lexsort((starts, owner))
    starts, ends, owner = starts[order], (starts + lengths)[order], owner[order]
    over = (owner[1:] == owner[:-1]) & (starts[1:] < ends[:-1])
    if len(shared := np.unique(owner[1:][over])):
        told = some([names[n] for n in shared.tolist()], 3)
        faults.append(
            f"masks of column '{name}' overlap in {counted(len(shared), 'id')} with several rows "
            f"({told})"
        )
    return faults


def _numbers(texts: Sequence[str], relative: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Starts and lengths of the runs (R,) of sound texts, and which text each is of."""
    import numpy as np

    flat = np.fromstring(" ".join(texts), dtype=np.int64, sep=" ")
    starts, lengths = flat[::2], flat[1::2]
    counts = np.array([len(text.split()) // 2 for text in texts], dtype=np.int64)
    cell = np.repeat(np.arange(len(texts)), counts)
    if relative and len(flat):
        ends = np.cumsum(starts + lengths)
        before = np.append(0, ends)[np.cumsum(counts) - counts]  # where each text begins to count
        starts = ends - lengths - before[cell]
    return starts, lengths, cell


def _why(text: str, reading: Reading, base: Literal[0, 1]) -> str:
    try:
        if reading.size is None:
            spans(text, base, reading.relative)
        else:
            Runs.decode(text, *reading.size, base=base, relative=reading.relative)
    except ValueError as error:
        return str(error)
    return "it does not decode"


def _perhaps_relative(texts: Sequence[str]) -> str:
    """A hint, where all of the cells would decode with relative starts."""
    for text in texts[:1000]:
        try:
            spans(text, 0, relative=True)
        except ValueError:
            return ""
    return "; they would decode as relative offsets (`--relative`)"
