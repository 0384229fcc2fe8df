"""The manifest: a row per address and what became of it; and every file in its place."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Literal

from kitbox import storage as files
from kitbox.data.duplicates import Finder
from kitbox.errors import storage
from kitbox.sources.web.journal import Record
from kitbox.sources.web.lists import Wanted

Drop = Literal["near", "exact", "none"]

MANIFEST = "manifest.csv"
ARRIVING, ARRIVED, ASIDE = ".arriving", ".arrived", ".duplicates"
"""Folders for files that grow, files without a place, and copies; labelers see none of them."""

_DROPPED: dict[Drop, tuple[str, ...]] = {
    "near": ("near-duplicate", "duplicate"),
    "exact": ("duplicate",),
    "none": (),
}
_CLASH = ", which is of another class"
_OURS = re.compile(r"[0-9a-f]{20}\.[a-z]{3}")  # what else lies there is left alone


@dataclass(frozen=True)
class Row:
    """A row of the manifest, its columns in this order.

    Attributes:
        address: as the list has it.
        label: its class (the column is called `class`).
        file: where its picture lies, below the folder; '' where there is none.
        status: 'ok', 'duplicate', 'near-duplicate', 'refused', 'failed' or 'not-asked'.
        reason: why it is not 'ok'.
        bytes: of the file.
        width, height: pixels, upright.
        tries: how often the last fetch that asked for it tried.
    """

    address: str
    label: str
    file: str
    status: str
    reason: str
    bytes: int
    width: int
    height: int
    tries: int

    @property
    def is_aside(self) -> bool:
        """Whether its picture is a copy that is kept out of sight."""
        return self.file.startswith(f"{ASIDE}/")

    @property
    def clash(self) -> bool:
        """Whether it is a copy of a picture in another class."""
        return self.reason.endswith(_CLASH)


def judge(
    wanted: Sequence[Wanted], records: Mapping[str, Record], *, drop: Drop, why: str = ""
) -> list[Row]:
    """What became of every address, in the lists' order.

    Copies are found in that order as well, so the result does not depend on
    which picture arrived first.

    Args:
        wanted: the addresses of the lists.
        records: what is known of each.
        drop: which copies are set aside.
        why: why addresses were not asked for.
    """
    finder = Finder()
    rows: list[Row] = []
    first: dict[str, Row] = {}  # by address
    of_file: dict[str, Row] = {}
    for one in wanted:
        record = records.get(one.address) or Record(one.address, "not-asked", why)
        if (before := first.get(one.address)) is not None:
            rows.append(_again(one, before))
            continue
        status: str = record.status
        file, reason, width, height = "", record.reason, 0, 0
        if record.look is not None:
            copy = finder.add(record.file, record.look)
            status = "ok" if copy is None else copy.kind
            aside = ASIDE if status in _DROPPED[drop] else ""
            file = "/".join(part for part in (aside, one.label, record.file) if part)
            if copy is not None:
                of = of_file[copy.of]
                reason = f"of {of.file}{_elsewhere(one.label, of.label)}"
            width, height = record.look.width, record.look.height
        row = Row(
            one.address, one.label, file, status, reason, record.bytes, width, height, record.tries
        )
        rows.append(row)
        first[one.address] = of_file[record.file] = row
    return rows


def _again(one: Wanted, before: Row) -> Row:
    """The row of an address that was there before: as that one, or its copy."""
    if not before.file:
        return replace(before, label=one.label)
    reason = f"the same address as above{_elsewhere(one.label, before.label)}"
    return replace(before, label=one.label, status="duplicate", reason=reason)


def present(folder: Path) -> dict[str, Path]:
    """The fetched files below the source's folder, by name, wherever they lie."""
    found: dict[str, Path] = {}
    for top, below, names in os.walk(folder):
        below[:] = sorted(name for name in below if name != ARRIVING)
        found |= {name: Path(top, name) for name in names if _OURS.fullmatch(name)}
    # What has just arrived comes in the place of a file of its name that was damaged.
    fresh = {name: folder / ARRIVED / name for name in found if (folder / ARRIVED / name).is_file()}
    return found | fresh


def place(folder: Path, rows: Sequence[Row]) -> None:
    """Move every file to where its row says; what has no row any more is kept out of sight.

    Raises:
        StorageError: when the folder cannot be written.
    """
    wanted = {row.file.rpartition("/")[2]: row.file for row in rows if row.file}
    with storage(folder, "sorting pictures in"):
        for name, path in present(folder).items():
            to = folder / wanted.get(name, f"{ARRIVED}/{name}")
            if to != path:
                to.parent.mkdir(parents=True, exist_ok=True)
                path.replace(to)
        for path in (*folder.glob(f"{ASIDE}/*"), *folder.glob("[!.]*")):
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()


def write(folder: Path, rows: Sequence[Row]) -> None:
    """Write `manifest.csv`, whole or not at all.

    Raises:
        StorageError: when it cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["class" if f.name == "label" else f.name for f in fields(Row)])
    for row in rows:
        writer.writerow(astuple(row))
    files.write(folder / MANIFEST, text.getvalue().encode("utf-8", "backslashreplace"))


def _elsewhere(label: str, other: str) -> str:
    return "" if label == other else _CLASH
