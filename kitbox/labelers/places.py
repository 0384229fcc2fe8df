"""Where the pictures are that a csv file names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kitbox.data import matching
from kitbox.data.files import bare, ending, is_picture
from kitbox.errors import LabelError, some

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
    ids: Sequence[str],
    files: Sequence[str],
    folder: str | None = None,
    suffix: str | None = None,
    match: str | None = None,
) -> tuple[list[str], list[str]] | None:
    """The path of the picture that each id means, and notes on what was guessed.

    A picture that is not there gets the path at which it was looked for. Where the
    pictures of one table are spread over many folders they are found by their names.

    Args:
        ids: what the csv file says.
        files: all files of the source.
        folder: where the pictures are, None to guess it.
        suffix: what the ids lack, None to guess it.
        match: a regular expression that finds the id in a picture's path.

    Returns:
        paths below the source's folder, one an id, and notes; None where none
        of the pictures that were looked for is there.

    Raises:
        LabelError: when `match` finds an id in several pictures.
    """
    if match is not None:
        return _matched(ids, files, folder, match)
    plain = [meant(one, suffix) for one in ids]
    sought = plain[:: max(len(plain) // FIRST, 1)]
    likely = places(sought, files)
    if len(spread := _spread(plain, likely, len(sought), files, folder, suffix)) > 0:
        missing = [one for one in plain if one not in spread]
        notes = ["The pictures are in several folders, and found by their names."]
        if missing:
            notes.append(f"{len(missing)} of {len(ids)} pictures are missing: {some(missing)}.")
        return [spread.get(one, one) for one in plain], notes
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


def _matched(
    ids: Sequence[str], files: Sequence[str], folder: str | None, match: str
) -> tuple[list[str], list[str]] | None:
    """As `find`, by a regular expression."""
    start = f"{folder}/" if folder else ""
    found = matching.keys(match, (f for f in files if is_picture(f) and f.startswith(start)))
    if not any(one in found for one in ids):
        return None
    several = [one for one in ids if len(found.get(one, ())) > 1]
    if several:
        raise LabelError(
            f"`match` finds {len(several)} ids in several pictures each",
            found=f"{several[0]} in {some(found[several[0]])}",
            do="Make it more exact",
        )
    missing = [one for one in ids if one not in found]
    notes = [f"{len(missing)} of {len(ids)} pictures are missing: {some(missing)}."]
    return [found.get(one, [start + one])[0] for one in ids], notes if missing else []


def _spread(
    plain: Sequence[str],
    likely: Sequence[Place],
    count: int,
    files: Sequence[str],
    folder: str | None,
    suffix: str | None,
) -> dict[str, str]:
    """The picture of every id where they are spread over many folders; {} where one has most.

    Only names that one picture has count. The folders are those below `folder`, else
    below the top one in which most are.
    """
    start = f"{folder}/" if folder else ""
    below = [place for place in likely if place.prefix.startswith(start)]
    if len(below) < 2 or 2 * below[0].hits >= count:
        return {}
    if folder is None:
        tops: dict[str, int] = {}
        for place in below:
            top = place.prefix[: place.prefix.find("/") + 1]
            tops[top] = tops.get(top, 0) + place.hits
        start = max(tops, key=lambda top: (not top.lower().startswith("test"), tops[top]))
    named: dict[str, set[str]] = {}
    for path in files:
        if path.startswith(start) and is_picture(path):
            name = path.rpartition("/")[2]
            for one in {name} if suffix is not None else {name, bare(name)}:
                named.setdefault(one, set()).add(path)
    found = {one: named.get(one.rpartition("/")[2], set()) for one in plain}
    return {one: next(iter(paths)) for one, paths in found.items() if len(paths) == 1}


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
