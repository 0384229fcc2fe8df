"""The table: a row per picture, checked, and joined with the test pictures.

Columns: `id` (str), `image` (path below the source's folder, `/` separated),
`part` ('train', 'valid' or 'test'), the target columns, and what else a labeler
found. An id is unique among the labelled rows and among the test rows; `0001` may
be in both, because competitions number each side on its own.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitbox.contracts import Labels
from kitbox.data.files import is_below
from kitbox.errors import LabelError, PluginError, SplitError, counted, some

if TYPE_CHECKING:
    import pandas as pd


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
            f"{counted(len(outside), 'picture is', 'pictures are')} not below the source's folder",
            found=some(outside),
            do="Give paths below that folder",
        )
    for target in () if labels.gaps else labels.targets:
        empty = rows.loc[rows[target].isna(), "id"]
        if len(empty):
            raise LabelError(
                f"{counted(len(empty), 'picture has', 'pictures have')} no label in '{target}'",
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
            f"{counted(len(doubled), 'id is', 'ids are')} there more than once",
            found=some(doubled),
            do="Every picture needs one row with an id of its own",
        )
