"""Which folder of pictures a film becomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

SUFFIXES = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv")


def is_film(name: str) -> bool:
    """Whether a file is a film, by its name."""
    return name.lower().endswith(SUFFIXES)


def without_suffix(name: str) -> str:
    """A film's name without its suffix.

    >>> without_suffix("a/x.MP4"), without_suffix("a/take.2")
    ('a/x', 'a/take.2')
    """
    return name.rpartition(".")[0] if is_film(name) else name


def folders(names: Sequence[str]) -> dict[str, str]:
    """The folder of each film, all below one folder: `a/x` of `a/x.mp4`.

    It is `a/x.mp4` where `a/x` is wanted twice, or is a file or a folder already.

    Args:
        names: all files, films or not.
    """
    short = {name: without_suffix(name) for name in names if is_film(name)}
    there = {path.casefold() for name in names for path in (name, *_above(name))}
    # Some file systems take A and a for one name.
    wanted = Counter(folder.casefold() for folder in short.values())
    return {
        name: name if wanted[folder.casefold()] > 1 or folder.casefold() in there else folder
        for name, folder in short.items()
    }


def film_of(image: str) -> str:
    """The film that a picture is a frame of: its folder."""
    return image.replace("\\", "/").rpartition("/")[0]


def _above(name: str) -> list[str]:
    """The folders that a file is in."""
    return [str(path) for path in PurePosixPath(name).parents]
