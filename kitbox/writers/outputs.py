"""Predictions as the writers take them: ids, and a column of finite numbers per output."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from kitbox import cells
from kitbox.errors import SubmissionError, nearest, some
from kitbox.runs import Runs

if TYPE_CHECKING:
    import pandas as pd


Decimals = Annotated[int, Field(ge=0, le=15)]
"""Decimal places to round to. The file holds 7 significant digits at most."""


def outputs(predictions: pd.DataFrame) -> tuple[list[str], pd.DataFrame]:
    """The ids of predictions and their outputs (N, K) as float64, in the same order.

    Raises:
        SubmissionError: listing all that is wrong: no `id`, no output, columns
            named twice, outputs that are no numbers, NaN and infinity (with ids).
    """
    import numpy as np

    ids, values, faults = _parted(predictions)
    if not faults:
        words = [name for name in values.columns if not cells.is_number(values[name])]
        if words:
            faults.append(f"columns hold no numbers ({some(words)})")
        values = values.drop(columns=words).astype("float64")
        unfit = ~np.isfinite(values.to_numpy())
        if unfit.any():
            rows = np.flatnonzero(unfit.any(axis=1))
            faults.append(
                f"values are NaN or infinite in {len(rows):,} rows "
                f"({some(ids[row] for row in rows)}), "
                f"columns {some(values.columns[unfit.any(axis=0)])}"
            )
    if faults:
        raise SubmissionError(
            f"No submission can be made of these predictions: {'; '.join(faults)}",
            do="A writer takes the column `id` and a column of finite numbers per output",
        )
    return ids, values


def masks(predictions: pd.DataFrame) -> tuple[list[str], dict[str, list[Runs]]]:
    """The ids of predictions (N,) and the masks of every class (N,), in the same order.

    Masks may be given as the text that `str(runs)` makes, as predictions in a csv file are.

    Raises:
        SubmissionError: listing all that is wrong: no `id`, no class, columns named
            twice, cells that hold no mask (with ids).
    """
    ids, values, faults = _parted(predictions)
    found: dict[str, list[Runs]] = {}
    for name in values.columns:
        found[name] = []
        for one, cell in zip(ids, values[name].tolist(), strict=True):
            try:
                found[name].append(_mask(cell))
            except ValueError as error:
                faults.append(f"column '{name}' holds no mask for {one}: {error}")
                break
    if faults:
        raise SubmissionError(
            f"No submission can be made of these predictions: {'; '.join(faults)}",
            do="Run lengths are written from the column `id` and a column of kitbox.Runs per class",
        )
    return ids, found


def _mask(cell: object) -> Runs:
    if isinstance(cell, Runs):
        return cell
    if isinstance(cell, str):
        return Runs.parse(cell)
    raise ValueError(f"found a {type(cell).__name__}")


def _parted(predictions: pd.DataFrame) -> tuple[list[str], pd.DataFrame, list[str]]:
    """The ids, the other columns, and what is wrong with either."""
    names = [str(name) for name in predictions.columns]
    faults = []
    if "id" not in names:
        faults.append(f"there is no column 'id' ({nearest('id', names) or 'no columns at all'})")
    if not [name for name in names if name != "id"]:
        faults.append("there is no output beside the id")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        faults.append(f"columns appear twice ({some(twice)})")
    if faults:
        return [], predictions.iloc[:, :0], faults
    table = predictions.set_axis(names, axis="columns")
    return (
        [str(value) for value in table["id"]],
        table.drop(columns="id").reset_index(drop=True),
        [],
    )


def idle(names: Iterable[str], used: Iterable[str]) -> list[str]:
    """What a writer remarks on predictions that it has no place for: a sentence, or none.

    >>> idle(["sky", "road"], ["sky"])
    ["the sample submission does not ask for the prediction 'road': it is left out"]
    """
    taken = set(used)
    left = [repr(name) for name in names if name not in taken]
    if not left:
        return []
    what = "prediction" if len(left) == 1 else "predictions"
    rest = "it is" if len(left) == 1 else "they are"
    return [f"the sample submission does not ask for the {what} {some(left)}: {rest} left out"]
