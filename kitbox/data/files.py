"""Which files lie below a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import AfterValidator

from kitbox.errors import KitboxError, LabelError, nearest, some

SUFFIXES = ("jpg", "jpeg", "png", "bmp", "gif", "tif", "tiff", "webp")
"""The suffixes of picture files, without the dot and in lower case."""


def pictures(folder: Path) -> list[str]:
    """All picture files below `folder`, sorted, as `/`-separated paths relative to it.

    A picture is told by its suffix (`SUFFIXES`, any case). See `files` for what
    is skipped.

    Raises:
        LabelError: when the folder is not there or may not be read.
    """
    return [path for path in files(folder) if is_picture(path)]


def some_pictures(
    folder: Path,
    below: str,
    do: str = "Set `images` of the labeler to the folder of the pictures",
) -> list[str]:
    """The pictures below the folder `below` of `folder`, as `pictures` has them; at least one.

    Raises:
        LabelError: when there is no such folder, or no picture; `do` says what to do then.
    """
    root = inside(folder, below)
    found = pictures(root)
    if not found:
        raise LabelError(f"There are no pictures below {root}", found=contents(root), do=do)
    return found


def files(folder: Path) -> list[str]:
    """All files below `folder`, sorted, as `/`-separated paths relative to it.

    Hidden names and `__MACOSX` are skipped. A link to a folder is followed
    unless it leads back to a folder that it lies in.

    Raises:
        LabelError: when the folder is not there or may not be read.
    """
    try:
        status = os.stat(folder)
        return sorted(_walk(os.fspath(folder), "", ((status.st_dev, status.st_ino),)))
    except OSError as error:
        raise LabelError(
            f"The folder {error.filename or folder} cannot be listed",
            found=error.strerror or type(error).__name__,
            do="Check the path and its permissions",
        ) from error


def is_picture(path: str) -> bool:
    """Whether the name ends like a picture's.

    >>> is_picture("a/B.JPG"), is_picture("a/labels.csv")
    (True, False)
    """
    return path.rpartition(".")[2].lower() in SUFFIXES and "." in path


def stem(path: str) -> str:
    """The last name of a path without a picture's suffix.

    >>> stem("train/cat.0.jpg"), stem("train/cat.0")
    ('cat.0', 'cat.0')
    """
    return bare(path).rpartition("/")[2]


def bare(path: str) -> str:
    """The path without a picture's suffix.

    >>> bare("train/0001.jpg"), bare("train/v1.5")
    ('train/0001', 'train/v1.5')
    """
    return path.rpartition(".")[0] if is_picture(path) else path


def ending(suffix: str | None) -> str:
    """The suffix with its dot, which people leave out; None is no suffix.

    >>> ending("JPG"), ending("_P.png"), ending(None)
    ('.JPG', '_P.png', '')
    """
    return f".{suffix}" if suffix and suffix.lower() in SUFFIXES else suffix or ""


def is_below(path: str) -> bool:
    """Whether a `/`-separated path is relative and stays below where it starts.

    >>> is_below("train/a.jpg"), is_below("../a.jpg"), is_below("/a.jpg")
    (True, False, False)
    """
    pure = PurePosixPath(path)
    return not pure.is_absolute() and ".." not in pure.parts and "\0" not in path


def inside(folder: Path, path: str) -> Path:
    """The folder `path` below `folder`.

    Raises:
        LabelError: when there is no such folder, naming what is there.
    """
    here = folder / path
    if here.is_dir():
        return here
    below = _folders(folder)
    raise LabelError(
        f"There is no folder '{path}' below {folder}",
        found=contents(folder),
        do=nearest(path, below),
    )


def lines(folder: Path, name: str, what: str, refuse: type[KitboxError], do: str) -> list[str]:
    """The lines of a text file below a folder, stripped, without empty ones.

    Args:
        folder: the source's.
        name: the file, below it.
        what: what it is, for messages.
        refuse: the error to raise.
        do: what to do where no file's name is near.

    Raises:
        KitboxError: of the kind `refuse`, when there is no such file (naming the
            nearest), or it is no text in UTF-8.
    """
    path = folder / name
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeError as error:
        raise refuse(f"{what} {path} is not UTF-8 text", do="Save it as UTF-8") from error
    except OSError as error:
        if path.exists():
            reason = error.strerror or type(error).__name__
            raise refuse(f"{what} {path} cannot be read: {reason}", do=do) from error
        place = f"{name.rpartition('/')[0]}/" if "/" in name else ""
        there = [one for one in _files_in(path.parent) if not is_picture(one)]
        near = nearest(name, [place + one for one in there])
        raise refuse(
            f"There is no file '{name}' below {folder}",
            found=contents(path.parent),
            do=near if near.startswith("Did") else do,
        ) from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def contents(folder: Path) -> str:
    """What lies directly in a folder, in words for a message."""
    try:
        names = sorted(name for name in os.listdir(folder) if not _skipped(name))
    except OSError as error:
        return f"{folder} cannot be listed ({error.strerror})"
    folders = [f"{name}/" for name in names if (folder / name).is_dir()]
    others = [name for name in names if f"{name}/" not in set(folders)]
    told = [some(group) for group in (folders, others) if group]
    return f"{' and '.join(told)} in {folder}" if told else f"nothing in {folder}"


def _files_in(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(folder) if entry.is_file()]
    except OSError:
        return []


def _folders(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(folder) if entry.is_dir()]
    except OSError:
        return []


def _walk(folder: str, prefix: str, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    """The files below `folder`; `above` identifies the folders that we are in."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if _skipped(entry.name):
                continue
            path = prefix + entry.name
            if entry.is_file():
                yield path
            elif entry.is_dir():
                status = entry.stat()
                identity = (status.st_dev, status.st_ino)
                if identity not in above:
                    yield from _walk(entry.path, f"{path}/", (*above, identity))


def _skipped(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _check_below(path: str) -> str:
    if not is_below(path):
        raise ValueError(f"found {path!r}, expected a path below the source's folder")
    return path.strip("/") if path not in (".", "./") else ""


Below = Annotated[str, AfterValidator(_check_below)]
"""An option that is a `/`-separated path below the source's folder ('' is the folder itself)."""
