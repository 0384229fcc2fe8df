"""Predictions: a table, beside the raw outputs as an array."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kitbox.progress import Progress
from kitbox.results.folder import OUTPUTS, PREDICTIONS, RunFolder
from kitbox.storage import whole
from kitbox.training.stages import Trainer
from kitbox.training.step import mean_loss


def predict(
    trainer: Trainer,
    rows: pd.DataFrame,
    part: str,
    size: tuple[int, int],
    folder: RunFolder,
    progress: Progress,
) -> np.ndarray:
    """Predict the rows of a part, write both files, return raw outputs (N, K)."""
    chosen = np.flatnonzero(rows["part"] == part)
    with progress.bar(f"predicting: {part}", trainer.loader.count(len(chosen))) as step:
        outputs = trainer.outputs(chosen, size, step)
    if len(chosen) == 0:
        return outputs
    table = trainer.task.predictions(outputs)
    table.insert(0, "id", rows["id"].to_numpy()[chosen])
    with whole(folder / PREDICTIONS.format(part=part)) as beside:
        table.to_csv(beside, index=False, float_format="%.6g", lineterminator="\n")
    with whole(folder / OUTPUTS.format(part=part)) as beside, beside.open("wb") as file:
        np.save(file, outputs)
    return outputs


def score(trainer: Trainer, rows: pd.DataFrame, part: str, outputs: np.ndarray) -> dict[str, float]:
    """Loss and metrics of a part's raw outputs (N, K)."""
    targets = trainer.loader.targets[np.flatnonzero(rows["part"] == part)]
    loss = mean_loss(trainer.task, outputs, targets)
    return {"loss": loss, **trainer.task.score(outputs, targets)}
