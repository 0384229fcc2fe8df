"""The submission: rehearsed before training, written after it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from kitbox import registry
from kitbox.contracts import Remarks, Task, Writer
from kitbox.data.frames import Frames
from kitbox.errors import LabelError, PluginError, SubmissionError, some
from kitbox.ink import drawable
from kitbox.installed import BUILT_IN
from kitbox.mistakes import Mistakes
from kitbox.options import Options
from kitbox.writers import sample as samples
from kitbox.writers import shape


def choose(writer: Writer | None, task: Task, sample: pd.DataFrame | None) -> Writer:
    """The recipe's writer, or the one that the task finds fitting.

    What the recipe's writer leaves open (options that are None) is as the task would
    have it, where it would have chosen the same writer: a threshold, say.
    """
    try:
        described = _ours(dict(task.writer(sample)))
    except SubmissionError:
        if writer is not None:  # the task has none for such a sample, the recipe has
            return writer
        raise
    try:
        fitting = registry.writers.build(described)
    except Mistakes as error:
        if writer is not None:
            return writer
        raise PluginError(
            f"The task {type(task).__name__} asks for a writer that cannot be made: {error}",
            found=repr(described),
            do="Name a `writer` in the recipe's `submission`",
        ) from error
    if writer is None:
        return fitting
    if type(writer) is not type(fitting):
        return writer
    assert isinstance(writer, Options)
    options = {n: getattr(fitting, n) for n, given in writer if given is None}
    return cast(Writer, writer.model_copy(update=options))


def _ours(described: dict[str, Any]) -> dict[str, Any]:
    """What a task asks for by a built-in's bare name stays that, whoever claims the name too."""
    own = f"{BUILT_IN}:{described.get('use')}"
    if own in (plugin.full_name for plugin in registry.writers.plugins()):
        return {**described, "use": own}
    return described


def blank(task: Task, outputs: tuple[int, ...], size: tuple[int, int]) -> pd.DataFrame:
    """The prediction (one row) of made-up raw outputs.

    Args:
        outputs: shape of a picture's raw outputs.
        size: (H, W) of what the network sees.

    Raises:
        LabelError: when an output has the name of a column of ours.
    """
    # Not zeros: a writer may take columns of whole numbers for classes. Maps are
    # smooth, as real ones are: noise would be thousands of specks a picture.
    small = [side if place == 0 else min(side, 4) for place, side in enumerate(outputs)]
    made_up = np.random.default_rng(0).normal(size=(1, *small)).astype(np.float32)
    for axis, side in enumerate(outputs[1:], 2):
        made_up = made_up.take(np.arange(side) * made_up.shape[axis] // side, axis)
    table = task.predictions(made_up, Frames.whole(size, 1))
    if taken := [name for name in table.columns if name in ("id", "image")]:
        raise LabelError(
            f"A class or output is called '{taken[0]}', which is the name of a column of every "
            "table of predictions",
            do="Give it another name, in the labels or by a labeler of your own",
        )
    return table


def rehearse(
    writer: Writer,
    blank: pd.DataFrame,
    rows: pd.DataFrame,
    sample: pd.DataFrame | None,
    files: Path,
) -> list[str]:
    """Make a submission of made-up predictions, so that what cannot be accepted stops the run now.

    Args:
        blank: a made-up prediction (one row).

    Returns:
        What the writer has to say of it, a sentence each.

    Raises:
        SubmissionError: as the real one would.
    """
    ids = rows.loc[rows["part"] == "test", "id"]
    if not len(ids) and sample is None:
        raise SubmissionError(
            "The recipe asks for a submission, but there are no pictures to predict",
            do="Say where they are with `test`, or name the `sample` submission",
        )
    if wrong := [name for name in ids if drawable(str(name)) != name]:
        raise SubmissionError(
            "A submission is UTF-8, and the names of pictures to predict are not",
            found=some(wrong),
            do="Rename these files",
        )
    predicted = blank.iloc[np.zeros(len(ids), int)].reset_index(drop=True)
    predicted.insert(0, "id", ids.to_numpy())
    make(writer, predicted, sample, files)
    if sample is None or not isinstance(writer, Remarks):
        return []
    return writer.remark(predicted, sample, files)


def make(
    writer: Writer, predicted: pd.DataFrame, sample: pd.DataFrame | None, files: Path
) -> pd.DataFrame:
    """The submission of predictions (`id` and a column per output), checked against the sample.

    Raises:
        SubmissionError: when it would not be accepted.
    """
    made = writer.table(predicted, sample, files)
    if sample is not None:
        # What the writer may leave blank, it knows; rows and columns are the sample's.
        guessed = shape.guess(sample, made)
        blank = frozenset(str(name) for name in made.columns)
        samples.check(made, sample, shape=replace(guessed, blank=blank))
    return made


def write(made: pd.DataFrame, path: Path) -> None:
    """Write a submission, whole or not at all."""
    samples.save(made, path)
