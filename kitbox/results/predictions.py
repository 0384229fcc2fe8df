"""Predictions of a run: written as a table, beside the raw outputs as an array."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kitbox.data.frames import Frames
from kitbox.progress import Progress
from kitbox.results.folder import OUTPUTS, PREDICTIONS, RunFolder
from kitbox.results.tables import tabulate
from kitbox.storage import whole

if TYPE_CHECKING:
    from kitbox.training.trainer import Trainer

LARGEST = 4096
"""Raw outputs of a picture, at most, that are worth a file: maps are not."""


def predict(
    trainer: Trainer,
    rows: pd.DataFrame,
    part: str,
    size: tuple[int, int],
    folder: RunFolder,
    progress: Progress,
) -> pd.DataFrame:
    """Predict the rows of a part and write them; returns `id` and a column per output.

    The raw outputs (N, K) are written beside them, unless they are maps. Processes other than
    the main one compute outputs, and return and write nothing.
    """
    chosen = np.flatnonzero(rows["part"] == part)
    with progress.bar(f"predicting: {part}", trainer.loader.count_fixed(len(chosen))) as step:
        kept: list[np.ndarray] = []
        if not trainer.crew.main:
            deque(trainer.predict(chosen, size, step), maxlen=0)
            return pd.DataFrame()
        table = tabulate(trainer.task, _keeping(trainer.predict(chosen, size, step), kept))
    table.insert(0, "id", rows["id"].to_numpy()[chosen])
    if not len(chosen):
        return table
    with whole(folder / PREDICTIONS.format(part=part)) as beside:
        table.to_csv(
            beside,
            index=False,
            float_format="%.6g",
            lineterminator="\n",
            errors="surrogateescape",  # the name of a file may be no UTF-8
        )
    if kept:
        with whole(folder / OUTPUTS.format(part=part)) as beside, beside.open("wb") as file:
            np.save(file, np.concatenate(kept))
    return table


def _keeping(
    batches: Iterable[tuple[np.ndarray, Frames]], kept: list[np.ndarray]
) -> Iterator[tuple[np.ndarray, Frames]]:
    for outputs, frames in batches:
        if outputs[0].size <= LARGEST:
            kept.append(outputs)
        yield outputs, frames
