"""Wide: the id, and a number for every output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from kitbox.bounds import Bounds, clipped
from kitbox.errors import SubmissionError, nearest, some
from kitbox.options import Mistake, Mistakes, Options
from kitbox.writers import sample as samples
from kitbox.writers.faults import alike
from kitbox.writers.outputs import Decimals, idle, outputs

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd


class Wide(Options):
    """A row per picture: its id and N numbers.

    The sample's columns after the key are the outputs. Each is filled from the
    prediction column that `columns` names, else from the one of the same name,
    else from the only one whose name differs in case, spaces, underscores and
    hyphens alone. Where two differ in nothing but those, none is chosen.
    Predictions that have no place in the sample are refused, unless `columns`
    names one for every column of the sample: then the others are left out, which
    `check` and `run` say in a note. So is a prediction for whose own name
    `columns` chose another. Some tasks (regression, points) name `columns`
    themselves where the sample asks for some of their predictions. `fill` gives a column
    that nothing predicts the same number in every row (a confidence, say).

    With `keys: joined` the sample has several rows a picture, whose key is the picture, a
    separator and something else (`Patient_Week`): each gets its picture's numbers. The
    picture is what stands before the last separator.

    Without a sample the outputs keep their order and their names, but for those
    that `columns` renames.

    The numbers are clipped, then made to sum to 1, then rounded.
    """

    columns: dict[str, str] = Field({}, description="column of the sample: column of predictions")
    normalize: bool = Field(False, description="make the numbers of every row sum to 1")
    clip: Bounds | None = Field(None, description="the least and the greatest number")
    decimals: Decimals | None = Field(None, description="decimal places to round to")
    fill: dict[str, Annotated[float, Field(allow_inf_nan=False)]] = Field(
        {}, description="column of the sample that nothing predicts: its number in every row"
    )
    keys: Literal["plain", "joined"] = Field(
        "plain", description="whether a key is a picture, or a picture and something else"
    )
    separator: str = Field(
        "_", min_length=1, description="what stands behind the picture in a joined key"
    )
    key: str = Field("id", min_length=1, description="name of the key column without a sample")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        mistakes = [
            Mistake(("fill",), f"names '{name}', and so does `columns`")
            for name in self.fill
            if name in self.columns
        ]
        if self.fill and self.normalize:
            mistakes.append(Mistake(("fill",), "goes not together with `normalize`"))
        if mistakes:
            raise Mistakes(mistakes)
        return self

    def ids(self, sample: pd.DataFrame, folder: Path) -> list[str]:
        """See `kitbox.contracts.Writer`: a row per picture, or several with joined keys."""
        keys = samples.ids(sample)
        if self.keys == "plain":
            return keys
        return list(dict.fromkeys(picture for picture in self._pictures(keys)))

    def table(
        self, predictions: pd.DataFrame, sample: pd.DataFrame | None, folder: Path
    ) -> pd.DataFrame:
        """The submission (N rows), key first, from predictions (`id`, K numbers).

        Raises:
            SubmissionError: when columns or rows do not fit the sample, all
                faults at once; when predictions are no finite numbers; when a
                row cannot be made to sum to 1.
        """
        ids, values = outputs(predictions)
        names = [str(name) for name in values.columns]
        if sample is None:
            key, columns = self.key, None
        else:
            key, columns = samples.key(sample), [str(name) for name in sample.columns[1:]]
            self._check_fill(columns)
            columns = [name for name in columns if name not in self.fill]
        if self.keys == "joined" and sample is not None and len(sample):
            ids, values = self._repeated(ids, values, samples.ids(sample))
        chosen, faults = _match(columns, names, self.columns)
        submission = values[list(chosen.values())].set_axis(list(chosen), axis="columns")
        if not faults:
            submission[:] = self._finished(submission.to_numpy(), ids)
        if sample is not None:
            for place, name in enumerate(map(str, sample.columns[1:])):
                if name in self.fill:
                    submission.insert(min(place, submission.shape[1]), name, self.fill[name])
        if key in chosen:
            faults.append(f"the key column '{key}' has the name of an output")
            key = f"{key} (the key)"
        submission.insert(0, key, ids)
        return samples.check(submission, sample, faults)

    def remark(self, predictions: pd.DataFrame, sample: pd.DataFrame, folder: Path) -> list[str]:
        """See `kitbox.contracts.Remarks`: predictions that are left out."""
        names = [str(name) for name in predictions.columns if name != "id"]
        asked = [str(name) for name in sample.columns[1:] if str(name) not in self.fill]
        chosen, _ = _match(asked, names, self.columns)
        return idle(names, chosen.values())

    def _check_fill(self, columns: Sequence[str]) -> None:
        if strange := [name for name in self.fill if name not in columns]:
            raise SubmissionError(
                f"The writer's `fill` names a column '{strange[0]}' that the sample has not",
                found=some(columns, 10),
                do=nearest(strange[0], columns),
            )

    def _pictures(self, keys: Sequence[str]) -> list[str]:
        """The picture of every joined key (N,)."""
        parts = [key.rpartition(self.separator) for key in keys]
        if loose := [key for key, part in zip(keys, parts, strict=True) if not part[0]]:
            raise SubmissionError(
                f"The sample submission has keys without {self.separator!r} behind a picture",
                found=some(loose),
                do="Correct the writer's `separator`",
            )
        return [picture for picture, _, _ in parts]

    def _repeated(
        self, ids: Sequence[str], values: pd.DataFrame, keys: Sequence[str]
    ) -> tuple[list[str], pd.DataFrame]:
        """The predictions of the pictures (N rows) for every key of theirs.

        Pictures that no key asks for stay, so that the check names them.
        """
        place = {one: place for place, one in enumerate(ids)}
        pictures = self._pictures(keys)
        rows = [(key, place[of]) for key, of in zip(keys, pictures, strict=True) if of in place]
        rows += [(one, place[one]) for one in ids if one not in set(pictures)]
        return [key for key, _ in rows], values.iloc[[n for _, n in rows]].reset_index(drop=True)

    def _finished(self, numbers: np.ndarray, ids: Sequence[str]) -> np.ndarray:
        """The numbers (N, K) clipped, normalised, rounded."""
        numbers = clipped(numbers, self.clip)
        if self.normalize:
            numbers = _normalized(numbers, ids)
        return numbers if self.decimals is None else numbers.round(self.decimals)


def _normalized(numbers: np.ndarray, ids: Sequence[str]) -> np.ndarray:
    """The numbers (N, K), every row divided by its sum."""
    sums = numbers.sum(axis=1)
    unfit = (numbers < 0).any(axis=1) | (sums <= 0)
    if unfit.any():
        raise SubmissionError(
            "The numbers of a row cannot be made to sum to 1 where one is negative or all are 0",
            found=f"such rows: {some(ids[row] for row in unfit.nonzero()[0].tolist())}",
            do="Leave `normalize` out, or give `clip` a lower bound above 0",
        )
    return numbers / sums[:, None]


def _match(
    columns: Sequence[str] | None, names: Sequence[str], asked: dict[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Which prediction fills which column of the submission, and what is wrong.

    Predictions that nothing asks for come last under their own names, so that
    `sample.check` names them beside what is missing.
    """
    faults = [
        f"`columns` names a prediction '{name}' that does not exist{_hint(name, names)}"
        for name in asked.values()
        if name not in names
    ]
    asked = {column: name for column, name in asked.items() if name in names}
    if columns is None:
        renamed: dict[str, str] = {}
        for column, name in asked.items():
            if name in renamed:
                faults.append(f"`columns` uses '{name}' for '{renamed[name]}' and '{column}'")
            renamed[name] = column
        chosen = {renamed.get(name, name): name for name in names}
        if len(chosen) < len(names):
            faults.append("`columns` renames an output to the name of another")
        return chosen, faults
    faults += [
        f"`columns` names a column '{column}' that the sample has not{_hint(column, columns)}"
        for column in asked
        if column not in columns
    ]
    chosen = {column: name for column, name in asked.items() if column in columns}
    complete = len(chosen) == len(columns)
    left = [name for name in names if name not in chosen.values()]
    chosen |= {column: column for column in columns if column not in chosen and column in left}
    left = [name for name in names if name not in chosen.values()]
    for column in columns:
        if column in chosen:
            continue
        form = alike(column)
        rivals = [c for c in columns if c not in chosen and alike(c) == form]
        close = [name for name in left if alike(name) == form]
        if len(rivals) == len(close) == 1:
            chosen[column] = close[0]
            left.remove(close[0])
        elif close:
            faults.append(
                f"column '{column}' could be any of the predictions {some(close)}: say which "
                f"in the writer's `columns`"
            )
    ordered = {column: chosen[column] for column in columns if column in chosen}
    if complete:
        return ordered, faults
    return ordered | {name: name for name in left if name not in ordered}, faults


def _hint(word: str, known: Sequence[str]) -> str:
    hint = nearest(word, known)
    return f" ({hint.rstrip('.')})" if hint else ""
