"""The parts that a run's pictures had, for whoever goes on from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kitbox.contracts import Splitter
from kitbox.errors import counted

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PartsOfRun:
    """A splitter: pictures that a run knows keep their part, others get one of its splitter.

    So what the run trained on never validates, whatever pictures have come since.

    Attributes:
        table: of the run, with `id`, `image` and `part`.
        other: the run's splitter.
        warn: told of pictures that only one of the two has.
    """

    table: pd.DataFrame
    other: Splitter
    warn: Callable[[str], None]

    def split(self, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> pd.Series:
        """See `kitbox.contracts.Splitter`."""
        import pandas as pd

        table = self.table
        # A picture may have several rows; where one of them trained, all do.
        by_image: dict[str, str] = {}
        for part in ("broken", "valid", "train"):
            by_image |= dict.fromkeys(table.loc[table["part"] == part, "image"], part)
        by_row = {(row, image): part for row, image, part in _triples(table) if part != "test"}
        parts = pd.Series(
            [
                by_row.get((row, image)) or by_image.get(image)
                for row, image in zip(rows["id"], rows["image"], strict=True)
            ],
            index=rows.index,
            dtype=object,
        )
        if new := int(parts.isna().sum()):
            self.warn(
                f"{new} of {counted(len(rows), 'labelled picture')} came after the run: the "
                "recipe's split says which of them validate, the others stay in their part"
            )
        if gone := len(by_image.keys() - set(rows["image"])):
            self.warn(f"{counted(gone, 'labelled picture')} of the run can no longer be found")
        known = parts.isin(("train", "valid"))
        if known.all():
            return parts
        return parts.where(known, self.other.split(rows, targets, folder))


def _triples(table: pd.DataFrame) -> list[tuple[str, str, str]]:
    return list(zip(table["id"], table["image"], table["part"], strict=True))
