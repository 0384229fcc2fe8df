"""The state of a run's files: whether they are still those that it began with."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def digest(folder: Path, rows: pd.DataFrame, targets: Sequence[str]) -> str:
    """A hash of the names and sizes in bytes of the pictures, and of the files that targets name.

    Not of times, which differ where a run goes on on another machine, and not of contents,
    which would have to be read.
    """
    found = hashlib.blake2b(digest_size=16)
    columns = ["image", *(name for name in targets if _is_of_files(folder, rows[name]))]
    for column in columns:
        for cell in rows[column]:
            name = str(cell)
            try:
                size = os.stat(folder / name).st_size
            except (OSError, ValueError):
                size = -1
            found.update(f"{name}\0{size}\0".encode("utf-8", "surrogateescape"))
    return found.hexdigest()


def _is_of_files(folder: Path, cells: pd.Series) -> bool:
    """Whether the first cell that holds something names a file."""
    first = next((cell for cell in cells if isinstance(cell, str) and cell), None)
    try:
        return first is not None and (folder / first).is_file()
    except (OSError, ValueError):
        return False
