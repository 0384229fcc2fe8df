"""Data looked over for what had better be left out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from kitbox.learning.data import Data


def clean(data: Data, out: Path, *, near: bool = True) -> pd.DataFrame:
    """See `Data.clean`."""
    import pandas as pd

    from kitbox import clean as cleaning
    from kitbox.data.faults import Fault, Picture

    rows = data.rows
    told = rows[list(data.targets)].map(str).agg(", ".join, axis=1)
    tests = rows["part"] == "test"
    pictures = {
        image: Picture(image, part, "" if test else label)
        for image, part, label, test in zip(rows["image"], rows["part"], told, tests, strict=True)
    }
    found = cleaning.clean(data.files, list(pictures.values()), out, data.progress, near=near)
    return pd.DataFrame(found, columns=[*Fault.__dataclass_fields__])
