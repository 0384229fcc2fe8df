"""Which labelled rows train."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pandas as pd


class Splitter(Protocol):
    """Which labelled rows train and which validate."""

    def split(self, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> pd.Series:
        """The part of every row: 'train' or 'valid', indexed like `rows`.

        Depends on the rows' content and the plugin's options alone, never on
        their order, their index or the machine.

        Raises:
            SplitError: when a part would be empty or the rows do not allow it.
        """
