"""Lookup: a row for a picture's feature, as a table in the source's folder names it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from kitbox.bounds import Bounds, clipped
from kitbox.errors import SubmissionError, counted, nearest, some
from kitbox.options import Options
from kitbox.writers import sample as samples
from kitbox.writers.faults import alike, doubled
from kitbox.writers.outputs import Decimals, idle, outputs

if TYPE_CHECKING:
    import pandas as pd


class Lookup(Options):
    """A row per picture and feature: its row id, and one number.

    A table in the source's folder (`IdLookupTable.csv`) says which picture and
    which feature a row id stands for; other columns of it do not matter. Its columns
    are told by their names: the row id's is that of the sample's key, or has 'row' in
    it, the picture's 'image', 'picture', 'photo' or 'file', the feature's 'feature',
    'point', 'landmark', 'target', 'column' or 'name'; one of three that is left is the
    one that is missing. `row`, `picture` and `feature` say otherwise.

    A feature is the prediction column of the same name, else the only one whose
    name differs in case, spaces, underscores and hyphens alone. A picture is the
    prediction of the same id; where a file ending is on one side only it does not
    count. Predictions that no row asks for are left out, which `check` and `run` say.
    Rows of the sample that the table does not know are refused, unless `other` is a value for them.

    The numbers are clipped, then rounded.
    """

    lookup: str = Field(
        "IdLookupTable.csv", min_length=1, description="the table, below the source's folder"
    )
    row: str | None = Field(None, description="its column of row ids")
    picture: str | None = Field(None, description="its column of pictures")
    feature: str | None = Field(None, description="its column of features")
    clip: Bounds | None = Field(None, description="the least and the greatest number")
    decimals: Decimals | None = Field(None, description="decimal places to round to")
    other: float | None = Field(
        None, allow_inf_nan=False, description="value of rows that the table does not know"
    )
    column: str = Field("Location", min_length=1, description="name of the value without a sample")

    def ids(self, sample: pd.DataFrame, folder: Path) -> list[str]:
        """See `kitbox.contracts.Writer`: the pictures as the lookup table names them."""
        pictures, _ = self._asked(self._read(folder, sample), sample)
        return list(dict.fromkeys(one for one in pictures if one is not None))

    def table(
        self, predictions: pd.DataFrame, sample: pd.DataFrame | None, folder: Path
    ) -> pd.DataFrame:
        """The submission (a row per row id, 2 columns) from predictions (`id`, K numbers).

        Raises:
            SubmissionError: when the lookup table cannot be read, its columns cannot
                be told, or it asks for pictures or features that are not predicted.
        """
        import numpy as np
        import pandas as pd

        ids, values = outputs(predictions)
        if sample is not None and len(sample.columns) != 2:
            raise SubmissionError(
                "The sample submission has not the shape that lookup writes, a row id and one "
                "value",
                found=f"the columns {some(sample.columns, 10)}",
                do="`use: wide` writes a number per output",
            )
        known = self._read(folder, sample)
        key, column = (known.columns[0], self.column) if sample is None else sample.columns
        rows = known.iloc[:, 0] if sample is None or not len(sample) else sample.iloc[:, 0]
        pictures, features = self._asked(known, sample)
        there = np.array([one is not None for one in pictures], dtype=bool)
        place = _places(list(dict.fromkeys(one for one in pictures if one is not None)), ids)
        column_of = _columns(
            list(dict.fromkeys(one for one in features if one is not None)), list(values.columns)
        )
        numbers = np.full(len(pictures), np.nan if self.other is None else self.other)
        numbers[there] = clipped(
            values.to_numpy()[
                [place[one] for one in pictures if one is not None],
                [column_of[one] for one in features if one is not None],
            ],
            self.clip,
        )
        if self.decimals is not None:
            numbers = numbers.round(self.decimals)
        made = pd.DataFrame({str(key): rows.to_numpy(), str(column): numbers})
        return samples.check(made, sample)

    def remark(self, predictions: pd.DataFrame, sample: pd.DataFrame, folder: Path) -> list[str]:
        """See `kitbox.contracts.Remarks`: predictions that no row asks for."""
        names = [str(name) for name in predictions.columns if name != "id"]
        _, features = self._asked(self._read(folder, sample), sample)
        wanted = list(dict.fromkeys(one for one in features if one is not None))
        return idle(names, [names[place] for place in _columns(wanted, names).values()])

    def _read(self, folder: Path, sample: pd.DataFrame | None) -> pd.DataFrame:
        """The lookup table: row id, picture and feature, in this order, all str."""
        path = Path(folder) / self.lookup
        found = samples.read(path, "The lookup table")
        columns = self._columns(path, [str(name) for name in found.columns], sample)
        table = found[columns]
        if twice := doubled(table.iloc[:, 0]):
            raise SubmissionError(
                f"The lookup table {path} has {counted(len(twice), 'row id')} more than once",
                found=some(twice),
                do="Name its columns in the writer's `row`, `picture` and `feature`",
            )
        return table

    def _columns(self, path: Path, names: list[str], sample: pd.DataFrame | None) -> list[str]:
        """Which columns hold row id, picture and feature."""
        found: dict[str, str] = {}
        for role in ("row", "picture", "feature"):
            given = getattr(self, role)
            if given is not None and given not in names:
                raise SubmissionError(
                    f"The lookup table {path} has no column '{given}', which `{role}` names",
                    do=nearest(given, names),
                )
            if given is not None:
                found[role] = given
        key = _plain(samples.key(sample)) if sample is not None else "rowid"
        left = [name for name in names if name not in found.values()]
        for role in ("row", "picture", "feature"):
            if role not in found and (name := _fitting(role, left, key)):
                found[role] = name
                left.remove(name)
        open_roles = [role for role in ("row", "picture", "feature") if role not in found]
        if len(left) == len(open_roles) == 1:
            found[open_roles[0]] = left[0]
        if missing := [role for role in ("row", "picture", "feature") if role not in found]:
            raise SubmissionError(
                f"It cannot be told which column of the lookup table {path} holds the {missing[0]}",
                found=f"the columns {some(names, 10)}",
                do="Name them in the writer's `row`, `picture` and `feature`",
            )
        chosen = [found[role] for role in ("row", "picture", "feature")]
        if len(set(chosen)) < 3:
            raise SubmissionError(
                "The writer's `row`, `picture` and `feature` name a column twice",
                found=some(chosen),
            )
        return chosen

    def _asked(
        self, known: pd.DataFrame, sample: pd.DataFrame | None
    ) -> tuple[list[str | None], list[str | None]]:
        """Picture and feature of every row of the sample, None where the table lacks it."""
        row, picture, feature = (known.iloc[:, place].tolist() for place in range(3))
        if sample is None or not len(sample):
            return picture, feature
        place = {one: place for place, one in enumerate(row)}
        places = [place.get(one) for one in sample.iloc[:, 0]]
        if self.other is None and None in places:
            missing = [one for one in sample.iloc[:, 0] if one not in place]
            raise SubmissionError(
                f"The lookup table {self.lookup} lacks {counted(len(missing), 'row id')} of the "
                "sample submission",
                found=f"{some(missing)}, where the table has such as {some(row, 3)}",
                do="Name its column of row ids in the writer's `row`, or give the writer `other`, "
                "a value for such rows",
            )
        return (
            [None if place is None else picture[place] for place in places],
            [None if place is None else feature[place] for place in places],
        )


_WORDS = {
    "row": ("row",),
    "picture": ("image", "picture", "photo", "img", "file"),
    "feature": ("feature", "point", "landmark", "target", "column", "name"),
}


def _fitting(role: str, names: Sequence[str], key: str) -> str | None:
    """The column whose name fits the role best; the row id's has the name of the sample's key."""
    same = [name for name in names if role == "row" and _plain(name) == key]
    like = [name for word in _WORDS[role] for name in names if word in _plain(name)]
    return next(iter(same + like), None)


def _plain(name: str) -> str:
    return alike(name).replace("_", "")


def _places(wanted: Sequence[str], ids: Sequence[str]) -> Mapping[str, int]:
    """The row of every wanted picture among the predictions."""
    exact = {one: place for place, one in enumerate(ids)}
    bare: dict[str, list[int]] = {}
    for place, one in enumerate(ids):
        bare.setdefault(os.path.splitext(one)[0], []).append(place)
    found = {}
    for one in wanted:
        stem, ending = os.path.splitext(one)
        # Either side may lack the ending; with two different ones they are two pictures.
        close = [exact[stem]] if ending and stem in exact else [] if ending else bare.get(one, [])
        if one in exact:
            found[one] = exact[one]
        elif len(close) == 1:
            found[one] = close[0]
    if missing := [one for one in wanted if one not in found]:
        raise SubmissionError(
            f"The lookup table asks for {counted(len(missing), 'picture')} without a prediction",
            found=f"{some(missing)}, where predictions are of {some(ids, 3)}",
            do="Name its column of pictures in the writer's `picture`, or predict them",
        )
    return found


def _columns(wanted: Sequence[str], names: Sequence[str]) -> Mapping[str, int]:
    """The prediction column of every wanted feature."""
    exact = {name: place for place, name in enumerate(names)}
    by_form: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        by_form.setdefault(alike(name), []).append(place)
    found = {}
    for one in wanted:
        close = by_form.get(alike(one), [])
        if one in exact:
            found[one] = exact[one]
        elif len(close) == 1:
            found[one] = close[0]
    if missing := [one for one in wanted if one not in found]:
        raise SubmissionError(
            f"The lookup table asks for {counted(len(missing), 'feature')} that "
            f"{'is' if len(missing) == 1 else 'are'} not predicted",
            found=f"{some(missing)}, where there are {some(names)}",
            do=f"{nearest(missing[0], names)} Name its column of features in the writer's "
            "`feature`".strip(),
        )
    return found
