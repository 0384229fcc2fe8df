"""Scalar: the id, and one value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from kitbox import cells
from kitbox.bounds import Bounds, clipped
from kitbox.classes import in_order, is_whole
from kitbox.errors import SubmissionError, nearest, some
from kitbox.options import Mistake, Mistakes, Options
from kitbox.writers import sample as samples
from kitbox.writers.faults import alike
from kitbox.writers.outputs import Decimals, outputs

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd

Kind = Literal["probability", "number", "class", "index"]


class Scalar(Options):
    """A row per picture: its id and one value.

    `kind` says what the value is:

    - `number`: the only prediction column, as it is.
    - `probability`: that of the class `positive`. Without `positive` a single
      column is taken, and of two the one that plainly says yes ('1' beside '0',
      'yes', 'true', 'positive', 'pos', 'cactus' beside 'no_cactus').
    - `class`: the name of the highest column, a whole number where all names are
      whole numbers.
    - `index`: the place of the highest column, from 0, in `classes`, or in the
      class names sorted (whole numbers by size).

    `auto` decides, and asks where it cannot be told. The first that fits counts:

    1. one prediction column: `number` (`probability` when `positive` names it).
    2. `classes` is given: `index`; `positive` or `threshold` is: `probability`.
    3. no sample: `class`, since nobody judges the file.
    4. the sample has no cells: it cannot be told, unless there are three or more
       classes and all are whole numbers: `class`.
    5. the sample's cells are text: `class`, if all of them are class names (with
       the same spelling); else it cannot be told.
    6. two classes, and the cells are all the same, a number from 0 to 1 ('0.5',
       '0'), or are decimals from 0 to 1: `probability`, also where the classes
       are called 0 and 1. Competitions with two classes and one column want
       P(positive) as a rule, also with '0' in the sample's rows; where they want
       0 or 1 Kaggle says so, while classes in place of probabilities would just
       score badly. Classes called 1 and 2, say, are an exception when the cells
       are class names: `class`.
    7. three or more classes, all of them whole numbers, and whole numbers in the
       cells: `class`.
    8. else it cannot be told: two classes and both 0 and 1 in the cells, class
       names where whole numbers are wanted, or many classes where a decimal is.

    Numbers are clipped, then compared with `threshold` (1 from it up, else 0) or
    rounded (halves to the even neighbour). The highest of equal columns is the first.
    """

    kind: Literal["auto", "probability", "number", "class", "index"] = Field(
        "auto", description="what the value is"
    )
    positive: str | None = Field(None, description="the class that `probability` is of")
    round: bool = Field(False, description="round to whole numbers")
    clip: Bounds | None = Field(None, description="the least and the greatest number")
    threshold: Annotated[float, Field(allow_inf_nan=False)] | None = Field(
        None, description="write 1 from this number up, else 0"
    )
    decimals: Decimals | None = Field(None, description="decimal places to round to")
    key: str = Field("id", min_length=1, description="name of the key column without a sample")
    column: str = Field("label", min_length=1, description="name of the value without a sample")
    classes: list[str] | None = Field(None, description="the order of the classes for `index`")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        mistakes = []
        if self.kind != "auto":
            mistakes += [
                Mistake((name,), f"has no meaning with kind: {self.kind}")
                for name in self._idle(self.kind)
            ]
        finish = [name for name in ("round", "threshold", "decimals") if self._is_given(name)]
        if len(finish) > 1:
            mistakes.append(Mistake((finish[1],), f"goes not together with `{finish[0]}`"))
        if self.classes is not None and len(set(self.classes)) < len(self.classes):
            mistakes.append(Mistake(("classes",), "names a class twice"))
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
            SubmissionError: when it cannot be told what the value is, options do
                not fit the predictions, or rows and values do not fit the sample.
        """
        import pandas as pd

        ids, values = outputs(predictions)
        names = [str(name) for name in values.columns]
        key, column = self.key, self.column
        if sample is not None:
            if len(sample.columns) != 2:
                raise SubmissionError(
                    "The sample submission has not the shape that scalar writes, a key and one "
                    "value",
                    found=f"the columns {some(sample.columns, 10)}",
                    do="`use: wide` writes a number per output",
                )
            key, column = (str(name) for name in sample.columns)
        kind = self._decide(names, sample)
        if idle := self._idle(kind):
            raise SubmissionError(
                f"The writer's options {some(f'`{name}`' for name in idle)} have no meaning for "
                f"this submission, whose value is taken to be of kind {kind}",
                do="Leave them out, or name the `kind`",
            )
        if kind in ("class", "index"):
            value = self._best(values, kind)
        else:
            value = self._finished(self._number(values, kind, ids))
        return samples.check(pd.DataFrame({key: ids, column: value}), sample)

    def _decide(self, names: Sequence[str], sample: pd.DataFrame | None) -> Kind:
        """The kind, as the docstring of the class lists the rules."""
        if self.kind != "auto":
            return self.kind
        if len(names) == 1:
            return "number" if self.positive is None else "probability"
        if self.classes is not None:
            return "index"
        if self.positive is not None or self.threshold is not None:
            return "probability"
        if sample is None:
            return "class"
        found = cells.filled(sample.iloc[:, 1])
        guess = _guess(found, names)
        if guess is None:
            seen = f"{some(sorted(found), 3)}" if found else "no values"
            raise SubmissionError(
                "It cannot be told which value the competition wants",
                found=f"{seen} in the sample's column '{sample.columns[1]}', and the classes "
                f"{some(names, 10)}",
                do="Give the writer `kind: class` (the class names as they are), `kind: index` "
                "(their place in `classes`, or in sorted order) or `kind: probability` (with "
                "`positive`, the class)",
            )
        return guess

    def _number(self, values: pd.DataFrame, kind: Kind, ids: Sequence[str]) -> np.ndarray:
        """The column of the number or probability (N,), clipped."""
        names = [str(name) for name in values.columns]
        if kind == "number":
            if len(names) != 1:
                raise SubmissionError(
                    "kind: number writes the only prediction column",
                    found=f"{len(names)}, {some(names, 10)}",
                    do="Use `kind: class`, `index` or `probability`, or the writer `wide`",
                )
            return clipped(values.iloc[:, 0].to_numpy(), self.clip)
        number = clipped(values[self._positive(names)].to_numpy(), self.clip)
        # A sum of float32 may end a hair above 1.
        unfit = (number < -1e-5) | (number > 1 + 1e-5)
        if unfit.any():
            raise SubmissionError(
                "kind: probability wants numbers from 0 to 1",
                found=some(
                    f"{number[row]:.4g} for {ids[row]}" for row in unfit.nonzero()[0].tolist()
                ),
                do="Use `kind: number`, or `clip: [0, 1]`",
            )
        return number.clip(0, 1)

    def _positive(self, names: Sequence[str]) -> str:
        if self.positive is not None:
            if self.positive in names:
                return self.positive
            raise SubmissionError(
                f"There is no prediction column '{self.positive}' for the writer's `positive`",
                do=nearest(self.positive, names) or f"There are {some(names)}",
            )
        yes = names[0] if len(names) == 1 else _yes(names)
        if yes is None:
            raise SubmissionError(
                "It cannot be told which class the probability is of",
                found=f"the classes {some(names, 10)}",
                do="Name it in the writer's `positive`, e.g. "
                f"`positive: {names[-1]}`; or give `kind: index` for the place of the best class",
            )
        return yes

    def _best(self, values: pd.DataFrame, kind: Kind) -> np.ndarray:
        """The name or the place of the highest column (N,)."""
        import numpy as np

        names = [str(name) for name in values.columns]
        best = values.to_numpy().argmax(axis=1)
        if kind == "class":
            whole = all(map(is_whole, names))
            # Beyond 18 digits a number does not fit int64; its text is the same in the file.
            as_number = whole and max(map(len, names)) <= 18
            written: list[int] | list[str] = [int(n) for n in names] if as_number else names
            return np.array(written, dtype="int64" if as_number else object)[best]
        order = in_order(names) if self.classes is None else self.classes
        if strange := [name for name in names if name not in order]:
            raise SubmissionError(
                f"The writer's `classes` lack classes of the predictions: {some(strange)}",
                do=nearest(strange[0], order) or "List every class, in the competition's order",
            )
        return np.array([order.index(name) for name in names], dtype="int64")[best]

    def _finished(self, number: np.ndarray) -> np.ndarray:
        if self.threshold is not None:
            return (number >= self.threshold).astype("int64")
        if self.round:
            return number.round()
        return number if self.decimals is None else number.round(self.decimals)

    def _idle(self, kind: Kind) -> list[str]:
        """The options that were given and have no meaning for the kind."""
        return [
            name for name, kinds in _MEANING.items() if kind not in kinds and self._is_given(name)
        ]

    def _is_given(self, name: str) -> bool:
        value = getattr(self, name)
        return value is not None and value is not False


