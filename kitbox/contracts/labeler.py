"""From files to labelled rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Labels:
    """What a labeler knows.

    Attributes:
        rows: one row a labelled picture, with the columns `id` (unique str),
            `image` (path below the source's folder, `/` separated), the target
            columns, `part` ('train', 'valid' or missing) where it is known, and
            any other column that a splitter may want.
        targets: the names of the target columns.
        notes: guesses made and counts, a sentence each, shown to the person.
        gaps: a target may be missing (NaN) in a row, as a point that nobody saw;
            whether it may be is then the task's to say.
        parted: where the column `part` is from, a sentence, shown to the person where the
            splitter is `auto`, which obeys that column.
    """

    rows: pd.DataFrame
    targets: tuple[str, ...]
    notes: tuple[str, ...] = ()
    gaps: bool = False
    parted: str = ""


class Labeler(Protocol):
    """From a folder of files to a row per labelled picture."""

    def label(self, folder: Path) -> Labels:
        """Read the labels of the pictures below `folder`.

        Does not open pictures; looks at names and tables only. Row order does
        not matter, the table is sorted by id afterwards.

        Raises:
            LabelError: when labels are missing, doubled or do not fit.
        """
