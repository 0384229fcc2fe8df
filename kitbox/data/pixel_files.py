"""Files of decoded pictures: an array and its index, whole or not there, for later runs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
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
        self._images, self._shape = list(images), (side, side, channels)
        self._states = [_state(folder / image) for image in images]
        whose = f"{DECODER} {side} {channels} ".encode() + os.fsencode(folder.resolve())
        which = hashlib.blake2b(digest_size=12)
        for image, state in zip(images, self._states, strict=True):
            which.update(b"\0%s\0%d\0%d" % (os.fsencode(image), *state))
        self._family = hashlib.blake2b(whose, digest_size=8).hexdigest()
        self._file = self.folder / f"{self._family}-{which.hexdigest()}.pixels"

    def read(self) -> tuple[np.ndarray, Facts] | None:
        """The cached pixels (M, S, S, C), or None where they are missing or do not fit together."""
        found = _open(self._file, self._shape)
        if found is None or found.names != self._images or found.states != self._states:
            return None
        with suppress(OSError):
            os.utime(self._file)  # so that the longest unused ones are known
        return found.canvas, found.facts

    def hold(self) -> object:
        """Keep other runs from removing the cache for as long as the result is kept."""
        return _Hold(self._file)

    def room(self) -> int:
        """Bytes that may be taken of the disk, those of old caches that nobody holds included."""
        try:
            free = _free(self.folder)
        except OSError:
            return sys.maxsize  # writing will tell
        return int((1 - SPARE) * free) + sum(size for size, _ in self._removable())

    def _removable(self) -> list[tuple[int, Path]]:
        """Size and path of other caches that nobody holds, the longest unused first."""
        found = []
        for one in self.folder.glob("*.pixels"):
            with suppress(OSError):
                if one != self._file and not _held(one):
                    state = one.stat()
                    found.append((state.st_mtime, state.st_size, one))
        return [(size, one) for _, size, one in sorted(found)]

    def _make_room(self, need: int) -> None:
        """Remove what killed builds left, and as many old caches as it takes."""
        storage.sweep(self.folder)
        for _, one in self._removable():
            if (1 - SPARE) * _free(self.folder) >= need:
                return
            with suppress(OSError):
                one.unlink()
                one.with_suffix(".json").unlink(missing_ok=True)

    def begin(self, count: int) -> Canvas:
        """Room for the first `count` pictures, in a file that is the cache when it is finished.

        Raises:
            StorageError: when the disk is full or the folder cannot be written.
        """
        import numpy as np

        with ExitStack() as opened:
            with errors.storage(self.folder, "making room in"):
                self.folder.mkdir(parents=True, exist_ok=True)
                self._make_room(count * int(np.prod(self._shape, dtype=np.int64)))
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
            "names": self._images,
            "states": self._states,
            "extents": facts.extents.tolist(),
            "sizes": facts.sizes.tolist(),
            "broken": {str(row): why for row, why in facts.broken.items()},
        }


class _Hold:
    """A shared lock on a file, until this goes."""

    def __init__(self, path: Path) -> None:
        self._handle: int | None = None
        with suppress(OSError):
            self._handle = os.open(path, os.O_RDONLY)
            storage.lock(self._handle, shared=True)

    def __del__(self) -> None:
        if self._handle is not None:
            os.close(self._handle)


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

    def square(self, row: int) -> np.ndarray | None:
        """A picture's square (S, S, C) where one has it."""
        found = self._place(row)
        return None if found is None else self._opened[found[0]].canvas[found[1]]

    def facts(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Extent and size of a picture that one has."""
        found = self._place(row)
        assert found is not None, "square() found it"
        facts = self._opened[found[0]].facts
        return facts.extents[found[1]], facts.sizes[found[1]]

    def _place(self, row: int) -> tuple[int, int] | None:
        if not self._places:
            return None
        return self._places.get((self.images[row], *self.states[row]))


NONE = Relatives((), ())
"""No earlier caches."""


def _open(file: Path, shape: tuple[int, int, int]) -> _Opened | None:
    """A cache's file, mapped; None where it is missing, damaged or forged."""
    import numpy as np

    each = max(1, int(np.prod(shape, dtype=np.int64)))
    try:
        facts = json.loads(file.with_suffix(".json").read_text())
        names, states = list(facts["names"]), [(int(a), int(b)) for a, b in facts["states"]]
        count, kept = len(names), int(facts["kept"])
        extents = np.asarray(facts["extents"], np.int32).reshape(count, 2)
        sizes = np.asarray(facts["sizes"], np.int32).reshape(count, 2)
        broken = {int(row): str(why) for row, why in facts["broken"].items()}
        sound = (
            all(isinstance(name, str) for name in names)
            and len(states) == count
            and 0 <= kept <= count
            and bool(((extents > 0) & (extents <= shape[0])).all() and (sizes >= 0).all())
            and set(broken) <= set(range(count))
            and file.stat().st_size == kept * each
        )
        if not sound:
            return None
        room = (kept, *shape)
        canvas = np.memmap(file, np.uint8, "r", shape=room) if kept else np.zeros(room, np.uint8)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
        return None
    except RecursionError:  # brackets in brackets
        return None
    return _Opened(canvas, Facts(extents, sizes, broken), names, states)


def _held(file: Path) -> bool:
    """Whether a run reads a cache just now."""
    with file.open("rb") as opened:
        return storage.lock(opened.fileno()) is False


def _free(folder: Path) -> int:
    """Free bytes of the disk that a folder is on, or will be."""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    return shutil.disk_usage(there).free


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
