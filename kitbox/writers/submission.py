"""The submission: rehearsed before training, written after it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from kitbox import registry
from kitbox.contracts import Task, Writer
from kitbox.errors import PluginError, SubmissionError
from kitbox.mistakes import Mistakes
from kitbox.writers import sample as samples


def rehearse(
    writer: Writer | None,
    task: Task,
    rows: pd.DataFrame,
    sample: pd.DataFrame | None,
    *,
    outputs: int,
) -> None:
    """Make a submission of made-up predictions, so that what cannot be accepted stops the run now.

    Raises:
        SubmissionError: as the real one would.
    """
    count = int((rows["part"] == "test").sum())
    if count == 0 and sample is None:
        raise SubmissionError(
            "The recipe asks for a submission, but there are no pictures to predict",
            do="Say where they are with `test`, or name the `sample` submission",
        )
    # Not zeros: a writer may take columns of whole numbers for classes.
    made_up = np.random.default_rng(0).normal(size=(count, outputs)).astype(np.float32)
    make(writer, task, rows, made_up, sample)


def make(
    writer: Writer | None,
    task: Task,
    rows: pd.DataFrame,
    outputs: np.ndarray,
    sample: pd.DataFrame | None,
) -> pd.DataFrame:
    """The submission, checked against the sample.

    Args:
        writer: None takes the one that the task finds fitting.
        outputs: raw outputs (N, K) of the test rows, in the table's order.

    Raises:
        SubmissionError: when it would not be accepted.
    """
    predicted = task.predictions(outputs)
    predicted.insert(0, "id", rows.loc[rows["part"] == "test", "id"].to_numpy())
    writer = writer or _fitting(task, sample)
    made = writer.table(predicted, sample)
    if sample is not None:
        samples.check(made, sample)
    return made


def _fitting(task: Task, sample: pd.DataFrame | None) -> Writer:
    described = task.writer(sample)
    try:
        return registry.writers.build(described)
    except Mistakes as error:
        raise PluginError(
            f"The task {type(task).__name__} asks for a writer that cannot be made: {error}",
            found=repr(dict(described)),
            do="Name a `writer` in the recipe's `submission`",
        ) from error


def write(made: pd.DataFrame, path: Path) -> None:
    """Write a submission, whole or not at all."""
    samples.save(made, path)
