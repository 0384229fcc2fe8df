"""Label files: which file belongs to which picture."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kitbox.data.files import contents, stem
from kitbox.errors import LabelError, nearest, some

GIVEN = ("stem", "name", "folder", "path")
"""What a template may name: the picture's name without and with suffix, its folder and its
path, both below the folder of the pictures."""


@dataclass(frozen=True)
class Matched:
    """Pictures and their label files, paths below the source's folder.

    Attributes:
        files: the label file of each picture that has one.
        without: the pictures that have none, each with the file that was looked for.
        unused: files that look like label files and belong to no picture.
    """

    files: dict[str, str]
    without: dict[str, str]
    unused: tuple[str, ...]

    def told(self, what: str = "label file") -> list[str]:
        """Sentences on how many match."""
        image, path = next(iter(self.files.items()))
        total = len(self.files) + len(self.without)
        notes = [f"{len(self.files)} of {total} pictures have a {what}: {image} has {path}."]
        if self.without:
            notes.append(f"Skipped, because they have no {what}: {some(self.without)}.")
        if self.unused:
            notes.append(f"{len(self.unused)} {what}s belong to no picture: {some(self.unused)}.")
        return notes


def check(template: str, pattern: str | None = None) -> None:
    """Check a template, and the pattern whose groups it may name.

    Raises:
        ValueError: for an unknown name, or a pattern that is no regular expression.
    """
    known = [*GIVEN, *_groups(pattern)]
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
        template.format(**dict.fromkeys([*known, *names], "x"))
    except (ValueError, LookupError, AttributeError) as error:
        raise ValueError(f"found {template!r}, expected a path with {{stem}} ({error})") from error
    if strange := [name for name in names if name not in known]:
        hint = nearest(strange[0], known)
        raise ValueError(f"found {{{strange[0]}}} in {template!r}. {hint}".strip())
    if not names:
        raise ValueError(f"found {template!r}, expected a path with {{stem}}: a file per picture")


def fill(template: str, image: str, pattern: str | None = None) -> str | None:
    """The path that a template gives for a picture; None where the pattern does not fit.

    Args:
        template: of a label file's path below the source's folder: `labels/{stem}.txt`.
        image: the picture's path below the folder of the pictures.
        pattern: searched in the picture's name without suffix; the template may name its
            groups.

    >>> fill("{folder}/{frame}_pose.txt", "01/frame_3_rgb.jpg", r"(?P<frame>frame_[0-9]+)_rgb")
    '01/frame_3_pose.txt'
    """
    groups: dict[str, str] = {}
    if pattern is not None:
        found = re.search(pattern, stem(image))
        if found is None:
            return None
        groups = {name: text or "" for name, text in found.groupdict().items()}
    folder, _, name = image.rpartition("/")
    given = {"stem": stem(image), "name": name, "folder": folder, "path": image}
    path = template.format(**given | groups)
    return re.sub("/+", "/", path).lstrip("/").removeprefix("./")


def match(
    wanted: Mapping[str, str | None],
    listed: Sequence[str],
    folder: Path,
    *,
    unmatched: Literal["error", "skip"],
    what: str = "label file",
    do: str = "Correct `files` of the labeler",
) -> Matched:
    """Find the label file of each picture.

    A picture that is another one's label file (masks may lie between the pictures) is
    no picture of its own.

    Args:
        wanted: the label file of each picture, None where its name has no pattern; paths
            below the source's folder.
        listed: all files of the source.
        folder: the source's.
        unmatched: what a picture without its label file is: an error, or left out.
        what: a label file, in a message.
        do: what to do about pictures without one.

    Raises:
        LabelError: when a picture has no label file and that is an error, or none has.
    """
    there = set(listed)
    taken = {path for image, path in wanted.items() if path in there and path != image}
    pictures = {image: path for image, path in wanted.items() if image not in taken}
    files = {image: path for image, path in pictures.items() if path is not None and path in there}
    without = {
        image: path or "name that fits the pattern"
        for image, path in pictures.items()
        if image not in files
    }
    if not files or (without and unmatched == "error"):
        pairs = some((f"no {path} for {image}" for image, path in without.items()), most=3)
        near = _near(folder, pictures[next(iter(without))])
        raise LabelError(
            f"{len(without)} of {len(pictures)} pictures have no {what}",
            found=f"{pairs}; there are {contents(near)}",
            do=f"{do}, set `images` to the folder of the labelled pictures"
            + (", or set `unmatched: skip`" if files else ""),
        )
    places = {_place(path) for path in files.values()}
    used = {*files.values(), *pictures}
    unused = tuple(path for path in listed if path not in used and _place(path) in places)
    return Matched(files, without, unused)


def _groups(pattern: str | None) -> list[str]:
    if pattern is None:
        return []
    try:
        return list(re.compile(pattern).groupindex)
    except re.error as error:
        raise ValueError(f"found {pattern!r}, which is no regular expression: {error}") from error


def _near(folder: Path, path: str | None) -> Path:
    """The folder in which a file should be, or the one around that there is."""
    near = folder if path is None else (folder / path).parent
    while not near.is_dir():
        near = near.parent
    return near


def _place(path: str) -> tuple[str, str]:
    """The folder and the suffix."""
    folder, _, name = path.rpartition("/")
    return folder, name.rpartition(".")[2]
