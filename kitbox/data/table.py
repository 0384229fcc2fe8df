"""The table: a row per picture, checked, joined with the test pictures, kept in a file.

Columns: `id` (str), `image` (path below the source's folder, `/` separated),
`part` ('train', 'valid' or 'test'), the target columns, and what else a labeler
found. An id is unique among the labelled rows and among the test rows; `0001` may
be in both, because competitions number each side on its own.
"""

from __future__ import annotations

import csv
import glob
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from kitbox.contracts import Labels
from kitbox.data.files import (
    Below,
    bare,
    contents,
    ending,
    inside,
    is_below,
    is_picture,
    pictures,
    stem,
)
from kitbox.errors import LabelError, PluginError, SplitError, StorageError, some, storage
from kitbox.options import Options

if TYPE_CHECKING:
    import pandas as pd

TEST = ("test", "tests", "testing", "test_images", "test_image", "images_test", "test_set")
"""Folders of pictures without labels, in lower case."""


def make(labels: Labels, folder: Path) -> pd.DataFrame:
    """The table of the labelled rows: checked, sorted by id, with a new index.

    Raises:
        PluginError: when the labeler breaks its contract (types and columns).
        LabelError: when ids are doubled, labels are missing, or none of the
            pictures is in `folder`.
    """
    if not isinstance(labels, Labels):
        raise PluginError(
            "A labeler must return kitbox's Labels(rows, targets, notes)",
            found=f"a {type(labels).__name__}",
        )
    rows = labels.rows
    _check_contract(rows, labels.targets)
    if not len(rows):
        raise LabelError("There are no labelled pictures", do="Correct the labeler's options")
    _check_ids(rows["id"])
    outside = [image for image in rows["image"] if not is_below(image)]
    if outside:
        raise LabelError(
            f"{len(outside)} pictures are not below the source's folder",
            found=some(outside),
            do="Give paths below that folder",
        )
    for target in () if labels.gaps else labels.targets:
        empty = rows.loc[rows[target].isna(), "id"]
        if len(empty):
            raise LabelError(
                f"{len(empty)} pictures have no label in '{target}'",
                found=some(empty),
                do="Add labels or leave these pictures out",
            )
    # Stops at the first that is there: the cache reports those that are not.
    if not any(os.path.isfile(os.path.join(folder, image)) for image in rows["image"]):
        raise LabelError(
            f"None of the {len(rows)} labelled pictures is in {folder}",
            found=f"paths such as {some(rows['image'], most=3)}",
            do="Correct where the labeler looks for pictures",
        )
    table = rows.sort_values("id", kind="stable").reset_index(drop=True)
    first = [name for name in ("id", "image", "part") if name in table]
    return table[first + [name for name in table.columns if name not in first]]


def with_parts(rows: pd.DataFrame, parts: pd.Series) -> pd.DataFrame:
    """The labelled rows with the parts that a splitter gave.

    Raises:
        PluginError: when they are no 'train' and 'valid', one a row.
        SplitError: when one of the two is empty.
    """
    import pandas as pd

    if not isinstance(parts, pd.Series) or not parts.index.equals(rows.index):
        raise PluginError(
            "A splitter must return a pandas Series indexed like the rows",
            found=f"a {type(parts).__name__} of {len(parts) if hasattr(parts, '__len__') else '?'}",
        )
    if strange := sorted({str(part) for part in parts} - {"train", "valid"}):
        raise PluginError(
            "A splitter must say 'train' or 'valid' for each row", found=some(strange)
        )
    for part in ("train", "valid"):
        if not (parts == part).any():
            raise SplitError(
                f"No picture is in the part '{part}'",
                found=f"{len(rows)} labelled pictures",
                do="Choose another split",
            )
    return rows.assign(part=parts)


class TestPictures(Options):
    """Where the pictures are that have no labels.

    Attributes:
        folder: their folder, below the source's folder.
        pattern: which files, a glob such as `test/*.jpg` (`**` for any folders),
            below `folder`.
        suffix: what the ids of the sample submission lack, `.jpg` say.
    """

    __test__: ClassVar[bool] = False  # no test, whatever pytest makes of its name

    folder: Below | None = None
    pattern: Below | None = None
    suffix: str | None = None


