"""Files of decoded pictures: an array and its index, whole or not there, for later runs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kitbox import errors, storage
from kitbox.data.images import DECODER
from kitbox.errors import StorageError

if TYPE_CHECKING:
    import numpy as np

SPARE = 0.1
"""The share of a disk's free room that is left for the run's own files."""
RELATIVES = 4
"""Earlier caches of a folder that are looked through for pictures, the latest first."""


class Facts(NamedTuple):
    """What an index says beside the names: see `Pixels`."""

    extents: np.ndarray
    sizes: np.ndarray
    broken: dict[int, str]


@dataclass
class Canvas:
    """Room for M decoded pictures.

    Attributes:
        canvas: (M, S, S, C) uint8.
        tier: where it lies and why, a sentence.
        put: writes picture (h, w, C) into the corner of a row's square.
        finish: called when every picture is there; keeps them for later runs.
        abandon: called instead where that will not be.
    """

    canvas: np.ndarray
    put: Callable[[int, np.ndarray], None]
    tier: str = ""
    finish: Callable[[Facts], None] = lambda facts: None
    abandon: Callable[[], None] = lambda: None

    @classmethod
    def in_memory(cls, count: int, side: int, channels: int) -> Canvas:
        """Room in the memory, gone with this process."""
        import numpy as np

        canvas = np.zeros((count, side, side, channels), np.uint8)

        def put(row: int, picture: np.ndarray) -> None:
            canvas[row, : picture.shape[0], : picture.shape[1]] = picture

        return cls(canvas, put)


class Files:
    """The cache's files for some pictures of a folder, decoded to fit a square."""

    def __init__(
        self, cache: Path, folder: Path, images: Sequence[str], side: int, channels: int
    ) -> None:
        self.folder = cache / "pixels"
        self._images, self._shape = images, (side, side, channels)
        self._states = [_state(folder / image) for image in images]
        whose = f"{DECODER} {side} {channels} ".encode() + os.fsencode(folder.resolve())
        which = hashlib.blake2b(digest_size=12)
        for image, state in zip(images, self._states, strict=True):
            which.update(b"\0%s\0%d\0%d" % (os.fsencode(image), *state))
        self._family = hashlib.blake2b(whose, digest_size=8).hexdigest()
        self._file = self.folder / f"{self._family}-{which.hexdigest()}.pixels"

    def read(self) -> tuple[np.ndarray, Facts] | None:
        """The cached pixels (M, S, S, C), or None where they are missing or do not fit together."""
        found = _open(self._file, self._shape, len(self._images))
        if found is None:
            return None
        with suppress(OSError):
            os.utime(self._file)  # so that the longest unused ones are known
        return found.canvas, found.facts

    def room(self, need: int) -> int:
        """Bytes that may be taken of the disk; makes room for `need` by removing old caches."""
        there = next(one for one in (self.folder, *self.folder.parents) if one.exists())
        try:
            free = shutil.disk_usage(there).free
            caches = sorted(
                (one.stat().st_mtime, one.stat().st_size, one)
                for one in self.folder.glob("*.pixels")
            )
        except OSError:
            return need  # writing will tell
        for _, size, one in caches:
            if (1 - SPARE) * free >= need:
                break
            with suppress(OSError):
                one.unlink()
                one.with_suffix(".json").unlink(missing_ok=True)
                free += size
        return int((1 - SPARE) * free)

    def begin(self, count: int) -> Canvas:
        """Room for the first `count` pictures, in a file that is the cache when it is finished.

        Raises:
            StorageError: when the disk is full or the folder cannot be written.
        """
        with ExitStack() as opened:
            beside = opened.enter_context(storage.whole(self._file))
            with errors.storage(self._file, "writing"):
                canvas, put = _allocate(beside, (count, *self._shape), opened)
            kept = opened.pop_all()

        def finish(facts: Facts) -> None:
            kept.close()
            index = self._index(facts, count)
            try:
                storage.write(self._file.with_suffix(".json"), json.dumps(index))
            except StorageError:
                self._file.unlink(missing_ok=True)  # of no use without its index
                raise

        def abandon() -> None:
            with suppress(_AbandonedError):
                kept.__exit__(_AbandonedError, _AbandonedError(), None)

        return Canvas(canvas, put, "", finish, abandon)

    def relatives(self) -> Relatives:
        """Pictures of the same folder that earlier caches have, this one's own included."""
        found = Relatives(self._images, self._states)
        try:
            others = sorted(
                self.folder.glob(f"{self._family}-*.pixels"),
                key=lambda one: one.stat().st_mtime,
                reverse=True,
            )
        except OSError:
            return found
        for other in others[:RELATIVES]:
            if (opened := _open(other, self._shape)) is not None:
                found.add(opened)
        return found

    def _index(self, facts: Facts, kept: int) -> Mapping[str, object]:
        return {
            "kept": kept,
            "names": list(self._images),
            "states": self._states,
            "extents": facts.extents.tolist(),
            "sizes": facts.sizes.tolist(),
            "broken": {str(row): why for row, why in facts.broken.items()},
        }


