"""Lists of addresses: a text file per class, a csv with labels, or one list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kitbox.errors import LabelError, SourceError, nearest, some
from kitbox.labelers.csvs import open_csv
from kitbox.sources.folder import beside

_ADDRESS = ("url", "address", "link", "image_url", "img_url", "image", "src", "href")
_LABEL = ("label", "class", "category", "target", "labels", "classes")
_SUFFIXES = (".txt", ".csv", ".lst", ".list", ".urls")


@dataclass(frozen=True)
class Wanted:
    """An address that a list asks for.

    Attributes:
        address: as it stands there, without a fragment.
        label: its class; '' where the list has none.
    """

    address: str
    label: str


def from_texts(lists: Mapping[str, Path]) -> list[Wanted]:
    """The addresses of a text file per class.

    Raises:
        SourceError: when a file cannot be read or holds nothing, or a class
            cannot be the name of a folder.
    """
    wanted: list[Wanted] = []
    for label, path in lists.items():
        check_label(label)
        found = read_text(path)
        if not found:
            raise SourceError(
                f"The list of the class '{label}' has no address: {path}",
                do="Give one address a line",
            )
        wanted += [Wanted(address, label) for address in found]
    return wanted


def from_folder(folder: Path) -> list[Wanted]:
    """The addresses of the text files of a folder; a file's stem is the class.

    Raises:
        SourceError: as `from_texts`, and when the folder holds no text file.
    """
    try:
        paths = sorted(
            path
            for path in folder.iterdir()
            if path.suffix.lower() in _SUFFIXES and not path.name.startswith(".") and path.is_file()
        )
    except OSError as error:
        raise SourceError(f"The folder {folder} cannot be listed ({error.strerror})") from error
    stems = [path.stem for path in paths]
    doubled = [stem for stem in dict.fromkeys(stems) if stems.count(stem) > 1]
    if not paths or doubled:
        raise SourceError(
            f"Two lists in {folder} are of the same class" if doubled else f"No list in {folder}",
            found=some(doubled) if doubled else beside(folder / "class.txt"),
            do=f"Put one text file per class there ({', '.join(_SUFFIXES)})",
        )
    return from_texts(dict(zip(stems, paths, strict=True)))


def from_csv(path: Path, address: str | None, label: str | None) -> list[Wanted]:
    """The addresses of a csv file with a label each.

    Args:
        path: the file.
        address, label: the names of its columns; None looks for a usual name.

    Raises:
        SourceError: when the file or a column is not there, a label is
            missing, or cannot be the name of a folder.
    """
    _must_be_a_file(path)
    try:
        opened = open_csv(path)
        table = opened.read()
    except LabelError as error:
        raise SourceError(error.wrong, found=error.found, do=error.do) from error
    of_address = _column(path, opened.columns, address, _ADDRESS, "address")
    of_label = _column(path, opened.columns, label, _LABEL, "label")
    table = table[table[of_address].notna()]
    without = table[table[of_label].isna()]
    if len(without):
        raise SourceError(
            f"{len(without)} addresses of {path} have no label in '{of_label}'",
            found=f"lines {some(opened.lines(without.index[:6]))}",
            do="Add labels, or remove these rows",
        )
    labels = [str(value) for value in table[of_label]]
    for one in dict.fromkeys(labels):
        check_label(one)
    return [
        Wanted(_plain(str(value)), one)
        for value, one in zip(table[of_address], labels, strict=True)
    ]


def read_text(path: Path) -> list[str]:
    """The addresses of a text file: one a line; empty lines and those with # are left out.

    Raises:
        SourceError: when the file is not there, or is no text.
    """
    _must_be_a_file(path)
    try:
        data = path.read_bytes()
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            text = data.decode("utf-16")
        else:
            text = data.decode("utf-8-sig")
    except OSError as error:
        raise SourceError(f"The list {path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise SourceError(
            f"The list {path} is not UTF-8 text", do="Save it as text, one address a line"
        ) from error
    lines = (_plain(line) for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def check_label(label: str) -> None:
    """Let pass only a class that can be the name of a folder.

    Raises:
        SourceError: for any other.
    """
    wrong = (
        "it is empty"
        if not label.strip()
        else "it holds a slash"
        if re.search(r"[/\\]", label)
        else "it holds a control character"
        if re.search(r"[\x00-\x1f\x7f]", label)
        else "it begins with a dot"
        if label.startswith(".")
        else "it is too long"
        if len(label.encode()) > 200
        else "it begins or ends with a space"
        if label != label.strip()
        else ""
    )
    if wrong:
        raise SourceError(
            f"The class {label!r} cannot be the name of a folder: {wrong}",
            do="Give the class another name",
        )


def _plain(line: str) -> str:
    """A line as an address: no spaces, quotes or comma around it, no fragment."""
    line = line.strip().rstrip(",").strip()
    if len(line) > 1 and line[0] == line[-1] and line[0] in "\"'":
        line = line[1:-1].strip()
    return line if line.startswith("#") else line.partition("#")[0]


def _must_be_a_file(path: Path) -> None:
    if not path.is_file():
        raise SourceError(f"There is no list at {path}", found=beside(path), do="Correct the path")


def _column(
    path: Path, columns: tuple[str, ...], given: str | None, usual: tuple[str, ...], what: str
) -> str:
    if given is not None:
        found = given if given in columns else None
    else:
        found = next((name for word in usual for name in columns if name.lower() == word), None)
    if found is None:
        raise SourceError(
            f"The csv file {path} has no column '{given}'"
            if given is not None
            else f"Which column of {path} holds the {what} is not clear",
            found=f"columns {some(columns, most=20)}",
            do=nearest(given, columns) if given is not None else f"Set `{what}` to its name",
        )
    return found
