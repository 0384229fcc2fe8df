"""Which labels a picture has, read from cells of labels or from one column per label."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from kitbox import classes as names_of
from kitbox.errors import LabelError, nearest, some

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

YES = ("1", "true", "yes", "y", "t")
NO = ("0", "-1", "false", "no", "n", "f")
DELIMITERS = (" ", ",", ";", "|")


def learn(
    rows: pd.DataFrame,
    targets: Sequence[str],
    classes: Sequence[str] | None,
    train: np.ndarray,
    bad: Literal["refuse", "drop", "keep"],
) -> tuple[tuple[str, ...], np.ndarray]:
    """The labels to learn, and which of them each row has (N, K).

    Args:
        classes: the labels that the recipe names.
        train: which rows train, (N,) bool.
        bad: what happens to labels that teach nothing.

    Raises:
        LabelError: as `find`, and when labels are not listed or cannot be learned.
    """
    found = find(rows, targets)
    names = tuple(classes or found)
    if strangers := [name for name in found if name not in names]:
        raise LabelError(
            "There are labels that `classes` does not list",
            found=some(repr(name) for name in strangers),
            do=nearest(strangers[0], names) or "Add them to `classes`",
        )
    hot = matrix(rows, targets, names)
    useless = unlearnable(hot, train, names)
    said = "; ".join(f"{why}: {some(which)}" for why, which in useless.items())
    if useless and bad == "refuse":
        raise LabelError(
            "There are labels that cannot be learned",
            found=said,
            do="Choose another split or other labels, or say in the task `unlearnable: drop` "
            "to leave them out, `unlearnable: keep` to learn them as they are",
        )
    if useless and bad == "drop":
        dropped = {name for which in useless.values() for name in which}
        kept = [number for number, name in enumerate(names) if name not in dropped]
        if not kept:
            raise LabelError("No label can be learned", found=said)
        names, hot = tuple(names[number] for number in kept), hot[:, kept]
    return names, hot


def balanced(hot: np.ndarray, classes: Sequence[str]) -> dict[str, float]:
    """Negatives per positive of each label, from (N, K); 1 for one that all or none have."""
    counts = hot.sum(axis=0).tolist()
    return {
        name: (len(hot) - count) / count if 0 < count < len(hot) else 1.0
        for name, count in zip(classes, counts, strict=True)
    }


def find(rows: pd.DataFrame, targets: Sequence[str]) -> tuple[str, ...]:
    """The names of all labels: of the columns, or what stands in the cells, sorted.

    Raises:
        LabelError: when the columns are neither flags nor one column of labels, no
            picture has any label, or the labels look as if they were not parted.
    """
    if are_columns(rows, targets):
        for name in targets:
            _check_flags(rows[name])
        return tuple(targets)
    found = tuple(names_of.in_order({name for cell in rows[targets[0]] for name in _names(cell)}))
    if not found:
        raise LabelError(f"No picture has a label in the column '{targets[0]}'")
    _check_parted(found, targets[0])
    return found


def matrix(rows: pd.DataFrame, targets: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Which of the classes each row has: (N, K) uint8 of 0 and 1. Other labels are left out."""
    import numpy as np

    if are_columns(rows, targets):
        hot = np.zeros((len(rows), len(classes)), np.uint8)
        for number, name in enumerate(classes):
            if name in targets:
                hot[:, number] = [flag is True for flag in _flags(rows[name])]
        return hot
    place = {name: number for number, name in enumerate(classes)}
    hot = np.zeros((len(rows), len(classes)), np.uint8)
    for row, cell in enumerate(rows[targets[0]]):
        hot[row, [place[name] for name in _names(cell) if name in place]] = 1
    return hot


def are_columns(rows: pd.DataFrame, targets: Sequence[str]) -> bool:
    """Whether each target column is a label; else the one column holds labels in its cells."""
    if len(targets) > 1:
        return True
    return None not in _flags(rows[targets[0]])


def unlearnable(hot: np.ndarray, train: np.ndarray, classes: Sequence[str]) -> dict[str, list[str]]:
    """Labels that teach nothing, by what is wrong with them (in words).

    Args:
        hot: (N, K) of 0 and 1.
        train: which of the rows train, (N,) bool.
    """
    total, taught = hot.sum(axis=0), hot[train].sum(axis=0)
    found: dict[str, list[str]] = {}
    for name, everywhere, here in zip(classes, total.tolist(), taught.tolist(), strict=True):
        if everywhere == 0:
            found.setdefault("no picture has", []).append(name)
        elif here == 0:
            found.setdefault("no training picture has, validation alone", []).append(name)
        elif everywhere == 1:
            found.setdefault("a single picture has", []).append(name)
        elif here == train.sum():
            found.setdefault("every training picture has", []).append(name)
    return found


def _names(cell: Any) -> tuple[str, ...]:
    """The labels in a cell; a plain value is one label."""
    labels = cell if isinstance(cell, tuple | list) else (cell,)
    return tuple(names_of.name(label) for label in labels)


def _flags(column: pd.Series) -> list[bool | None]:
    """Every cell as yes or no; None where it is neither."""
    cells = [tuple(cell) if isinstance(cell, list) else cell for cell in column]
    meant = {cell: _flag(cell) for cell in set(cells)}
    return [meant[cell] for cell in cells]


def _flag(cell: Any) -> bool | None:
    word = str(cell).strip().lower()
    if re.fullmatch(r"-?[01]\.0+", word):
        word = word.partition(".")[0]
    return True if word in YES else False if word in NO else None


def _check_flags(column: pd.Series) -> None:
    values = {str(cell).strip() for cell in column}
    strange = sorted(value for value in values if _flag(value) is None)
    three = {"-1", "-1.0"} & values and {"0", "0.0"} & values
    if strange or three:
        raise LabelError(
            f"The column '{column.name}' does not say yes or no"
            if strange
            else f"It cannot be told what -1 and 0 mean in the column '{column.name}'",
            found=some(strange or sorted(values)),
            do="A column per label holds 0 and 1, true and false, or yes and no. Labels that stand "
            "together in the cells of one column need that column alone in the labeler's `labels`, "
            "and `delimiter`",
        )


def _check_parted(names: Sequence[str], column: str) -> None:
    """Refuse 'haze primary' and 'clear primary': they are labels that nobody parted."""
    for delimiter in DELIMITERS:
        joined = [name for name in names if delimiter in name]
        parts = {part.strip() for name in names for part in name.split(delimiter)}
        if len(joined) > 1 and len(parts) < len(names):
            raise LabelError(
                f"The labels in the column '{column}' look like several labels joined",
                found=some(repr(name) for name in joined),
                do=f"Set `delimiter: {delimiter!r}` of the labeler",
            )
