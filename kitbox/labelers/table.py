"""A csv file with a row per picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from kitbox.contracts import Labels
from kitbox.data.files import Below, contents, files, inside
from kitbox.data.matching import Match
from kitbox.errors import LabelError, counted, some
from kitbox.labelers import guess
from kitbox.labelers.csvs import Csv, open_listed
from kitbox.labelers.places import find, meant
from kitbox.labelers.several import averaged, gathered, objects, parted
from kitbox.labelers.values import as_values, ranged, told
from kitbox.options import Options

if TYPE_CHECKING:
    import pandas as pd

Column = Annotated[str, Field(min_length=1)]
RANGED = 3
"""Columns whose range is told, at most."""
FIRST = 200
"""How many rows the guesses look at."""


class TableLabels(Options):
    """The labels are in a csv file; what is not set is guessed, and the guess is told.

    Attributes:
        csv: the file, below the source's folder.
        id: the column that names the picture.
        labels: the column of the labels, or several columns (numbers, say).
        delimiter: what stands between several labels in a cell, a space say.
        folder: where the pictures are, below the source's folder.
        suffix: what the column `id` lacks of the file's name, `.jpg` say ('': nothing).
        match: a regular expression, searched in each picture's path below the source's
            folder; its groups, joined by underscores, are the id, as in `^train/(.+)_green`.
        part: the column that says train or valid; rows that say test are dropped.
        gaps: whether cells of `labels` may be empty, where the task allows it.
        rows: what a row is: a picture, or one label of a picture ('labels'), which has as
            many rows as labels (an empty cell: none), or one measurement of it ('mean'): the
            mean of its rows' numbers is learned.
    """

    drafted_for: ClassVar[str] = "table"

    csv: Below | None = None
    id: Column | None = None
    labels: Column | Annotated[list[Column], Field(min_length=1)] | None = None
    delimiter: Annotated[str, Field(min_length=1)] | None = None
    folder: Below | None = None
    suffix: str | None = None
    match: Match | None = None
    part: Column | None = None
    gaps: bool = False
    rows: Literal["pictures", "labels", "mean"] = "pictures"

    @model_validator(mode="after")
    def _check_delimiter(self) -> Self:
        if self.match is not None and self.suffix is not None:
            raise ValueError("found `match` and `suffix`, expected one of them")
        if self.rows == "mean" and self.delimiter is not None:
            raise ValueError("found `delimiter` and `rows: mean`, expected one of them")
        if self.rows == "labels" and isinstance(self.labels, list) and len(self.labels) > 1:
            raise ValueError(
                "found `rows: labels` and several columns of `labels`, expected one column"
            )
        if self.delimiter is not None and isinstance(self.labels, list) and len(self.labels) > 1:
            raise ValueError(
                "found `delimiter` and several columns of `labels`, expected one column"
            )
        return self

    def _label_columns(self) -> list[str] | None:
        """The target columns that are set."""
        return [self.labels] if isinstance(self.labels, str) else self.labels

    def label(self, folder: Path) -> Labels:
        """One row a picture, with the columns of the csv file.

        `id` is the cell that names the picture. A column of single labels holds
        whole numbers, fractions, or texts where one is neither (`007` is a text);
        with `delimiter` or `rows: labels` it holds tuples of str. Of a picture with
        several rows the first has the other columns. Other columns called `id`,
        `image` or `part` get `csv_` in front.

        Raises:
            LabelError: when the file or a column is missing, an id is doubled,
                a label is empty, or none of the pictures is there.
        """
        import pandas as pd

        listed = files(folder)
        notes: list[str] = []
        file = self._open(folder, listed, notes)
        names = self._columns(file, listed, notes)
        table = file.read({names.id, *names.labels})
        if self.rows == "labels":
            table = gathered(table, names.id, names.labels[0], names.part, file)
        if self.rows == "mean":
            table = averaged(table, names.id, names.labels, names.part, file)
        table, parts = _without_test(table, names, file, notes)
        _check_ids(table, names, file)
        targets = self._targets(table, names, file)
        notes += _odd(targets, file)
        images = self._images(table[names.id].tolist(), folder, listed, notes)

        rows = table.drop(columns=[names.id, *names.labels])
        if names.part == "part":
            rows = rows.drop(columns="part")
        ours = {name: f"csv_{name}" for name in ("id", "image", "part")}
        rows, targets = rows.rename(columns=ours), targets.rename(columns=ours)
        first: dict[str, Any] = {"id": table[names.id].to_numpy(), "image": images}
        if parts is not None:
            first["part"] = parts
        # At once: columns added one by one leave pandas a slow table, of which it warns.
        columns = [pd.DataFrame(first, index=table.index), rows, targets]
        kept = pd.concat(columns, axis=1).reset_index(drop=True)
        told = (_told(targets), *notes)
        return Labels(kept, tuple(targets.columns), told, self.gaps, self._parted(names.part))

    def _parted(self, part: str | None) -> str:
        if part is None or self.part is not None:
            return ""
        return f"Guessed: the column '{part}' says train or valid (the splitter `auto` obeys)."

    def _open(self, folder: Path, listed: Sequence[str], notes: list[str]) -> Csv:
        if self.csv is None:
            name = guess.csv_file(listed)
            notes.append(f"Guessed: the labels are in {name}.")
        else:
            name = self.csv
        file = open_listed(folder, name, listed)
        if file.encoding == "latin-1":
            notes.append(f"Guessed: {name} is Latin-1, because it is not UTF-8.")
        return file

    def _columns(self, file: Csv, listed: Sequence[str], notes: list[str]) -> _Columns:
        set_ones = [self.id, *(self._label_columns() or []), self.part]
        file.check(set_ones)
        head = file.read(rows=FIRST)
        open_ones = [name for name in file.columns if name not in set_ones]
        identity = self.id
        if identity is None:
            if not open_ones:
                raise LabelError(
                    f"{file.path.name} has no column left that names the pictures",
                    found=f"columns {some(file.columns, most=20)}",
                    do="Set `id` of the labeler",
                )
            values = {name: head[name].dropna().tolist() for name in open_ones}
            identity = guess.id_column(values, listed)
            notes.append(f"Guessed: the column '{identity}' names the pictures.")
        part = self.part
        if part is None:
            others = [name for name in open_ones if name != identity]
            part = _part_column(others, head)
            if part is None and "part" in others:
                words = some(sorted({str(word) for word in head["part"].dropna()}), most=3)
                notes.append(
                    f"The column 'part' says other than train and valid ({words or 'nothing'}) and "
                    "is not used to split."
                )
        labels = self._label_columns()
        if labels is None:
            left = [name for name in open_ones if name not in (identity, part)]
            label = guess.label_column(left)
            if label is None:
                raise LabelError(
                    f"The column of the labels in {file.path.name} cannot be guessed",
                    found=f"columns {some(left, most=20)}" if left else "no column besides the id",
                    do="Set `labels` of the labeler to a column or a list of columns",
                )
            labels = [label]
            notes.append(f"Guessed: the column '{label}' has the labels.")
        if identity in labels:
            raise LabelError(
                f"The column '{identity}' cannot be both `id` and `labels`",
                found=f"columns {some(file.columns, most=20)}",
                do="Set another column",
            )
        return _Columns(identity, list(labels), part)

    def _targets(self, table: pd.DataFrame, names: _Columns, file: Csv) -> pd.DataFrame:
        """The target columns, checked."""
        targets = table[names.labels].copy()
        if self.delimiter is not None or self.rows == "labels":
            for name in names.labels:
                cells = [parted(cell, self.delimiter) for cell in targets[name]]
                targets[name] = objects(cells, targets)
            return targets
        for name in names.labels:
            targets[name] = as_values(targets[name])
        empty = targets.isna()
        if empty.to_numpy().any() and not self.gaps:
            rows = targets.index[empty.any(axis=1)]
            where = [name for name in names.labels if empty[name].any()]
            words = {str(cell) for name in where for cell in table.loc[empty[name], name].dropna()}
            raise LabelError(
                f"{counted(len(rows), 'row')} of {file.path.name} "
                f"{'has' if len(rows) == 1 else 'have'} no label in {some(where)}",
                found=f"{'line' if len(rows) == 1 else 'lines'} {some(file.lines(rows[:6])[:5])}"
                + (" and more" if len(rows) > 5 else "")
                + (f", cells {some(sorted(words))}" if words else ""),
                do="Fill or remove these rows; where a picture may have no label at all, set "
                "`delimiter`, or `gaps` for numbers that may be missing",
            )
        return targets

    def _images(
        self, ids: list[str], folder: Path, listed: Sequence[str], notes: list[str]
    ) -> list[str]:
        where = folder if self.folder is None else inside(folder, self.folder)
        found = find(ids, listed, self.folder, self.suffix, self.match)
        if found is None:
            raise LabelError(
                f"None of the {len(ids)} pictures that the csv file names is there",
                found=f"no {where / meant(ids[0], self.suffix)}; there are {contents(where)}",
                do="Set `folder` of the labeler to where the pictures are, `suffix` to what their "
                "names lack, `match` to where a path has the id, or `id` to the column that names "
                "them",
            )
        images, told = found
        notes += told
        return images


@dataclass(frozen=True)
class _Columns:
    id: str
    labels: list[str]
    part: str | None


def _part_column(open_ones: list[str], head: pd.DataFrame) -> str | None:
    """The column that says train or valid, if there is one."""
    for known in ("part", "split", "set", "subset", "is_valid"):
        for name in open_ones:
            if name.lower() == known:
                words = guess.parts(name, head[name])
                if words is not None and any(words):
                    return name
    return None


def _without_test(
    table: pd.DataFrame, names: _Columns, file: Csv, notes: list[str]
) -> tuple[pd.DataFrame, list[str | None] | None]:
    """The rows that are no test rows, and the part of each."""
    if names.part is None:
        return table, None
    parts = guess.parts(names.part, table[names.part])
    if parts is None:
        raise LabelError(
            f"The column '{names.part}' of {file.path.name} does not say train or valid",
            found=some(sorted({str(value) for value in table[names.part]})),
            do="Set `part` to another column, or use the splitter `column` or `group`",
        )
    if "valid" not in parts:
        notes.append(
            f"The column '{names.part}' calls no row valid: the splitter `auto` draws them itself."
        )
    stay = [part != "test" for part in parts]
    dropped = stay.count(False)
    if dropped:
        notes.append(f"Dropped {counted(dropped, 'row')} that '{names.part}' calls test.")
        table = table[stay].copy()
    return table, [part for part in parts if part != "test"]


def _odd(targets: pd.DataFrame, file: Csv) -> list[str]:
    """Sentences on cells that are no number, in columns where most are."""
    import pandas as pd

    notes = []
    for name in targets.columns:
        cells = targets[name]
        if cells.dtype.kind in "iuf" or cells.map(lambda cell: isinstance(cell, tuple)).any():
            continue
        known = cells.dropna()
        words = known[pd.to_numeric(known, errors="coerce").isna()]
        if 0 < 2 * len(words) < len(known):
            lines = file.lines(words.index[:5])
            told = some(
                f"{cell!r} in line {line}" for cell, line in zip(words[:5], lines, strict=True)
            ) + (" and more" if len(words) > 5 else "")
            notes.append(f"Most cells of the column '{name}' are numbers, but {told}.")
    return notes


def _check_ids(table: pd.DataFrame, names: _Columns, file: Csv) -> None:
    ids = table[names.id]
    if not len(ids):
        raise LabelError(f"{file.path.name} has no rows with labels")
    empty = table.index[ids.isna()]
    if len(empty):
        raise LabelError(
            f"{counted(len(empty), 'row')} of {file.path.name} "
            f"{'has' if len(empty) == 1 else 'have'} nothing in the column '{names.id}'",
            found=f"{'line' if len(empty) == 1 else 'lines'} {some(file.lines(empty[:6])[:5])}"
            + (" and more" if len(empty) > 5 else ""),
            do="Fill or remove these rows, or set `id` to the column that names the pictures",
        )
    doubled = table[ids.duplicated(keep=False)]
    if len(doubled):
        groups = list(doubled.groupby(names.id, sort=True))
        differing = [
            f"{name} ({some(sorted({str(v) for v in rows[label]}))})"
            for name, rows in groups
            for label in names.labels
            if rows[label].nunique(dropna=False) > 1
        ]
        raise LabelError(
            f"{counted(len(groups), 'picture has', 'pictures have')} more than one row in "
            f"{file.path.name}",
            found=some(name for name, _ in groups)
            + (f"; with different labels: {some(differing)}" if differing else ""),
            do=f"Keep one row a picture, set `id` if '{names.id}' does not name the pictures, or "
            "`rows: labels` if each row is one label of a picture",
        )


def _told(targets: pd.DataFrame) -> str:
    if targets.shape[1] == 1:
        return told(targets.iloc[:, 0])
    each = [_with_range(targets[name]) for name in targets.columns[:RANGED]]
    if len(targets.columns) > RANGED:
        each.append(some(targets.columns[RANGED:]))
    return (
        f"{counted(len(targets), 'picture')} with {targets.shape[1]} values each: "
        f"{'; '.join(each)}."
    )


def _with_range(cells: pd.Series) -> str:
    """A column's name; where it holds numbers, with their range and mean."""
    if cells.dtype.kind not in "iuf":
        return str(cells.name)
    return f"{cells.name} {ranged(cells.tolist())}"
