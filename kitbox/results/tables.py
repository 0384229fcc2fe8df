"""Raw outputs as a table of predictions."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from kitbox.contracts import Task
from kitbox.data.frames import Frames


def tabulate(task: Task, batches: Iterable[tuple[np.ndarray, Frames]]) -> pd.DataFrame:
    """The task's predictions of raw outputs, a batch at a time: a column per output."""
    tables = [task.predictions(outputs, frames) for outputs, frames in batches]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
