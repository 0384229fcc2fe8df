"""Guesses about a csv file of labels: which file, which columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kitbox.data.files import bare, is_picture
from kitbox.errors import LabelError, some

CSVS = ("train.csv", "train_labels.csv", "labels.csv")
IDS = (
    "image",
    "image_id",
    "image_name",
    "image_path",
    "imageid",
    "imagename",
    "filename",
    "file_name",
    "file",
    "path",
    "img",
    "img_id",
    "picture",
    "photo",
    "name",
    "id",
)
LABELS = (
    "label",
    "labels",
    "target",
    "targets",
    "class",
    "classes",
    "category",
    "breed",
    "species",
    "tag",
    "tags",
    "diagnosis",
    "label_name",
    "class_name",
    "class_id",
    "category_id",
)
NEVER = (
    "part",
    "parts",
    "split",
    "fold",
    "folds",
    "kfold",
    "group",
    "groups",
    "set",
    "subset",
    "is_valid",
)
"""Columns that say how to split, which are never guessed to be labels."""
PARTS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("valid", "val", "validation"), "valid"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_FLAGS = {"true": "valid", "1": "valid", "1.0": "valid"} | dict.fromkeys(
    ("false", "0", "0.0"), "train"
)


def csv_file(files: Iterable[str]) -> str:
    """The csv file that has the labels, among all files of a source.

    Sample submissions do not count. Of the files nearest to the top it is one
    of `CSVS`, else the only one.

    Raises:
        LabelError: when there is none, or there are several.
    """
    found = [path for path in files if path.lower().endswith(".csv")]
    known = [path for path in found if not _name(path).startswith(("sample_sub", "samplesub"))]
    if not known:
        raise LabelError(
            "There is no csv file with labels",
            found=some(found) if found else "no csv file at all",
            do="Set `csv` of the labeler, or use the labeler `folder` or `filename`",
        )
    top = min(path.count("/") for path in known)
    near = [path for path in known if path.count("/") == top]
    for name in CSVS:
        for path in near:
            if _name(path) == name:
                return path
    if len(near) == 1:
        return near[0]
    raise LabelError(
        "Several csv files may have the labels", found=some(near), do="Set `csv` of the labeler"
    )


def id_column(columns: Mapping[str, Sequence[str]], files: Iterable[str]) -> str:
    """The column that names the pictures.

    It is the one whose values fit most names of files; one with repeated values
    counts half, and among equals one of `IDS` comes first, then the first.

    Args:
        columns: the first values of each column.
        files: all files of the source.
    """
    names: set[str] = set()
    for path in files:
        if is_picture(path):
            name = path.rpartition("/")[2]
            names |= {name, bare(name)}

    def rank(column: str) -> tuple[float, int]:
        values = [value.replace("\\", "/").rpartition("/")[2] for value in columns[column]]
        share = sum(value in names for value in values) / max(len(values), 1)
        unique = len(set(columns[column])) == len(values)
        return -share if unique else -share / 2, _place(column, IDS)

    return min(columns, key=rank)


def label_column(columns: Iterable[str]) -> str | None:
    """The column of the labels among those left: a well-known name, else the only one."""
    left = [
        column
        for column in columns
        if column.lower() not in NEVER and not column.startswith("Unnamed: ")
    ]
    known = [column for column in left if column.lower() in LABELS]
    if known:
        return min(known, key=lambda column: _place(column, LABELS))
    return left[0] if len(left) == 1 else None


def parts(column: str, values: Iterable[Any]) -> list[str | None] | None:
    """'train', 'valid', 'test' or None for each value, or None if they say something else.

    A column whose name says `valid` may hold true and false, or 1 and 0.

    >>> parts("split", ["train", "Val", None])
    ['train', 'valid', None]
    >>> parts("is_valid", [0, 1])
    ['train', 'valid']
    >>> parts("split", [0, 1]) is None
    True
    """
    known = PARTS | (_FLAGS if "val" in column.lower() else {})
    found: list[str | None] = []
    for value in values:
        if value is None or value != value:  # noqa: PLR0124 (not a number)
            found.append(None)
        elif (word := str(value).strip().lower()) in known:
            found.append(known[word])
        else:
            return None
    return found


def _name(path: str) -> str:
    return path.rpartition("/")[2].lower()


def _place(word: str, known: Sequence[str]) -> int:
    """The position among known words, after all of them if it is none."""
    return known.index(word.lower()) if word.lower() in known else len(known)
