"""Files that say which picture an id is: a json file as COCO has it, or a csv file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kitbox.data.files import is_picture
from kitbox.errors import LabelError, nearest, some

NAMES = ("file_name", "filename", "file", "path", "image_path")
"""What the field of a picture's file is called in COCO's format and its relatives."""


def read(folder: Path, name: str) -> dict[str, str]:
    """Id to the path of its picture, as the file `name` below the source's folder has them.

    Raises:
        LabelError: when it cannot be read, or holds no such list.
    """
    if name.lower().endswith(".json"):
        return images(load(folder, name), name)
    return _of_csv(folder, name)


def place(listed: Mapping[str, str], paths: Sequence[str]) -> dict[str, str]:
    """The path of every listed picture among `paths`, which may lie in further folders."""
    exact = set(paths)
    ends: dict[str, list[str]] = {}
    for path in paths:
        ends.setdefault(path.rpartition("/")[2], []).append(path)
    found = {}
    for one, path in listed.items():
        close = [p for p in ends.get(path.rpartition("/")[2], ()) if f"/{p}".endswith(f"/{path}")]
        if path in exact:
            found[one] = path
        elif len(close) == 1:
            found[one] = close[0]
    return found


def load(folder: Path, name: str) -> Any:
    """What a json file below the source's folder holds.

    Raises:
        LabelError: when it cannot be read.
    """
    try:
        return json.loads((folder / name).read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        there = [path.name for path in folder.glob("*.json")]
        raise LabelError(
            f"There is no file '{name}' below {folder}",
            found=some(sorted(there)) or "no json file",
            do=nearest(name, there),
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise LabelError(f"{name} is no json file that can be read", found=str(error)) from error


def images(held: Any, name: str) -> dict[str, str]:
    """Id to file of the pictures in COCO's format: a list, or a mapping that has it as `images`.

    Raises:
        LabelError: when there is no such list.
    """
    given = held.get("images") if isinstance(held, Mapping) else held
    listed = given if isinstance(given, list) else []
    found: dict[str, str] = {}
    for entry in listed:
        if not isinstance(entry, Mapping):
            break
        file = next((entry[key] for key in NAMES if isinstance(entry.get(key), str)), None)
        one = entry.get("id", entry.get("image_id"))
        if file is None or one is None:
            break
        found[str(one)] = file.replace("\\", "/").removeprefix("./")
    if not found or len(found) < len(listed):
        raise LabelError(
            f"{name} holds no list of pictures as COCO has it",
            found=_seen(held),
            do="It should hold `images`, each with an `id` and a `file_name`",
        )
    return found


def _of_csv(folder: Path, name: str) -> dict[str, str]:
    """Id to file of a csv: the column whose cells are names of pictures, and the one before."""
    from kitbox.data.files import files
    from kitbox.labelers.csvs import open_listed

    file = open_listed(folder, name, files(folder))
    table = file.read().dropna(how="all")
    naming = [
        column for column in file.columns if len(table) and table[column].map(_names_file).all()
    ]
    others = [column for column in file.columns if column not in naming]
    if len(naming) != 1 or not others:
        raise LabelError(
            f"It cannot be told which column of {name} names the picture's file",
            found=f"columns {some(file.columns, most=20)}",
            do="It should have an id first, and one column of file names",
        )
    return dict(zip(table[others[0]].map(str), table[naming[0]], strict=True))


def _names_file(cell: Any) -> bool:
    return isinstance(cell, str) and is_picture(cell)


def _seen(held: Any) -> str:
    """What a json file holds, in few words."""
    return some(map(str, held), 5) if isinstance(held, Mapping) else type(held).__name__
