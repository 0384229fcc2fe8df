"""Where the pictures are that a csv file names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kitbox.data.files import bare, ending
from kitbox.errors import some

FOLDERS = ("", "train", "train_images", "images", "train_image", "images_train", "imgs", "pictures")
"""Folders of pictures, the likeliest first; '' is the source's own."""
FIRST = 200
"""How many pictures the guess looks for, spread over the table."""


@dataclass(frozen=True)
class Place:
    """A place where pictures are: `prefix + id + suffix`.

    Attributes:
        prefix: '' or a folder and a slash.
        suffixes: '' and suffixes with their dot, the likeliest first.
        hits: how many of the pictures are there.
    """

    prefix: str
    suffixes: tuple[str, ...]
    hits: int


def places(ids: Iterable[str], files: Iterable[str]) -> list[Place]:
    """The places where some of the pictures that `ids` name are, the likeliest first.

    Among equals a folder called test comes last, one of `FOLDERS` first, then
    the one nearest to the top.

    Args:
        ids: paths of pictures, with or without suffix, below an unknown folder.
        files: all files of the source.
    """
    wanted: dict[str, set[str]] = {}
    for one in ids:
        wanted.setdefault(one.rpartition("/")[2], set()).add(one)
    found: dict[str, dict[str, set[str]]] = {}
    for path in files:
        name = path.rpartition("/")[2]
        for end in {name, bare(name)} & wanted.keys():
            suffix = name[len(end) :]
            whole = path[: len(path) - len(suffix)]
            for one in wanted[end]:
                if f"/{whole}".endswith(f"/{one}"):
                    prefix = whole[: len(whole) - len(one)]
                    found.setdefault(prefix, {}).setdefault(suffix, set()).add(one)

    listed = [
        Place(
            prefix,
            tuple(sorted(ends, key=lambda suffix: (-len(ends[suffix]), suffix))),
            len(set().union(*ends.values())),
        )
        for prefix, ends in found.items()
    ]
    return sorted(listed, key=_likely)


def find(
    ids: Sequence[str], files: Sequence[str], folder: str | None = None, suffix: str | None = None
) -> tuple[list[str], list[str]] | None:
    """The path of the picture that each id means, and notes on what was guessed.

    A picture that is not there gets the path at which it was looked for.

    Args:
        ids: what the csv file says.
        files: all files of the source.
        folder: where the pictures are, None to guess it.
        suffix: what the ids lack, None to guess it.

    Returns:
        paths below the source's folder, one an id, and notes; None where none
        of the pictures that were looked for is there.
    """
    plain = [meant(one, suffix) for one in ids]
    likely = places(plain[:: max(len(plain) // FIRST, 1)], files)
    if folder is not None:
        likely = [place for place in likely if place.prefix == (f"{folder}/" if folder else "")]
    if suffix is not None:
        likely = [place for place in likely if "" in place.suffixes]
    if not likely:
        return None
    best, *others = likely
    suffixes = best.suffixes if suffix is None else ("",)
    notes = []
    if folder is None:
        notes.append(f"Guessed: the pictures are in '{_name(best)}'.")
        equals = [_name(place) for place in others if place.hits == best.hits]
        if equals:
            notes.append(f"Pictures of the same names are in {some(equals)} too.")
    if suffix is None and suffixes != ("",):
        notes.append(f"Guessed: the names lack the suffix {some(suffixes)}.")

    there = set(files)
    paths, missing = [], []
    for one in plain:
        tried = [f"{best.prefix}{one}{end}" for end in suffixes]
        path = next((path for path in tried if path in there), None)
        if path is None:
            missing.append(tried[0])
        paths.append(path or tried[0])
    if missing:
        notes.append(f"{len(missing)} of {len(ids)} pictures are missing: {some(missing)}.")
    return paths, notes


def meant(one: str, suffix: str | None) -> str:
    r"""The path that an id means, with the suffix that is set.

    >>> meant(r".\train\a", "jpg"), meant("/a.jpg", ".jpg")
    ('train/a.jpg', 'a.jpg')
    """
    path = one.replace("\\", "/").lstrip("/")
    while path.startswith("./"):
        path = path[2:].lstrip("/")
    end = ending(suffix)
    return path if path.endswith(end) else path + end


def _likely(place: Place) -> tuple[int, bool, int, int, str]:
    name = "" if not place.prefix else place.prefix.split("/")[-2].lower()
    known = FOLDERS.index(name) if name in FOLDERS else len(FOLDERS)
    return -place.hits, name.startswith("test"), known, place.prefix.count("/"), place.prefix


def _name(place: Place) -> str:
    return place.prefix.rstrip("/") or "."
