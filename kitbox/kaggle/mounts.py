"""What a kernel has attached: folders below /kaggle/input, in the new and the old layout."""

from __future__ import annotations

import os
from pathlib import Path

INPUT = "KITBOX_KAGGLE_INPUT"
"""The folder to look in instead of /kaggle/input."""

_NEW = {"competitions": 1, "datasets": 2, "models": 2, "notebooks": 2}
"""Folders of the new layout, and how many folders below each name a thing."""


def root() -> Path:
    """The folder that attached data lies below."""
    return Path(os.environ.get(INPUT) or "/kaggle/input")


def is_rerun() -> bool:
    """Whether this is the rerun of a code competition, with the hidden test set."""
    return bool(os.environ.get("KAGGLE_IS_COMPETITION_RERUN"))


def attached() -> list[str]:
    """What is attached, as paths below the root, in the new and the old layout; sorted."""
    if not root().is_dir():
        return []
    tops = [one for one in root().iterdir() if one.is_dir()]
    patterns = {top: "/".join("*" * _NEW[top.name]) for top in tops if top.name in _NEW}
    found = [one for top in tops for one in (top.glob(patterns[top]) if top in patterns else [top])]
    return sorted(one.relative_to(root()).as_posix() for one in found)


def competition(slug: str) -> Path | None:
    """The folder of an attached competition, or None."""
    return _first(("competitions", slug), (slug,))


def dataset(owner: str, slug: str) -> Path | None:
    """The folder of an attached dataset, or None. A mount does not tell its version."""
    return _first(("datasets", owner, slug), (slug,))


def model(
    owner: str, name: str, framework: str, variation: str, version: int | None
) -> Path | None:
    """The folder of an attached model, or None; without a version the highest there."""
    for start in (("models", owner), ()):
        folder = _first((*start, name, framework, variation))
        if folder is None:
            continue
        if version is not None:
            found = _full(folder / str(version))
        else:
            numbers = [int(e.name) for e in folder.iterdir() if e.name.isdecimal()]
            found = _full(folder / str(max(numbers))) if numbers else folder
        if found is not None:
            return found
    return None


def _first(*places: tuple[str, ...]) -> Path | None:
    """The first of the places below the root that is a folder with something in it."""
    for steps in places:
        # In the old layout a slug lies at the top, where the new one has its four folders.
        if len(steps) == 1 and steps[0] in _NEW:
            continue
        folder: Path | None = root()
        for step in steps:
            folder = _below(folder, step) if folder else None
        if folder is not None and _full(folder):
            return folder
    return None


def _below(folder: Path, name: str) -> Path | None:
    """The folder of that name in `folder`, in any case: 'pyTorch' is mounted as 'pytorch'."""
    if (exact := folder / name).is_dir():
        return exact
    try:
        alike = (entry for entry in folder.iterdir() if entry.name.lower() == name.lower())
        return next((entry for entry in alike if entry.is_dir()), None)
    except OSError:
        return None


def _full(folder: Path) -> Path | None:
    try:
        return folder if any(folder.iterdir()) else None
    except OSError:
        return None
