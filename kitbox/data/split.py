"""Which labelled rows train and which validate.

Random order comes from a hash, not from a generator: the number of a text is
`blake2b(text, key=seed, digest_size=8)` read as a big-endian integer, with the
text in UTF-8 and the seed as its decimal digits. Rows are ordered by the number
of their id, groups by the number of their name, and equals by the text itself.
So a split depends on ids, labels and the seed: not on the order of the rows, the
machine, or the version of a library.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from kitbox.data.files import Below, bare, lines, stem
from kitbox.errors import SplitError, counted, nearest, some
from kitbox.options import Options

if TYPE_CHECKING:
    import pandas as pd

Share = Annotated[float, Field(gt=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=10**18)]


class Auto(Options):
    """The labeler's own parts where it knows them, else a random share.

    With any 'valid' in the column `part` the others train. Without, the share is
    drawn by class (see `Stratified`; a class of one picture trains) when there is
    one target that looks like classes, else from all rows (see `Random`).

    Attributes:
        valid: the share of the rows that validates, when it is drawn.
        seed: another number draws other rows.
    """

    valid: Share = 0.2
    seed: Seed = 42

    def split(self, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> pd.Series:
        """The part of every row.

        Raises:
            SplitError: when a part would be empty.
        """
        if "part" in rows and (rows["part"] == "valid").any():
            return _parts(rows, (rows["part"] == "valid").tolist(), "Change the labels' `part`")
        drawn: Stratified | Random = Random(valid=self.valid, seed=self.seed)
        if len(targets) == 1 and _are_classes(rows[targets[0]]):
            drawn = Stratified(valid=self.valid, seed=self.seed, rare="train")
        return drawn.split(rows, targets, folder)


class Random(Options):
    """A random share of the rows.

    The first `round(valid * N)` rows in the order of the hash validate (halves
    up, at least one, at most N - 1).

    Attributes:
        valid: the share of the rows that validates.
        seed: another number draws other rows.
    """

    valid: Share = 0.2
    seed: Seed = 42

    def split(self, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> pd.Series:
        """The part of every row.

        Raises:
            SplitError: when there are fewer than two rows.
        """
        chosen = set(_ordered(rows["id"], self.seed)[: _count(self.valid, len(rows))])
        return _parts(rows, [one in chosen for one in rows["id"]], "Label at least two pictures")


class Stratified(Options):
    """The same share of every class.

    Of a class of n pictures floor(valid * n) or one more validate, in the order
    of the hash, and one at least trains. The classes with the largest
    remainders get the one more, so that all together are `round(valid * N)`.

    Attributes:
        valid: the share of the rows that validates.
        seed: another number draws other rows.
        rare: what a class with one picture is: an error, or it trains.
    """

    valid: Share = 0.2
    seed: Seed = 42
    rare: Literal["error", "train"] = "error"

    def split(self, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> pd.Series:
        """The part of every row.

        Raises:
            SplitError: when there is not one target of classes, when a class has
                one picture and `rare` is 'error', and when a part would be empty.
        """
        if len(targets) != 1:
            raise SplitError(
                "A stratified split needs one target",
                found=f"the targets {some(targets)}",
                do="Use the splitter `random`",
            )
        classes: dict[str, list[str]] = {}
        for one, label in zip(rows["id"], rows[targets[0]], strict=True):
            if isinstance(label, tuple | list):
                raise SplitError(
                    "A stratified split needs one class a picture",
                    found=f"{label!r} for {one}",
                    do="Use the splitter `random`",
                )
            classes.setdefault(str(label), []).append(one)
        rare = sorted(label for label, ids in classes.items() if len(ids) == 1)
        if rare and self.rare == "error":
            raise SplitError(
                f"{counted(len(rare), 'class has', 'classes have')} one picture, which cannot "
                f"both train and validate",
                found=some(rare),
                do="Set `rare: train`, add pictures, or use the splitter `random`",
            )
        several = {label: ids for label, ids in classes.items() if len(ids) > 1}
        counts = _apportion({label: len(ids) for label, ids in several.items()}, self.valid)
        chosen = {
            one
            for label, ids in several.items()
            for one in _ordered(ids, self.seed)[: counts[label]]
        }
        do = "Add pictures, or use the splitter `random`"
        return _parts(rows, [one in chosen for one in rows["id"]], do)


class Group(Options):
    """A random share of the groups: the pictures of a group stay together.

    Groups are taken in the order of the hash, each one that brings the number of
    pictures nearer to the share; when every group is too large, the smallest.

    Attributes:
        by: the column that names the group, a person or a patient say.
        valid: the share of the rows that validates, as nearly as groups allow.
        seed: another number draws other groups.
    """

    by: Annotated[str, Field(min_length=1)]
    valid: Share = 0.2
    seed: Seed = 42

    def split(self, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> pd.Series:
        """The part of every row.

        Raises:
            SplitError: when the column is missing or has empty cells, and when
                there is one group only.
        """
        _check_column(rows, self.by)
        empty = rows.loc[rows[self.by].isna(), "id"]
        if len(empty):
            raise SplitError(
                f"{counted(len(empty), 'row has', 'rows have')} no group in the column '{self.by}'",
                found=some(empty),
                do="Fill the cells, or use another column",
            )
        names = [str(value) for value in rows[self.by]]
        sizes = dict.fromkeys(names, 0)
        for name in names:
            sizes[name] += 1
        if len(sizes) < 2:
            raise SplitError(
                f"The column '{self.by}' has one group only",
                found=some(sizes),
                do="Use another column, or the splitter `random`",
            )
        ordered = _ordered(sizes, self.seed)
        chosen: set[str] = set()
        wanted, count = self.valid * len(names), 0
        for name in ordered:
            nearer = abs(count + sizes[name] - wanted) < abs(count - wanted)
            if nearer and len(chosen) < len(sizes) - 1:
                chosen.add(name)
                count += sizes[name]
        chosen = chosen or {min(ordered, key=sizes.__getitem__)}
        return _parts(rows, [name in chosen for name in names], "Use another column")


class ByFolder(Options):
    """The pictures in a folder of that name validate.

    Attributes:
        valid: the folder's name (or several with slashes between) anywhere above
            the picture.
        train: the folder of the training pictures; None: all others train.
    """

    valid: Annotated[str, Field(min_length=1)] = "valid"
    train: Annotated[str, Field(min_length=1)] | None = None

    def split(self, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> pd.Series:
        """The part of every row.

        Raises:
            SplitError: when a part would be empty, or a picture is in neither
                folder.
        """
        chosen = [_is_in(image, self.valid) for image in rows["image"]]
        if self.train is not None:
            loose = [
                image
                for image, is_valid in zip(rows["image"], chosen, strict=True)
                if not is_valid and not _is_in(image, self.train)
            ]
            if loose:
                raise SplitError(
                    f"{counted(len(loose), 'picture is', 'pictures are')} neither in "
                    f"'{self.train}' nor in '{self.valid}'",
                    found=some(loose),
                    do="Leave out `train` to train with all pictures outside the valid folder",
                )
        folders = sorted({part for image in rows["image"] for part in image.split("/")[:-1]})
        return _parts(rows, chosen, f"Folders: {some(folders, most=20) or 'none'}")


class ByColumn(Options):
    """The rows with a value in a column validate, the others train.

    Attributes:
        column: the column's name.
        valid: its value in the rows that validate; true is 1 and false is 0.
    """

    column: Annotated[str, Field(min_length=1)] = "part"
    valid: bool | int | str = "valid"

    def split(self, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> pd.Series:
        """The part of every row.

        Raises:
            SplitError: when the column is missing, or a part would be empty.
        """
        _check_column(rows, self.column)
        values = [_word(value) for value in rows[self.column]]
        known = some(sorted(set(values)), most=20)
        return _parts(
            rows,
            [value == _word(self.valid) for value in values],
            f"Set `valid` to one of the column's values: {known}",
        )


class ByNames(Options):
    """The pictures that a text file names validate, the others train.

    Attributes:
        file: the file, below the source's folder: an id, a path, a name, or one
            of these without suffix, a line.
    """

    file: Below

    def split(self, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> pd.Series:
        """The part of every row.

        Raises:
            SplitError: when the file cannot be read or names pictures that are
                not there, or several of one name, and when a part would be empty.
        """
        do = "Set `file` to the list of validation pictures, below the source's folder"
        names = lines(folder, self.file, "The list of validation pictures", SplitError, do)
        ways: tuple[Callable[[str], str], ...] = (str, bare, lambda p: p.rpartition("/")[2], stem)
        indices = [_index(rows["id"], rows["id"], str)] + [
            _index(rows["image"], rows["id"], way) for way in ways
        ]
        chosen: set[str] = set()
        unknown: list[str] = []
        for name in names:
            plain = name.replace("\\", "/").removeprefix("./")
            found = next((index[plain] for index in indices if plain in index), [])
            if len(found) > 1:
                raise SplitError(
                    f"The name '{name}' in {self.file} fits several pictures",
                    found=some(found),
                    do="Give their paths below the source's folder",
                )
            chosen.update(found)
            if not found:
                unknown.append(name)
        if unknown:
            raise SplitError(
                f"{len(unknown)} of {len(names)} names in {self.file} fit no labelled picture",
                found=f"{some(unknown)}, where pictures are called {some(rows['image'], most=3)}",
                do="Correct or remove these lines",
            )
        return _parts(
            rows, [one in chosen for one in rows["id"]], f"Change the names in {self.file}"
        )


def _number(text: str, seed: int) -> int:
    """The number that orders a text, 64 bits (see the module)."""
    data = text.encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(data, key=b"%d" % seed, digest_size=8).digest(), "big")


def _ordered(texts: Iterable[str], seed: int) -> list[str]:
    return sorted(texts, key=lambda text: (_number(text, seed), text))


def _count(share: float, rows: int) -> int:
    """How many of the rows validate, with one at least on each side."""
    return min(max(math.floor(share * rows + 0.5), 1), rows - 1)


def _apportion(sizes: dict[str, int], share: float) -> dict[str, int]:
    """How many of each class validate (largest remainders, equals by name)."""
    counts = {name: math.floor(share * size) for name, size in sizes.items()}
    left = _count(share, sum(sizes.values())) - sum(counts.values())
    for name in sorted(sizes, key=lambda name: (counts[name] - share * sizes[name], name)):
        if left > 0 and counts[name] < sizes[name] - 1:
            counts[name] += 1
            left -= 1
    return counts


def _are_classes(labels: pd.Series) -> bool:
    """Whether labels look like classes: most pictures share theirs with another."""
    from pandas.api.types import is_float_dtype

    if is_float_dtype(labels.dtype) or any(isinstance(label, tuple | list) for label in labels):
        return False
    counts = labels.value_counts()
    return bool(2 * (counts == 1).sum() < len(labels) and len(counts) < len(labels))


def _parts(rows: pd.DataFrame, is_valid: list[bool], do: str) -> pd.Series:
    """'train' and 'valid', indexed like the rows, where both are there."""
    import pandas as pd

    count = sum(is_valid)
    if not 0 < count < len(rows):
        raise SplitError(
            "No picture would be left to train"
            if count or not len(rows)
            else "No picture would be left to validate",
            found=f"{len(rows)} rows, of which {count} validate",
            do=do,
        )
    words = ["valid" if one else "train" for one in is_valid]
    return pd.Series(words, index=rows.index, name="part")


def _check_column(rows: pd.DataFrame, column: str) -> None:
    if column not in rows:
        raise SplitError(
            f"The labels have no column '{column}'",
            found=f"columns {some(rows.columns, most=20)}",
            do=nearest(column, map(str, rows.columns)),
        )


def _is_in(image: str, folder: str) -> bool:
    above = f"/{PurePosixPath(image).parent.as_posix()}/"
    return f"/{folder.strip('/')}/" in above


def _word(value: Any) -> str:
    """A cell as text, so that 3, 3.0 and '3' are equal, and True and 1.

    >>> _word(True), _word(3.0), _word(" a "), _word("False")
    ('1', '3', 'a', '0')
    """
    text = str(value).strip()
    text = {"true": "1", "false": "0"}.get(text.lower(), text)
    return text[:-2] if isinstance(value, float) and text.endswith(".0") else text


def _index(
    keys: Iterable[str], ids: Iterable[str], way: Callable[[str], str]
) -> dict[str, list[str]]:
    """The ids of the rows by a form of their name."""
    index: dict[str, list[str]] = {}
    for key, one in zip(keys, ids, strict=True):
        index.setdefault(way(key), []).append(one)
    return index
