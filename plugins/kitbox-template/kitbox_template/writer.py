"""A writer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from kitbox import Options, obey_sample
from kitbox.errors import SubmissionError, some

if TYPE_CHECKING:
    import pandas as pd


class TemplateWriter(Options):
    """A row per picture: its id, and the name of its highest output."""

    column: str = Field("best", description="name of the value where there is no sample")

    def ids(self, sample: pd.DataFrame, folder: Path) -> list[str]:
        """The pictures that the sample asks for, each once."""
        return sample.iloc[:, 0].tolist()

    def table(
        self, predictions: pd.DataFrame, sample: pd.DataFrame | None, folder: Path
    ) -> pd.DataFrame:
        """The submission; with a sample its columns, its rows and their order are the sample's."""
        import pandas as pd

        if sample is not None and sample.shape[1] != 2:
            raise SubmissionError(
                "This writer writes an id and one value",
                found=f"a sample with the columns {some(sample.columns)}",
                do="Choose another writer",
            )
        key, column = ("id", self.column) if sample is None else sample.columns
        best = predictions.drop(columns="id").astype(float).idxmax(axis=1)
        made = pd.DataFrame({key: predictions["id"], column: best.astype(str)})
        return obey_sample(made, sample)  # rows in its order; a missing one is an error
