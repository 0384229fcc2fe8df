"""The table as a csv file: the same values come back."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitbox.errors import StorageError, some, storage
from kitbox.storage import whole

if TYPE_CHECKING:
    import pandas as pd


def save(table: pd.DataFrame, path: Path) -> None:
    """Write the table as csv (UTF-8, RFC 4180), whole or not at all.

    Tuples are written as JSON lists, missing values as empty cells. A column of
    text that would be read as something else is written as JSON strings.

    Raises:
        StorageError: when it cannot be written.
    """
    columns = {str(name): _texts(str(name), table[name]) for name in table.columns}
    with (
        whole(path) as beside,
        beside.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


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
