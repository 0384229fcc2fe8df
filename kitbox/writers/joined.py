"""Joined: the id, and labels joined in one cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from kitbox import cells
from kitbox.classes import in_order, is_whole
from kitbox.errors import SubmissionError, nearest, some
from kitbox.options import Mistake, Mistakes, Options
from kitbox.writers import sample as samples
from kitbox.writers import separators
from kitbox.writers.faults import strangers
from kitbox.writers.outputs import outputs
from kitbox.writers.shape import Shape

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd

Threshold = Annotated[float, Field(allow_inf_nan=False)]

_BLOCK = 4096
"""Rows that are sorted at once, so that memory stays small."""


class Joined(Options):
    """A row per picture: its id, and the names or numbers of its labels in one cell.

    The labels are those whose value is above `threshold`, in the order of the
    predictions, or with `top` the best so many, best first (the first of equal
    ones). Where a picture has none above it, its best label is written
    (`at_least: 1`, as competitions refuse empty cells) or `empty`
    (`at_least: 0`, which `empty` implies).

    `labels` says what is written: `names`, or `numbers`, the place of each in
    `classes`, or in the names sorted (whole numbers by size), from 0. `auto` reads
    it from the sample: numbers where its cells hold nothing but whole numbers and
    the names are not whole numbers themselves (or `classes` is given), else names.
    What stands between them is read from the sample too.
    """

    threshold: Threshold | dict[str, Threshold] | None = Field(
        None,
        description="labels above it are written: a number, or one per label; by default 0.5",
    )
    top: int | None = Field(None, ge=1, description="write the best so many labels, in order")
    separator: str | None = Field(
        None,
        min_length=1,
        description="what stands between labels; by default as in the sample, else a space",
    )
    labels: Literal["auto", "names", "numbers"] = Field(
        "auto", description="what stands for a label"
    )
    at_least: Literal[0, 1] | None = Field(
        None, description="labels to write at least; by default 1, or 0 with `empty`"
    )
    empty: str | None = Field(None, description="what no label is; by default a blank cell")
    classes: list[str] | None = Field(
        None, min_length=1, description="the order of the labels for their numbers"
    )
    key: str = Field("id", min_length=1, description="name of the key column without a sample")
    column: str = Field(
        "labels", min_length=1, description="name of the label column without a sample"
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        mistakes = []
        if self.top is not None:
            mistakes += [
                Mistake((name,), "goes not together with `top`")
                for name in ("threshold", "at_least", "empty")
                if getattr(self, name) is not None
            ]
        if self.empty is not None and self.at_least == 1:
            mistakes.append(Mistake(("empty",), "has no meaning with at_least: 1"))
        if self.classes is not None and len(set(self.classes)) < len(self.classes):
            mistakes.append(Mistake(("classes",), "names a label twice"))
        if self.classes is not None and self.labels == "names":
            mistakes.append(Mistake(("classes",), "has no meaning with labels: names"))
        if self.key == self.column:
            mistakes.append(Mistake(("column",), "has the name of the key column"))
        if mistakes:
            raise Mistakes(mistakes)
        return self

    def ids(self, sample: pd.DataFrame, folder: Path) -> list[str]:
        """See `kitbox.contracts.Writer`: a row per picture."""
        return samples.ids(sample)

    def table(
        self, predictions: pd.DataFrame, sample: pd.DataFrame | None, folder: Path
    ) -> pd.DataFrame:
        """The submission (N rows, 2 columns) from predictions (`id`, K numbers).

        Raises:
            SubmissionError: when options do not fit the predictions or the sample, a
                name holds the separator, or rows do not fit the sample.
        """
        import pandas as pd

        ids, values = outputs(predictions)
        names = [str(name) for name in values.columns]
        key, column = self.key, self.column
        if sample is not None:
            if len(sample.columns) != 2:
                raise SubmissionError(
                    "The sample submission has not the shape that joined writes, a key and one "
                    "cell of labels",
                    found=f"the columns {some(sample.columns, 10)}",
                    do="`use: wide` writes a number per output",
                )
            key, column = (str(name) for name in sample.columns)
        words, separator = self._words(names, sample)
        numbers = values.to_numpy()
        if self.top is None:
            written = self._above(numbers, names, words, separator)
        else:
            written = self._best(numbers, words, separator, self.top)
        made = pd.DataFrame({key: ids, column: pd.Series(written, dtype=object)})
        blank = frozenset({column} if "" in written and self._at_least() == 0 else ())
        return samples.check(made, sample, shape=Shape(blank=blank))

    def remark(self, predictions: pd.DataFrame, sample: pd.DataFrame, folder: Path) -> list[str]:
        """See `kitbox.contracts.Remarks`: words of the sample that are no label."""
        names = [str(name) for name in predictions.columns if name != "id"]
        known, separator = self._words(names, sample)
        given = [cell for cell in sample.iloc[:, 1].fillna("") if cell != self.empty]
        words = separators.words(given, separator)
        return strangers(words, known, "sample submission", "labels that are learned")

    def _above(
        self, numbers: np.ndarray, names: Sequence[str], words: Sequence[str], separator: str
    ) -> list[str]:
        """The cells (N,) for the values (N, K) above their thresholds."""
        import numpy as np

        above = numbers > np.array(self._thresholds(names))
        if self._at_least():
            without = np.flatnonzero(~above.any(axis=1))
            above[without, numbers[without].argmax(axis=1)] = True
        rows, places = np.nonzero(above)
        parts = np.split(places, np.searchsorted(rows, np.arange(1, len(numbers))))
        return [
            separator.join([words[place] for place in part.tolist()])
            if len(part)
            else self.empty or ""
            for part in parts[: len(numbers)]
        ]

    def _best(
        self, numbers: np.ndarray, words: Sequence[str], separator: str, top: int
    ) -> list[str]:
        """The cells (N,) for the `top` greatest of the values (N, K)."""
        written = []
        for begin in range(0, len(numbers), _BLOCK):
            best = (-numbers[begin : begin + _BLOCK]).argsort(axis=1, kind="stable")[:, :top]
            written += [separator.join([words[p] for p in row]) for row in best.tolist()]
        return written

    def _at_least(self) -> int:
        if self.at_least is None:
            return 1 if self.empty is None else 0
        return self.at_least

    def _thresholds(self, names: Sequence[str]) -> list[float]:
        """The threshold of every label (K,)."""
        if not isinstance(self.threshold, dict):
            return [0.5 if self.threshold is None else self.threshold] * len(names)
        if strange := [name for name in self.threshold if name not in names]:
            raise SubmissionError(
                f"The writer's `threshold` names labels that are not predicted: {some(strange)}",
                do=nearest(strange[0], names) or f"There are {some(names)}",
            )
        if missing := [name for name in names if name not in self.threshold]:
            raise SubmissionError(
                f"The writer's `threshold` lacks labels of the predictions: {some(missing)}",
                do="Give one for every label, or a single number for all",
            )
        return [self.threshold[name] for name in names]

    def _words(self, names: Sequence[str], sample: pd.DataFrame | None) -> tuple[list[str], str]:
        """What stands for each label in the file, and what between them."""
        given = [] if sample is None else [str(cell) for cell in sample.iloc[:, 1].fillna("")]
        separator = self._separator(given, names)
        if self._are_numbers(names, given, separator):
            order = in_order(names) if self.classes is None else self.classes
            if strange := [name for name in names if name not in order]:
                raise SubmissionError(
                    f"The writer's `classes` lack labels of the predictions: {some(strange)}",
                    do=nearest(strange[0], order) or "List every label, in the competition's order",
                )
            words = [str(order.index(name)) for name in names]
        else:
            words = list(names)
        if unfit := [word for word in words if separator in word or not word.strip()]:
            raise SubmissionError(
                f"Labels hold what stands between labels, {separator!r}",
                found=some(map(repr, unfit)),
                do="Give the writer another `separator`, or `labels: numbers`; one label a "
                "picture is written by `use: scalar`",
            )
        return words, separator

    def _separator(self, given: Sequence[str], names: Sequence[str]) -> str:
        """What stands between labels: as the options say, else as the sample has it."""
        known = {*names, *(self.classes or ())}
        if self.separator is None:
            return separators.find(given, known) or " "
        found = separators.find(given, known, sure=True)
        if found is not None and not any(self.separator in cell for cell in given):
            raise SubmissionError(
                f"The sample submission has {found!r} between labels, the writer's `separator` is "
                f"{self.separator!r}",
                found=some(map(repr, (cell for cell in given if found in cell)), 3),
                do="Leave `separator` out: it is read from the sample",
            )
        return self.separator

    def _are_numbers(self, names: Sequence[str], given: Sequence[str], separator: str) -> bool:
        if self.labels != "auto":
            return self.labels == "numbers"
        if self.classes is not None:
            return True
        written = separators.words(given, separator)
        if cells.judge(written) != "whole" or all(map(is_whole, names)):
            return False
        if strange := sorted(
            (word for word in written if not 0 <= int(word) < len(names)), key=int
        ):
            raise SubmissionError(
                f"The sample submission has numbers that are none of the {len(names)} labels, "
                f"counted from 0: {some(strange)}",
                do="Name all of the competition's labels in its order in the writer's `classes`, "
                "or set `labels` to names or numbers",
            )
        return True