_MEANING: dict[str, tuple[Kind, ...]] = {
    "positive": ("probability",),
    "round": ("probability", "number"),
    "clip": ("probability", "number"),
    "threshold": ("probability", "number"),
    "decimals": ("probability", "number"),
    "classes": ("index",),
}


def _guess(found: set[str], names: Sequence[str]) -> Kind | None:
    """The kind for two or more classes and a sample's cells, or None (rules 4 to 8)."""
    want = cells.judge(found)
    whole = all(map(is_whole, names))
    two = len(names) == 2
    if want == "nothing":
        return "class" if whole and not two else None
    if want == "text":
        return "class" if found <= set(names) else None
    if two:
        named = found <= set(names) and not {*names} <= {"0", "1"}
        unit = all(0 <= float(cell) <= 1 for cell in found)
        if unit and not named and (want == "number" or len(found) == 1):
            return "probability"
        return "class" if named else None
    return "class" if want == "whole" and whole else None


_YES = {"yes", "true", "positive", "pos"}


def _yes(names: Sequence[str]) -> str | None:
    """The class that says yes, of two; None where neither or both do."""
    if len(names) != 2:
        return None
    forms = [alike(name) for name in names]
    sure = [
        name
        for name, form, other in zip(names, forms, reversed(forms), strict=True)
        if form in _YES
        or (form == "1" and other in ("0", "_1"))  # `alike` turns -1 into _1
        or other in {f"{no}_{form}" for no in ("no", "not", "non")}
    ]
    return sure[0] if len(sure) == 1 else None
