"""Which picture a recording becomes: what the source writes and the labeler looks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

SUFFIX = ".wav"


def is_recording(name: str) -> bool:
    """Whether a file is one that the source reads, by its name."""
    return name.lower().endswith(SUFFIX)


def pictures(names: Sequence[str], keep_suffix: bool) -> dict[str, str]:
    """The picture of each recording, all below one folder: `a/x.png` of `a/x.wav`.

    It is `a/x.wav.png` where `a/x.png` is wanted twice or is there, and with `keep_suffix`.

    Args:
        names: all files, recordings or not.
    """
    short = {name: f"{without_suffix(name)}.png" for name in names if is_recording(name)}
    # Some file systems take A.png and a.png for one file.
    wanted = Counter(
        name.casefold() for name in (*short.values(), *(n for n in names if n not in short))
    )
    return {
        name: f"{name}.png" if keep_suffix or wanted[picture.casefold()] > 1 else picture
        for name, picture in short.items()
    }


def picture_of(recording: str, folder: Path) -> str:
    """The picture that a recording became, as `pictures` named it, below a fetched folder."""
    long = f"{recording}.png"
    return long if (folder / long).is_file() else f"{without_suffix(recording)}.png"


def without_suffix(name: str) -> str:
    """A name without `.wav`.

    >>> without_suffix("a/x.WAV"), without_suffix("a/take.2")
    ('a/x', 'a/take.2')
    """
    return name[: -len(SUFFIX)] if is_recording(name) else name