def test_rows(
    folder: Path,
    *,
    test: TestPictures,
    ids: Sequence[str] | None,
    taken: Collection[str],
) -> pd.DataFrame:
    """The test rows: `id` and `image`.

    With the ids of a sample submission they are those in their order, each with
    the picture that it names: a path, else a name, else a path or name without
    suffix, each tried with `test.suffix` first. The candidates are the pictures
    of `test.folder` and `test.pattern`, else those in a folder called test (or
    alike), else all that are not `taken`. An id without a picture keeps its row,
    with the path where the picture would be.

    Without a sample, or with one that has no rows (as in code competitions), they
    are all pictures of `test.folder` and `test.pattern`,
    with their names without suffix as ids (their paths where names repeat). With
    neither there are none.

    Args:
        folder: the source's folder.
        test: where the test pictures are.
        ids: the pictures that the sample submission asks for, each once; None
            where there is no sample.
        taken: the `image` of the labelled rows.

    Raises:
        LabelError: when there are no test pictures where they should be, an id
            fits several pictures, and when more than half of the ids have no
            picture.
    """
    import pandas as pd

    asked = test.folder is not None or test.pattern is not None
    if not ids:
        images = _asked(folder, test) if asked else []
        stems = [stem(image) for image in images]
        ids = stems if len(set(stems)) == len(stems) else images
        return pd.DataFrame({"id": ids, "image": images}, dtype=str)
    candidates = _asked(folder, test) if asked else _likely(pictures(folder), taken)
    found = _match(ids, candidates, test)
    missing = [one for one in ids if one not in found]
    if 2 * len(missing) > len(ids):
        raise LabelError(
            f"{len(missing)} of {len(ids)} ids of the sample submission have no picture",
            found=f"ids such as {some(missing, most=3)}, and "
            + (
                f"{len(candidates)} candidates such as {some(candidates, most=3)}"
                if candidates
                else f"no candidates; there are {contents(folder)}"
            ),
            do="Set `folder` or `pattern` of the test pictures, or `suffix` to what the ids lack",
        )
    expected = _expected(test, list(found.values()))
    images = [found.get(one) or expected(one) for one in ids]
    return pd.DataFrame({"id": ids, "image": images}, dtype=str)


