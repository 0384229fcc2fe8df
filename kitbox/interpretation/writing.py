"""An interpretation as files: tables, plots, and the advice; what a person edited stays."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kitbox.errors import StorageError, storage
from kitbox.interpretation.section import Section, slug
from kitbox.storage import write

if TYPE_CHECKING:
    import pandas as pd

    from kitbox.interpretation.advice import Advice

FOLDER, ADVICE, WRITTEN = "interpretation", "advice.json", "written.json"
"""The folder in a run's, the advice, and the hashes of all that was written."""


class Written(NamedTuple):
    """What `save` did.

    Attributes:
        files: the tables and plots, in the sections' order.
        kept: files that were changed by somebody since they were written, and so stayed, with
            the file that was written beside each.
    """

    files: list[Path]
    kept: list[tuple[Path, Path]]


def save(sections: Sequence[Section], advice: Sequence[Advice], folder: Path) -> Written:
    """Write every table as csv and every plot as PNG, called as they are, and the advice.

    What an earlier call has written is replaced, unless it was changed since. Other files are
    not touched.

    Raises:
        StorageError: when they cannot be written, or the folder holds something else.
    """
    ready(folder)
    content = _contents(sections)
    told = [asdict(one) for one in advice]
    text = json.dumps(told, indent=2, ensure_ascii=False, default=str) + "\n"
    content[ADVICE] = text.encode("utf-8", "backslashreplace")
    with storage(folder, "writing to"):
        known = _known(folder)
        for name, hashed in known.items():
            if (folder / name).is_file() and _hash((folder / name).read_bytes()) == hashed:
                (folder / name).unlink()
        places = {name: _free(folder, name) for name in content}
    # Before the files: those of a call that was killed are known to be ours.
    left = {name: hashed for name, hashed in known.items() if (folder / name).exists()}
    now = {places[name].name: _hash(one) for name, one in content.items()}
    write(folder / WRITTEN, json.dumps({**left, **now}, indent=2) + "\n")
    for name, one in content.items():
        write(places[name], one)
    kept = [(folder / name, path) for name, path in places.items() if path.name != name]
    return Written([path for name, path in places.items() if name != ADVICE], kept)


def ready(folder: Path) -> None:
    """Make the folder, or see that it is one that an earlier call has made.

    Raises:
        StorageError: when there are files that no interpretation has written.
    """
    with storage(folder, "writing to"):
        if folder.exists() and not folder.is_dir():
            raise StorageError(f"{folder} is a file", do="Choose another folder with --out")
        ours = any((folder / name).is_file() for name in (ADVICE, WRITTEN))
        if folder.is_dir() and any(folder.iterdir()) and not ours:
            raise StorageError(
                f"{folder} holds files that no interpretation has written",
                do="Choose another folder with --out",
            )
        folder.mkdir(parents=True, exist_ok=True)


def table(rows: pd.DataFrame, path: Path | str) -> Path:
    """Write a table as a csv file.

    Raises:
        StorageError: when it cannot be written, or a file is there that says something else.
    """
    path, content = Path(path), _csv(rows)
    with storage(path, "looking at"):
        if path.exists() and not (path.is_file() and path.read_bytes() == content):
            raise StorageError(
                f"{path} is there already and says something else: it may have been edited",
                do="Use it as it is, choose another name, or remove it",
            )
    write(path, content)
    return path


def _contents(sections: Sequence[Section]) -> dict[str, bytes]:
    """All files of some sections, by name."""
    content: dict[str, bytes] = {}

    def take(section: Section, name: str, suffix: str, one: bytes) -> None:
        stem = slug(name)
        if f"{stem}{suffix}" in content:
            stem = f"{slug(section.title)}-{stem}"
        content[f"{stem}{suffix}"] = one

    for section in sections:
        for name, rows in section.tables.items():
            take(section, name, ".csv", _csv(rows))
        for name, plot in section.plots.items():
            take(section, name, ".png", plot.png())
    return content


def _csv(rows: pd.DataFrame) -> bytes:
    numbered = list(rows.index) == list(range(len(rows)))
    text = rows.to_csv(
        index=not numbered, index_label="name", float_format="%.6g", lineterminator="\n"
    )
    return text.encode("utf-8", "surrogateescape")


def _known(folder: Path) -> dict[str, str]:
    """The hashes of what earlier calls have written, by name; {} where nothing is known."""
    try:
        found = json.loads((folder / WRITTEN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    # A name alone: nothing beyond the folder is ours.
    return {str(name): str(one) for name, one in found.items() if Path(name).name == name}


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _free(folder: Path, name: str) -> Path:
    """A path for a file of that name: it, or one beside it where there is a file already."""
    path = folder / name
    for number in count(1):
        if not path.exists():
            return path
        more = f"-{number}" if number > 1 else ""
        path = folder / f"{Path(name).stem}-new{more}{Path(name).suffix}"
    raise AssertionError("numbers do not end")
