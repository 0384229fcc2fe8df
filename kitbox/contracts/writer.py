"""The shape of a submission file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import pandas as pd


class Writer(Protocol):
    """The shape of a submission file."""

    def ids(self, sample: pd.DataFrame, folder: Path) -> list[str]:
        """The ids of the pictures that the sample asks for, each once, in its order.

        Raises:
            SubmissionError: when the sample has another shape.
        """

    def table(
        self, predictions: pd.DataFrame, sample: pd.DataFrame | None, folder: Path
    ) -> pd.DataFrame:
        """The submission, from predictions (`id` and one column per output).

        `sample` is the competition's sample submission (all columns str) or
        None; with it the key column, the columns and their order are the
        sample's, and the rows are the sample's in its order. `folder` is the
        source's.

        Raises:
            SubmissionError: when no acceptable submission can be made.
        """


@runtime_checkable
class Remarks(Protocol):
    """What a writer may have besides: notes on a submission that it can write."""

    def remark(self, predictions: pd.DataFrame, sample: pd.DataFrame, folder: Path) -> list[str]:
        """What a person should know before training, a sentence each.

        Predictions that the sample does not ask for, say. Arguments are those of
        `table`, which was asked before and had no objection.
        """
