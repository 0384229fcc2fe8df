"""Label files: which file belongs to which picture."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass

from kitbox.data.files import is_picture, stem
from kitbox.errors import LabelError, nearest, some

GIVEN = ("stem", "folder", "path")
"""What a template may name: the picture's name without suffix, its folder, its path."""


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

    def told(self) -> str:
        """A sentence on how many match."""
        total = len(self.files) + len(self.without)
        text = f"{len(self.files)} of {total} pictures have a label file"
        if self.without:
            text += f"; left out, as there is no {some(self.without.values(), most=3)}"
        if self.unused:
            text += f"; {len(self.unused)} label files without a picture: {some(self.unused, 3)}"
        return text + "."


def check(template: str, pattern: str | None) -> None:
    """Check a template, and the pattern whose groups it may name.

    Raises:
        ValueError: for an unknown name, or a pattern that is no regular expression.
    """
    known = [*GIVEN, *_groups(pattern)]
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
    except ValueError as error:
        raise ValueError(f"found {template!r}, expected a path with {{stem}} ({error})") from error
    if strange := [name for name in names if name not in known]:
        raise ValueError(
            f"found {{{strange[0]}}} in {template!r}. {nearest(strange[0], known)}".strip()
        )
    if not names:
        raise ValueError(f"found {template!r}, expected a path with {{stem}}: a file per picture")


def match(
    images: Sequence[str], listed: Sequence[str], template: str, pattern: str | None = None
) -> Matched:
    """Find the label file of each picture.

    Args:
        images: paths of pictures below the source's folder.
        listed: all files of the source.
        template: of a label file's path below the source's folder: `{folder}/{stem}.txt`.
        pattern: searched in a picture's name without suffix; the template may name its
            groups. Pictures that it does not fit count as without.

    Raises:
        LabelError: when no picture has a label file.
    """
    there = set(listed)
    files, without = {}, {}
    for image in images:
        path = fill(template, image, pattern)
        if path in there:
            files[image] = path
        else:
            without[image] = path or f"name that fits {pattern}"
    if not files:
        raise LabelError(
            f"None of {len(images)} pictures has a label file",
            found=f"no {some(dict.fromkeys(without.values()), most=3)}; there are "
            f"{some([path for path in listed if not is_picture(path)] or listed)}",
            do="Correct `files` of the labeler: a path below the source's folder with {stem}",
        )
    used = set(files.values())
    places = {_place(path) for path in used}
    unused = tuple(
        path for path in listed if path not in used and path not in files and _place(path) in places
    )
    return Matched(files, without, unused)


def fill(template: str, image: str, pattern: str | None = None) -> str | None:
    """The path that a template gives for a picture; None where the pattern does not fit.

    >>> fill("{folder}/{frame}_pose.txt", "01/frame_3_rgb.jpg", r"(?P<frame>frame_[0-9]+)_rgb")
    '01/frame_3_pose.txt'
    """
    groups: dict[str, str] = {}
    if pattern is not None:
        found = re.search(pattern, stem(image))
        if found is None:
            return None
        groups = {name: text or "" for name, text in found.groupdict().items()}
    folder = image.rpartition("/")[0]
    path = template.format(**{"stem": stem(image), "folder": folder, "path": image} | groups)
    return re.sub("/+", "/", path).lstrip("/").removeprefix("./")


def _groups(pattern: str | None) -> list[str]:
    if pattern is None:
        return []
    try:
        return list(re.compile(pattern).groupindex)
    except re.error as error:
        raise ValueError(f"found {pattern!r}, which is no regular expression: {error}") from error


def _place(path: str) -> tuple[str, str]:
    """The folder and the suffix."""
    folder, _, name = path.rpartition("/")
    return folder, name.rpartition(".")[2]