def join(labelled: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """The labelled rows and after them the test rows, with `part` 'test'.

    Test rows have no targets. So that integers stay integers beside missing
    values, such columns become pandas' nullable `Int64` and `boolean`.

    Args:
        labelled: the table of `make`, with `part` 'train' or 'valid' in each row.
        test: `id` and `image`, in the order that the submission wants.

    Raises:
        LabelError: when an id is doubled among the labelled or the test rows.
    """
    import pandas as pd

    _check_ids(labelled["id"])
    if not len(test):
        return labelled.reset_index(drop=True)
    _check_ids(test["id"])
    nullable = {"i": "Int64", "u": "UInt64", "b": "boolean"}
    whole = labelled.astype(
        {
            name: nullable[labelled[name].dtype.kind]
            for name in labelled.columns
            if labelled[name].dtype.kind in nullable
        }
    )
    below = test[["id", "image"]].assign(part="test").reindex(columns=whole.columns)
    below = below.astype({name: dtype for name, dtype in whole.dtypes.items() if name in below})
    return pd.concat([whole, below], ignore_index=True)


def save(table: pd.DataFrame, path: Path) -> None:
    """Write the table as csv (UTF-8, RFC 4180), whole or not at all.

    Tuples are written as JSON lists, missing values as empty cells. A column of
    text that would be read as something else is written as JSON strings.

    Raises:
        StorageError: when it cannot be written.
    """
    columns = {str(name): _texts(str(name), table[name]) for name in table.columns}
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with storage(path, "writing"):
        try:
            with beside.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(columns)
                writer.writerows(zip(*columns.values(), strict=True))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def load(path: Path) -> pd.DataFrame:
    """Read what `save` wrote: the same values; `id` is always str.

    Raises:
        StorageError: when it cannot be read, or is damaged.
    """
    import pandas as pd

    with (
        storage(path, "reading"),
        path.open(encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        header, *rows = list(csv.reader(file)) or [[]]
    if "id" not in header or any(len(row) != len(header) for row in rows):
        raise StorageError(
            f"The table {path} is damaged",
            found=f"the columns {some(header)}",
            do="Remove it, so that it is made again",
        )
    cells = zip(*rows, strict=True) if rows else [()] * len(header)
    return pd.DataFrame(
        {name: _column(name, texts) for name, texts in zip(header, cells, strict=True)}
    )


def _check_contract(rows: Any, targets: Sequence[str]) -> None:
    import pandas as pd

    if not isinstance(rows, pd.DataFrame):
        raise PluginError(
            "The rows of a labeler must be a pandas DataFrame", found=f"a {type(rows).__name__}"
        )
    if isinstance(targets, str) or not targets:
        raise PluginError(
            "The targets of a labeler must be a tuple of column names", found=repr(targets)
        )
    absent = [name for name in ("id", "image", *targets) if name not in rows.columns]
    doubled = rows.columns[rows.columns.duplicated()].tolist()
    ours = [name for name in targets if name in ("id", "image", "part")]
    if absent or doubled or ours:
        raise PluginError(
            "The rows of a labeler must have the columns 'id' and 'image' and its targets "
            f"({', '.join(targets)}), each once, and no target may be called id, image or part",
            found=f"columns {some(rows.columns, most=20)}",
        )
    for name in ("id", "image"):
        wrong = [value for value in rows[name] if not isinstance(value, str) or not value]
        if wrong:
            raise PluginError(
                f"The column '{name}' of a labeler must hold str that are not empty",
                found=some(f"{value!r} ({type(value).__name__})" for value in wrong),
            )
    if "part" in rows:
        wrong = sorted(set(rows["part"].dropna().map(str)) - {"train", "valid"})
        if wrong:
            raise PluginError(
                "The column 'part' of a labeler must hold 'train', 'valid' or nothing",
                found=some(wrong),
            )


def _check_ids(ids: pd.Series) -> None:
    doubled = sorted(set(ids[ids.duplicated()]))
    if doubled:
        raise LabelError(
            f"{len(doubled)} ids are there more than once",
            found=some(doubled),
            do="Every picture needs one row with an id of its own",
        )


def _asked(folder: Path, test: TestPictures) -> list[str]:
    """The pictures of `test.folder` and `test.pattern`, sorted."""
    root = folder if test.folder is None else inside(folder, test.folder)
    if test.pattern is None:
        paths = pictures(root)
    else:
        paths = [
            path.replace(os.sep, "/")
            for path in glob.glob(test.pattern, root_dir=root, recursive=True)
            if os.path.isfile(os.path.join(root, path))
        ]
    if not paths:
        raise LabelError(
            f"There are no test pictures {test.pattern or ''} below {root}".replace("  ", " "),
            found=contents(root),
            do="Correct `folder` or `pattern` of the test pictures",
        )
    prefix = f"{test.folder}/" if test.folder else ""
    return sorted(prefix + path for path in paths)


def _likely(images: list[str], taken: Collection[str]) -> list[str]:
    """Those in a folder that is called test, else all that are not taken."""
    for depth in (1, None):  # a folder at the top comes before one further down
        inside_test = [
            image
            for image in images
            if any(name.lower() in TEST for name in image.split("/")[:-1][:depth])
        ]
        if inside_test:
            return inside_test
    labelled = set(taken)
    return [image for image in images if image not in labelled]


def _match(ids: Sequence[str], candidates: list[str], test: TestPictures) -> dict[str, str]:
    """The picture of each id that has one."""
    prefix = f"{test.folder}/" if test.folder else ""
    ways: tuple[Callable[[str], str], ...] = (
        str,
        lambda image: image.removeprefix(prefix),
        lambda image: image.rpartition("/")[2],
        bare,
        lambda image: bare(image).removeprefix(prefix),
        stem,
    )
    indices: list[dict[str, list[str]]] = []
    for way in ways:
        index: dict[str, list[str]] = {}
        for image in candidates:
            index.setdefault(way(image), []).append(image)
        indices.append(index)
    found: dict[str, str] = {}
    for one in ids:
        plain = one.replace("\\", "/").removeprefix("./")
        tries = [plain + ending(test.suffix), plain] if test.suffix else [plain]
        images = next((index[name] for name in tries for index in indices if name in index), [])
        if len(images) > 1:
            raise LabelError(
                f"The id '{one}' of the sample submission fits several pictures",
                found=some(images),
                do="Set `folder`, `pattern` or `suffix` of the test pictures",
            )
        if images:
            found[one] = images[0]
    return found


def _expected(test: TestPictures, found: list[str]) -> Callable[[str], str]:
    """Where a picture that is missing would be: beside most of the others."""
    around = test.folder or ""
    if found:
        parents = Counter(image.rpartition("/")[0] for image in found)
        around = min(parents, key=lambda parent: (-parents[parent], parent))
    ends = Counter(image[len(bare(image)) :] for image in found)
    end = ending(test.suffix) or min(ends, key=lambda e: (-ends[e], e), default="")

    def path(one: str) -> str:
        name = one if is_below(one) else one.replace("\\", "/").rpartition("/")[2]
        name = name if is_picture(name) else name + end
        return f"{around}/{name}" if around and not name.startswith(f"{around}/") else name

    return path


def _texts(name: str, column: pd.Series) -> list[str]:
    """The cells of a column as text, such that `_column` reads the same values."""
    missing = column.isna().tolist()
    values = column.astype(object).tolist()
    if any(isinstance(value, tuple | list) for value in values):
        return [
            "" if empty else json.dumps(value, ensure_ascii=False)
            for value, empty in zip(values, missing, strict=True)
        ]
    texts = ["" if empty else str(value) for value, empty in zip(values, missing, strict=True)]
    kept = [value for value, empty in zip(values, missing, strict=True) if not empty]
    is_text = name != "id" and all(isinstance(value, str) for value in kept)
    if is_text and ("" in kept or _kind(kept) not in ("text", "nothing")):
        return [
            "" if empty else json.dumps(value, ensure_ascii=False)
            for value, empty in zip(values, missing, strict=True)
        ]
    return texts


def _column(name: str, texts: Sequence[str]) -> pd.Series:
    """The values of a column from its cells."""
    import pandas as pd

    missing = "" in texts
    kind = "text" if name == "id" else _kind(text for text in texts if text)
    match kind:
        case "nothing":
            return pd.Series([float("nan")] * len(texts), dtype="float64")
        case "int":
            whole = [int(text) if text else None for text in texts]
            return pd.Series(whole, dtype="Int64" if missing else "int64")
        case "bool":
            flags = [text == "True" if text else None for text in texts]
            return pd.Series(flags, dtype="boolean" if missing else "bool")
        case "float":
            return pd.Series([float(text) if text else float("nan") for text in texts])
        case "json":
            values = [_from_json(text) if text else float("nan") for text in texts]
            is_text = all(isinstance(v, str) or v != v for v in values)  # noqa: PLR0124
            return pd.Series(values) if is_text else pd.Series(values, dtype=object)
        case "text":
            return pd.Series([text or float("nan") for text in texts])
        case _:
            raise AssertionError(kind)


def _kind(texts: Iterable[str]) -> str:
    """What all of the texts are: nothing, int, bool, float, json or text.

    Only texts that Python itself writes count as numbers: '007' is text.

    >>> _kind(["1", "-2"]), _kind(["1", "0.5"]), _kind(["007"]), _kind(['["a"]']), _kind([])
    ('int', 'float', 'text', 'json', 'nothing')
    """
    kinds = {_kind_of(text) for text in texts}
    if not kinds:
        return "nothing"
    if kinds == {"int", "float"}:
        return "float"
    return kinds.pop() if len(kinds) == 1 else "text"


def _kind_of(text: str) -> str:
    if text in ("True", "False"):
        return "bool"
    if text[0] in '["' and _is_json(text):
        return "json"
    if re.fullmatch(r"0|-?[1-9]\d{0,18}", text, re.ASCII) and abs(int(text)) < 2**63:
        return "int"
    try:
        is_float = repr(float(text)) == text and text != "nan"
    except ValueError:
        is_float = False
    return "float" if is_float else "text"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _from_json(text: str) -> Any:
    value = json.loads(text)
    return tuple(value) if isinstance(value, list) else value
