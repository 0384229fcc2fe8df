"""How many pictures each class has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kitbox.data.targets import Fixed

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from kitbox.contracts import Task

PARTS = ("train", "valid")


def by_class(task: Task, rows: pd.DataFrame, files: Path) -> pd.DataFrame | None:
    """Pictures by class: a row a class in the task's order, columns `train` and `valid`.

    A picture with several labels counts for each.

    Args:
        task: that has learned.
        rows: with `part`; those of other parts do not count.
        files: the source's folder.

    Returns:
        The counts, or None where pictures have no classes of their own: numbers, points, masks.
    """
    import pandas as pd

    classes = [str(name) for name in getattr(task, "classes", None) or ()]
    known = rows[rows["part"].isin(PARTS)]
    hot = _hot(task, known, files, len(classes)) if classes else None
    if hot is None:
        return None
    return pd.DataFrame(
        {part: hot[(known["part"] == part).to_numpy()].sum(axis=0) for part in PARTS}, classes
    )


def _hot(task: Task, rows: pd.DataFrame, files: Path, count: int) -> np.ndarray | None:
    """Which classes each row has (N, K) bool; None where a row is not of some classes."""
    import numpy as np

    values = task.encode(rows, files)
    values = values.values if isinstance(values, Fixed) else values
    if not isinstance(values, np.ndarray):
        return None
    if values.ndim == 1 and np.issubdtype(values.dtype, np.integer):
        return values[:, None] == np.arange(count)
    if values.shape[1:] == (count,) and np.isin(values, (0, 1)).all():
        return values > 0
    return None