class _AbandonedError(Exception):
    """Tells `storage.whole` that the file is not wanted."""


class _Opened(NamedTuple):
    canvas: np.ndarray
    facts: Facts
    names: list[str]
    states: list[tuple[int, int]]


@dataclass
class Relatives:
    """Where pictures can be copied from instead of being decoded.

    Attributes:
        images, states: of the pictures that are wanted.
    """

    images: Sequence[str]
    states: Sequence[tuple[int, int]]
    _opened: list[_Opened] = field(default_factory=list)
    _places: dict[tuple[str, int, int], tuple[int, int]] = field(default_factory=dict)

    def add(self, opened: _Opened) -> None:
        """One more cache to copy from."""
        self._opened.append(opened)
        for row in range(len(opened.canvas)):
            if row not in opened.facts.broken:
                key = opened.names[row], *opened.states[row]
                self._places.setdefault(key, (len(self._opened) - 1, row))

    def copy(self, row: int, place: Canvas, extents: np.ndarray, sizes: np.ndarray) -> bool:
        """Copy a picture where one has it; whether one had."""
        if not self._places:
            return False
        found = self._places.get((self.images[row], *self.states[row]))
        if found is None:
            return False
        opened, there = self._opened[found[0]], found[1]
        if row < len(place.canvas):
            place.put(row, opened.canvas[there])
        extents[row], sizes[row] = opened.facts.extents[there], opened.facts.sizes[there]
        return True


NONE = Relatives((), ())
"""No earlier caches."""


def _open(file: Path, shape: tuple[int, int, int], count: int | None = None) -> _Opened | None:
    """A cache's file, mapped; None where it is missing or damaged, or not of `count` pictures."""
    import numpy as np

    each = max(1, int(np.prod(shape, dtype=np.int64)))
    try:
        size = file.stat().st_size
        facts = json.loads(file.with_suffix(".json").read_text())
        names, states = list(facts["names"]), [(int(a), int(b)) for a, b in facts["states"]]
        count = len(names) if count is None else count
        extents = np.asarray(facts["extents"], np.int32).reshape(count, 2)
        sizes = np.asarray(facts["sizes"], np.int32).reshape(count, 2)
        broken = {int(row): str(why) for row, why in facts["broken"].items()}
        if not (((extents > 0) & (extents <= shape[0])).all() and set(broken) <= set(range(count))):
            return None
        if not len(names) == len(states) == count >= facts["kept"] or size != facts["kept"] * each:
            return None
        kept = (size // each, *shape)
        canvas = np.memmap(file, np.uint8, "r", shape=kept) if size else np.zeros(kept, np.uint8)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None
    return _Opened(canvas, Facts(extents, sizes, broken), names, states)


def _allocate(
    path: Path, shape: tuple[int, ...], opened: ExitStack
) -> tuple[np.ndarray, Callable[[int, np.ndarray], None]]:
    """A memory map whose blocks are reserved, and how pictures are put into it.

    Reserved: a full disk says so now, not by a crash later. Pictures are written as to a file:
    threads that touch new pages of a map wait for each other, and hold the interpreter's lock.
    """
    import numpy as np

    size = int(np.prod(shape, dtype=np.int64))
    if size == 0:
        empty = Canvas.in_memory(0, shape[1], shape[3])
        return empty.canvas, empty.put
    file = opened.enter_context(path.open("r+b", buffering=0))
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
    else:
        file.truncate(size)
    canvas: np.ndarray = np.memmap(path, np.uint8, "r+", shape=shape)

    def put(row: int, picture: np.ndarray) -> None:
        height, width = picture.shape[:2]
        if not hasattr(os, "pwrite"):
            canvas[row, :height, :width] = picture
            return
        if width < shape[2]:
            padded = np.zeros((height, *shape[2:]), np.uint8)
            padded[:, :width] = picture
            picture = padded
        left = np.ascontiguousarray(picture).data.cast("B")
        at = row * int(np.prod(shape[1:], dtype=np.int64))
        with errors.storage(path, "writing"):
            while left:
                done = os.pwrite(file.fileno(), left, at)
                left, at = left[done:], at + done

    return canvas, put


def _state(path: Path) -> tuple[int, int]:
    """Size and time of a file; -1 and -1 where it is missing."""
    try:
        found = path.stat()
    except OSError:
        return -1, -1
    return found.st_size, found.st_mtime_ns
