"""Run lengths: a mask in a cell, in every way that competitions have asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from kitbox.errors import SubmissionError, some
from kitbox.options import Mistake, Mistakes, Options
from kitbox.runs import Runs
from kitbox.writers import sample as samples
from kitbox.writers.classes import asked, chosen
from kitbox.writers.instances import instances
from kitbox.writers.layout import Layout
from kitbox.writers.outputs import idle, masks
from kitbox.writers.shape import TOKENS, Shape, is_pairs

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd


class Rle(Options):
    """Masks as run lengths: 'start length start length ...'.

    Predictions have the column `id` and a column of `kitbox.Runs` per class, of the
    original picture's size. `keys` says what names a row:

    - `plain`: the picture; a column per class, or one class in one column.
    - `instances`: the picture; a row for every connected piece of one class, and one
      row with the `empty` token for a picture without any.
    - `joined`: picture and class in one cell, `0001_sign_symbol` or `a.jpg_3`.
    - `columns`: picture and class in two columns.

    `auto` reads it from the sample: `columns` where it has three columns and the
    second holds names or numbers of classes; of two columns `instances` where ids
    repeat, `joined` where the key column's name has a part for the class
    (`ImageId_ClassId`) and the keys are all pictures with all classes, or where
    every key ends in a predicted class; else `plain`. A sample with unique ids
    does not tell that a competition wants a row per instance.

    Classes that the sample does not ask for (void, background) are left out; `check`
    and `run` name those that `classes` does not leave out already. Numbers
    in place of names count the prediction columns; `classes` says otherwise. In a
    joined key the shortest ending that makes all keys pictures with the same classes
    is the class, unless `classes` or the predictions know it.
    """

    keys: Literal["auto", "plain", "instances", "joined", "columns"] = Field(
        "auto", description="what names a row"
    )
    order: Literal["columns", "rows"] = Field(
        "columns", description="whether positions count down the columns or along the rows"
    )
    base: Literal[0, 1] | None = Field(
        None, description="position of the first pixel; by default 1, or 0 with `relative`"
    )
    relative: bool = Field(False, description="starts count from the end of the run before")
    empty: str | None = Field(
        None, description="what an empty mask is; by default the sample's '-' or '-1', else blank"
    )
    classes: list[str] | dict[str, str] | None = Field(
        None,
        min_length=1,
        description="prediction columns to write, or the name in the file: prediction column",
    )
    separator: str | None = Field(
        None, min_length=1, description="what stands between picture and class in a joined key"
    )
    min_pixels: int = Field(0, ge=0, description="smaller masks (or instances) are left out")
    connectivity: Literal[4, 8] = Field(8, description="whether instances may touch at corners (8)")
    key: str = Field("id", min_length=1, description="name of the key column without a sample")
    column: str = Field("rle", min_length=1, description="name of the run lengths without a sample")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        mistakes = []
        if self.separator is not None and self.keys not in ("auto", "joined"):
            mistakes.append(Mistake(("separator",), f"has no meaning with keys: {self.keys}"))
        if self.connectivity != 8 and self.keys not in ("auto", "instances"):
            mistakes.append(Mistake(("connectivity",), f"has no meaning with keys: {self.keys}"))
        if isinstance(self.classes, list) and len(set(self.classes)) < len(self.classes):
            mistakes.append(Mistake(("classes",), "names a class twice"))
        if self.empty and is_pairs(self.empty):
            mistakes.append(Mistake(("empty",), "reads as run lengths itself"))
        if self.key == self.column:
            mistakes.append(Mistake(("column",), "has the name of the key column"))
        if mistakes:
            raise Mistakes(mistakes)
        return self

    def ids(self, sample: pd.DataFrame, folder: Path) -> list[str]:
        """See `kitbox.contracts.Writer`; several rows may be of the same picture."""
        return Layout(self.keys, self.classes, self.separator).pictures(sample)

    def table(
        self, predictions: pd.DataFrame, sample: pd.DataFrame | None, folder: Path
    ) -> pd.DataFrame:
        """The submission from predictions (`id` and a column of Runs per class).

        Raises:
            SubmissionError: when predictions are no masks, it cannot be told which class
                goes where, or rows do not fit the sample.
        """
        ids, found = masks(predictions)
        mode = self._layout(ids, found).mode(sample)
        write = {
            "plain": self._plain,
            "instances": self._instances,
            "joined": self._joined,
            "columns": self._columns,
        }[mode]
        made = write(ids, found, sample)
        count = 2 if mode == "columns" else 1
        shape = Shape(
            keys=count,
            repeats=mode == "instances",
            blank=frozenset(map(str, made.columns[count:])),
        )
        return samples.check(made, sample, shape=shape)

    def remark(self, predictions: pd.DataFrame, sample: pd.DataFrame, folder: Path) -> list[str]:
        """See `kitbox.contracts.Remarks`: classes that the sample does not ask for."""
        ids, found = masks(predictions)
        layout, names = self._layout(ids, found), list(found)
        mode = layout.mode(sample)
        if mode in ("plain", "instances"):
            used = self._values(names, sample)
        elif not len(sample):
            return []
        else:
            wanted = layout.parted(sample).classes if mode == "joined" else sample.iloc[:, 1]
            used = asked(map(str, wanted), self.classes, names)
        return idle(chosen(self.classes, names).values(), used.values())

    def _plain(
        self, ids: list[str], found: Mapping[str, list[Runs]], sample: pd.DataFrame | None
    ) -> pd.DataFrame:
        key, write = self._key(sample), self._writing(sample)
        columns = self._values(list(found), sample)
        return _frame({key: ids} | {name: [*map(write, found[of])] for name, of in columns.items()})

    def _instances(
        self, ids: list[str], found: Mapping[str, list[Runs]], sample: pd.DataFrame | None
    ) -> pd.DataFrame:
        key, write = self._key(sample), self._writing(sample)
        columns = self._values(list(found), sample)
        if len(columns) != 1:
            raise SubmissionError(
                "A row per instance holds one class",
                found=f"columns for {some(columns)}",
                do="Name the class in the writer's `classes`, or give it `keys: plain`",
            )
        ((name, of),) = columns.items()
        rows = [
            (one, write(piece))
            for one, runs in zip(ids, found[of], strict=True)
            for piece in self._pieces(runs)
        ]
        return _frame({key: [row[0] for row in rows], name: [row[1] for row in rows]})

    def _joined(
        self, ids: list[str], found: Mapping[str, list[Runs]], sample: pd.DataFrame | None
    ) -> pd.DataFrame:
        separator, pairs = self.separator or "_", None
        if sample is not None and len(sample):
            parted = self._layout(ids, found).parted(sample)
            separator, pairs = (
                parted.separator,
                [*zip(parted.pictures, parted.classes, strict=True)],
            )
        rows = self._rows(ids, found, sample, pairs)
        key, (column,) = self._key(sample, "id_class"), self._headers(sample, 1)
        joined = [f"{one}{separator}{name}" for one, name, _ in rows]
        return _frame({key: joined, column: [text for _, _, text in rows]})

    def _columns(
        self, ids: list[str], found: Mapping[str, list[Runs]], sample: pd.DataFrame | None
    ) -> pd.DataFrame:
        pairs = None
        if sample is not None:
            if len(sample.columns) != 3:
                raise SubmissionError(
                    "The sample submission has not the shape of keys: columns, which is a "
                    "picture, a class and run lengths",
                    found=f"the columns {some(sample.columns, 10)}",
                    do="Give the writer other `keys`",
                )
            if len(sample):
                pairs = [*zip(sample.iloc[:, 0], sample.iloc[:, 1], strict=True)]
        rows = self._rows(ids, found, sample, pairs)
        key, (named, column) = self._key(sample), self._headers(sample, 2)
        names = (key, named, column)
        return _frame({name: [row[n] for row in rows] for n, name in enumerate(names)})

    def _rows(
        self,
        ids: list[str],
        found: Mapping[str, list[Runs]],
        sample: pd.DataFrame | None,
        pairs: Sequence[tuple[str, str]] | None,
    ) -> list[tuple[str, str, str]]:
        """A row (picture, class in the file, cell) for each that is asked for.

        Pictures that nobody asks for have a row per class, so that the check names them.
        """
        write, names = self._writing(sample), list(found)
        place = {one: place for place, one in enumerate(ids)}
        if pairs is None:
            columns = chosen(self.classes, names)
            pairs = [(one, name) for one in ids for name in columns]
        else:
            columns = asked([name for _, name in pairs], self.classes, names)
            there = {one for one, _ in pairs}
            pairs = [pair for pair in pairs if pair[0] in place]
            pairs += [(one, name) for one in ids if one not in there for name in columns]
        return [(one, name, write(found[columns[name]][place[one]])) for one, name in pairs]

    def _values(self, names: list[str], sample: pd.DataFrame | None) -> dict[str, str]:
        """The columns of run lengths, and the prediction column of each."""
        known = chosen(self.classes, names)
        if sample is None:
            columns = known if len(known) > 1 else {self.column: next(iter(known.values()))}
            if self.key in columns:
                raise SubmissionError(f"The key column '{self.key}' has the name of a class")
            return columns
        header = [str(name) for name in sample.columns[1:]]
        if len(header) == 1 and (len(known) == 1 or header[0] not in known):
            if len(known) > 1:
                raise SubmissionError(
                    "The sample submission has one column of run lengths, and there are several "
                    "classes",
                    found=f"the column '{header[0]}' and predictions of {some(known, 10)}",
                    do="Name the class in the writer's `classes`, e.g. "
                    f"`classes: [{next(reversed(known))}]`; or give it other `keys`",
                )
            return {header[0]: next(iter(known.values()))}
        return asked(header, self.classes, names)

    def _layout(self, ids: Sequence[str], found: Mapping[str, list[Runs]]) -> Layout:
        return Layout(self.keys, self.classes, self.separator, tuple(ids), tuple(found))

    def _pieces(self, runs: Runs) -> Iterator[Runs | None]:
        """The instances of a mask, None if there are none that are large enough."""
        pieces = instances(runs, self.connectivity)
        large = [piece for piece in pieces if piece.area >= self.min_pixels]
        yield from large or (None,)

    def _writing(self, sample: pd.DataFrame | None) -> Callable[[Runs | None], str]:
        """How a mask is written; None is an empty one."""
        token = self._token(sample)
        base: Literal[0, 1] = (0 if self.relative else 1) if self.base is None else self.base

        # A rehearsal gives one mask to thousands of pictures. Masks are kept, so that no other
        # takes their id.
        written: dict[int, tuple[Runs, str]] = {}

        def write(runs: Runs | None) -> str:
            if runs is None or runs.area < max(1, self.min_pixels):
                return token
            if id(runs) not in written:
                written[id(runs)] = runs, runs.encode(self.order, base, self.relative)
            return written[id(runs)][1]

        return write

    def _token(self, sample: pd.DataFrame | None) -> str:
        """What an empty mask is."""
        if self.empty is not None:
            return self.empty
        written = set() if sample is None else {*map(str.strip, sample.iloc[:, -1])}
        tokens = [token for token in TOKENS if token in written]
        return tokens[0] if len(tokens) == 1 and "" not in written else ""

    def _key(self, sample: pd.DataFrame | None, default: str = "id") -> str:
        if sample is not None:
            return samples.key(sample)
        return default if self.key == "id" else self.key

    def _headers(self, sample: pd.DataFrame | None, count: int) -> list[str]:
        """The names of the columns after the key."""
        if sample is None:
            return ["class", self.column][-count:]
        header = [str(name) for name in sample.columns[1:]]
        if len(header) != count:
            raise SubmissionError(
                f"The sample submission has not the shape that is written, {count + 1} columns",
                found=f"the columns {some(sample.columns, 10)}",
                do="Give the writer other `keys`",
            )
        return header


def _frame(columns: dict[str, list[str]]) -> pd.DataFrame:
    """A table of text, also where it has no rows."""
    import pandas as pd

    return pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})
