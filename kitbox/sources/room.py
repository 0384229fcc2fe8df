"""The folder an archive unpacks into: what may enter it, and how much."""

from __future__ import annotations

import logging
import os
import posixpath
import shutil
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kitbox.errors import some, storage
from kitbox.storage import filling

log = logging.getLogger("kitbox")

_CHUNK = 1 << 20
_NAME, _PATH = 255, 2048  # bytes in a name, characters in a path
_HOSTILE = "Do not use it; get the archive from a source you trust"
_LIMIT = "If it is meant to be that large, raise `{}`"

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Limits:
    """How much may be unpacked.

    Attributes:
        bytes: of all files together.
        files: files, folders and links.
    """

    bytes: int
    files: int


class Refused(Exception):  # noqa: N818 - the border turns it into a SourceError
    """An archive that is not let in.

    Attributes:
        do: what the person can do.
    """

    def __init__(self, why: str, *, do: str = _HOSTILE) -> None:
        self.do = do
        super().__init__(why)


class Room:
    """Takes files, folders and links, below one empty folder.

    Symbolic links are made last. As none exists while files are written, no
    name can lead out through one, whatever order the archive has.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.folder, self.limits = folder, limits
        self._folders: set[Parts] = {()}
        self._links: dict[Parts, str] = {}
        self._written: set[Parts] = set()
        self._bytes = self._count = self._files = 0

    def place(self, name: str) -> Parts | None:
        """The steps of a name below the folder, or None for one that is skipped.

        Raises:
            Refused: when the name is absolute, has `..` or cannot be a file's.
        """
        steps = tuple(step for step in name.split("/") if step not in ("", "."))
        if name.startswith("/"):
            raise Refused(f"the absolute path {_short(name)}")
        if ".." in steps:
            raise Refused(f"a path that leads outside, {_short(name)}")
        if len(name) > _PATH or any(len(os.fsencode(step)) > _NAME for step in steps):
            raise Refused(f"a name that is too long, {_short(name)}")
        if "\0" in name:
            raise Refused(f"a name that no file can have, {_short(name)}")
        if not steps or _is_junk(steps):
            return None
        return steps

    def add_folder(self, steps: Parts) -> None:
        """Make a folder and those above it."""
        for depth in range(1, len(steps) + 1):
            above = steps[:depth]
            if above in self._folders:
                continue
            if above in self._links:
                raise Refused(f"a path through a link, {_short('/'.join(steps))}")
            self._one_more()
            with storage(self.folder, "unpacking to"):
                try:
                    self._path(above).mkdir()
                except FileExistsError:
                    if above not in self._written:
                        raise self._one_for_two(above) from None
                    raise Refused(
                        f"a file and a folder of the same name, {_short('/'.join(above))}"
                    ) from None
            self._folders.add(above)

    def add_file(self, steps: Parts, content: IO[bytes], size: int, time: float) -> None:
        """Write a file of at most `size` bytes, changed at `time` (seconds since 1970).

        A later file of the same name replaces an earlier one, as tar has it.

        Raises:
            EOFError: when the content ends before `size` bytes.
        """
        path = self._new(steps)
        left = size
        self._take(size)
        with filling(path, "xb", "unpacking to") as file:
            while left and (piece := content.read(min(left, _CHUNK))):
                with storage(path, "unpacking to"):
                    file.write(piece)
                left -= len(piece)
            if left:
                raise EOFError(f"{'/'.join(steps)} lacks {left} of {size} bytes")
        self._files += 1
        if 0 < time < 2**33:
            os.utime(path, (time, time))

    def add_hard_link(self, steps: Parts, to: Parts) -> None:
        """A second name of a file that is here already."""
        path, old = self._new(steps, keep=to), self._path(to)
        if to in self._links or to in self._folders or not old.is_file():
            raise Refused(
                f"a link to what is not in it before, {_short('/'.join(steps))} to "
                f"{_short('/'.join(to))}"
            )
        if steps == to:
            return
        self._take(old.stat().st_size)
        with storage(path, "unpacking to"):
            try:
                os.link(old, path)
            except OSError:
                # Network drives have no second names.
                shutil.copy2(old, path)
        self._files += 1

    def add_link(self, steps: Parts, to: str) -> None:
        """Remember a symbolic link; `finish` makes it."""
        if not to or "\0" in to or len(to) > _PATH:
            raise Refused(f"a link to what no file can be, {_short('/'.join(steps))}")
        end = posixpath.normpath(posixpath.join(*steps[:-1], to))
        if to.startswith("/") or end.split("/")[0] == "..":
            raise Refused(f"a link that leads outside, {_short('/'.join(steps))} to {_short(to)}")
        if self._links.get(steps, to) != to:
            raise Refused(f"two links of one name, {_short('/'.join(steps))}")
        if os.path.lexists(self._path(steps)):
            raise Refused(f"a link in the place of another entry, {_short('/'.join(steps))}")
        self.add_folder(steps[:-1])
        self._one_more()
        self._links[steps] = to

    def finish(self) -> None:
        """Make the links, and see where they really lead.

        Raises:
            Refused: when one leads outside, or nothing was unpacked.
        """
        for steps, to in self._links.items():
            with storage(self.folder, "unpacking to"):
                self._path(steps).symlink_to(to)
        inside = os.path.realpath(self.folder)
        lost = []
        for steps in self._links:
            try:
                end = os.path.realpath(self._path(steps), strict=True)
            except OSError:
                lost.append(steps)
                continue
            if os.path.commonpath([inside, end]) != inside:
                raise Refused(f"a link that leads outside, {_short('/'.join(steps))}")
        for steps in lost:
            self._path(steps).unlink()
        if lost:
            log.warning(
                "Links that lead nowhere were left out: %s", some("/".join(s) for s in lost)
            )
        if not self._files:
            raise Refused("no file in it", do="Check that it is the right archive")

    def too_many(self) -> Refused:
        """What to say to more entries than may enter."""
        return Refused(
            f"more than {self.limits.files} files and folders", do=_LIMIT.format("max_files")
        )

    def _new(self, steps: Parts, *, keep: Parts | None = None) -> Path:
        """The path of a new entry that is no folder; an earlier file there is removed."""
        self.add_folder(steps[:-1])
        if steps in self._links:
            raise Refused(f"a file in the place of a link, {_short('/'.join(steps))}")
        if steps in self._folders:
            raise Refused(f"a file and a folder of the same name, {_short('/'.join(steps))}")
        self._one_more()
        path = self._path(steps)
        if steps not in self._written and os.path.lexists(path):
            raise self._one_for_two(steps)
        self._written.add(steps)
        if steps != keep:
            with storage(path, "unpacking to"):
                # Removed, not overwritten: its bytes may have a second name.
                path.unlink(missing_ok=True)
        return path

    def _one_for_two(self, steps: Parts) -> Refused:
        """What to say where a new name is there already: this disk does not tell the two apart."""
        others = (*self._written, *self._folders)
        twin = next((one for one in others if _alike(one) == _alike(steps)), steps)
        return Refused(
            f"two names that are one on this disk, {_short('/'.join(twin))} and "
            f"{_short('/'.join(steps))}",
            do="Unpack it on a disk that tells upper case and forms of Unicode apart",
        )

    def _path(self, steps: Parts) -> Path:
        return self.folder.joinpath(*steps)

    def _one_more(self) -> None:
        self._count += 1
        if self._count > self.limits.files:
            raise self.too_many()

    def _take(self, size: int) -> None:
        self._bytes += size
        if self._bytes > self.limits.bytes:
            raise Refused(
                f"more than {self.limits.bytes / 1e9:g} GB when unpacked",
                do=_LIMIT.format("max_gb"),
            )


def _alike(steps: Parts) -> str:
    """The same for names that some disks take for one: by case, by the form of accents."""
    return unicodedata.normalize("NFC", "/".join(steps)).casefold()


def _is_junk(steps: Parts) -> bool:
    last = steps[-1]
    return "__MACOSX" in steps or last.startswith("._") or last == ".DS_Store"


def _short(name: str) -> str:
    text = repr(name)
    return text if len(text) <= 80 else f"{text[:77]}..."
