"""Wheels of what is installed here: made again from its files, without an index or a builder."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from kitbox.errors import SourceError
from kitbox.installed import BUILT_IN
from kitbox.kaggle import resolver

_WHEEL = "Wheel-Version: 1.0\nGenerator: kitbox\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_WHEN = (2020, 1, 1, 0, 0, 0)
"""The time of every entry, so that the same files make the same wheel."""


def make(package: str, folder: Path) -> None:
    """Put the wheel of an installed package into a folder.

    kitbox itself, and what was installed from a wheel, is packed as it lies there; what is
    installed for editing is built from its source.

    Raises:
        SourceError: when it is not installed, has compiled parts, or cannot be built.
    """
    try:
        found = metadata.distribution(package)
    except metadata.PackageNotFoundError as error:
        raise SourceError(f"The package {package} is not installed", do="Install it") from error
    if resolver.canonical(package) != BUILT_IN and (project := _edited(found)):
        resolver.build(project, folder)
        return
    files = dict(_own() if resolver.canonical(package) == BUILT_IN else _recorded(found))
    compiled = [name for name in files if name.endswith((".so", ".pyd"))]
    if compiled:
        raise SourceError(
            f"{package} has compiled parts and is on no index that it could be fetched from",
            found=compiled[0],
            do="Put its wheels into the folder `wheels` yourself",
        )
    _zip(found, files, folder)


def requirements(package: str) -> list[str]:
    """What an installed package needs, without its extras."""
    wanted = metadata.distribution(package).requires or []
    return [one for one in wanted if "extra ==" not in one.partition(";")[2]]


def _own() -> Iterator[tuple[str, bytes]]:
    """kitbox's own files, wherever they lie."""
    root = Path(__file__).resolve().parents[1]
    for path in sorted(root.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield f"{BUILT_IN}/{path.relative_to(root).as_posix()}", path.read_bytes()


def _recorded(found: metadata.Distribution) -> Iterator[tuple[str, bytes]]:
    """The files that a package was installed with, without its metadata and programs."""
    for path in found.files or ():
        name = path.as_posix()
        outside = name.startswith("..") or ".dist-info/" in name or "__pycache__" in name
        if not outside and not name.endswith(".pth"):
            yield name, Path(str(path.locate())).read_bytes()


def _edited(found: metadata.Distribution) -> str | None:
    """The source of a package that is installed for editing."""
    told = json.loads(found.read_text("direct_url.json") or "{}")
    return str(told["url"]) if told.get("dir_info", {}).get("editable") else None


def _zip(found: metadata.Distribution, files: dict[str, bytes], folder: Path) -> None:
    name, version = found.metadata["Name"], found.version
    stem = f"{resolver.canonical(name).replace('-', '_')}-{version}"
    about = {"METADATA": found.read_text("METADATA") or "", "WHEEL": _WHEEL}
    if points := found.read_text("entry_points.txt"):
        about["entry_points.txt"] = points
    entries = files | {f"{stem}.dist-info/{n}": text.encode() for n, text in about.items()}
    lines = [f"{n},{_hash(data)},{len(data)}" for n, data in entries.items()]
    record = f"{stem}.dist-info/RECORD"
    entries[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, data in entries.items():
            head = zipfile.ZipInfo(entry, _WHEN)
            head.external_attr = 0o644 << 16
            head.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(head, data)
    os.chmod(path, 0o644)


def _hash(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
    return f"sha256={digest.rstrip(b'=').decode()}"
