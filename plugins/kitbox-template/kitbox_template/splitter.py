"""A splitter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from kitbox import Options
from kitbox.errors import SplitError

if TYPE_CHECKING:
    import pandas as pd


class TemplateSplitter(Options):
    """Every n-th picture validates, in the order of their ids."""

    every: Annotated[int, Field(ge=2)] = Field(5, description="n")

    def split(self, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> pd.Series:
        """The part of every row; depends on their ids, never on their order."""
        if len(rows) < self.every:
            raise SplitError(
                f"There are fewer than {self.every} pictures, so none would validate",
                found=f"{len(rows)}",
                do="Label more pictures, or choose a smaller `every`",
            )
        place = rows["id"].rank(method="first").astype(int)  # from 1 on
        return (place % self.every == 0).map({True: "valid", False: "train"})
