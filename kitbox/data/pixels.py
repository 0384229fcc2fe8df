"""The pixel cache: every picture decoded once, read back in every epoch and run."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kitbox import storage
from kitbox.data.images import DECODER, decode
from kitbox.environment import free_memory
from kitbox.errors import PictureError, StorageError

if TYPE_CHECKING:
    import numpy as np

OVERSIZE = 1.5
"""A cached picture is this much larger than what the network sees, so crops stay sharp."""


@dataclass(frozen=True)
class Pixels:
    """Decoded pictures, their aspect ratio kept.

    Attributes:
        canvas: (N, S, S, C) uint8; picture n fills its top left corner.
        extents: (N, 2) height and width in use, at most S.
        sizes: (N, 2) height and width of the files' own pictures, upright; 0 when broken.
        broken: row to reason; such a row is blank (black, S by S).
        tier: where the pixels lie and why, a sentence.
    """

    canvas: np.ndarray
    extents: np.ndarray
    sizes: np.ndarray
    broken: dict[int, str]
    tier: str

    def __len__(self) -> int:
        return len(self.canvas)

    def __getitem__(self, row: int) -> np.ndarray:
        """Picture (h, w, C) of a row, a view."""
        height, width = self.extents[row]
        return self.canvas[row, :height, :width]


def side_for(size: tuple[int, int]) -> int:
    """Side of the canvas, in pixels, for pictures that the network sees at `size` (H, W)."""
    return int(-(-max(size) * OVERSIZE // 1))


def load(
    folder: Path,
    images: Sequence[str],
    *,
    side: int,
    channels: int,
    cache: Path | None,
    workers: int,
    step: Callable[[int], None] = lambda n: None,
) -> Pixels:
    """The pixels of `images` below `folder`: from the cache, or decoded now by threads.

    The cache is keyed by names, sizes and times of the files, `side`, `channels`
    and the decoder's version. It appears whole: a killed build leaves nothing
    that a later one would read, and two processes may build at once. Where the
    cache cannot be written, or is None, the pixels are kept in memory, if they fit.

    Args:
        step: called with the number of pictures that were just made ready.

    Raises:
        StorageError: when neither the disk nor the memory holds the pixels.
    """
    shape = (len(images), side, side, channels)
    if cache is None:
        return _in_memory("a look keeps none on the disk", shape, folder, images, workers, step)
    key = _key(folder, images, side, channels)
    file, index = cache / "pixels" / f"{key}.pixels", cache / "pixels" / f"{key}.json"
    held = _read(file, index, shape)
    if held is not None and not _mended(held, folder, images):
        step(len(images))
        return held
    try:
        with storage.whole(file) as beside:
            canvas = _allocate(beside, shape)
            extents, sizes, broken = _fill(canvas, folder, images, workers, step)
            del canvas  # unmapped, so that all of it is in the file
        facts = {
            "extents": extents.tolist(),
            "sizes": sizes.tolist(),
            "broken": {str(row): why for row, why in broken.items()},
        }
        try:
            storage.write(index, json.dumps(facts))
        except StorageError:
            file.unlink(missing_ok=True)  # of no use without its index
            raise
        held = _read(file, index, shape)
        assert held is not None, "the pixels that were just written"
        return held
    except StorageError as error:
        return _in_memory(error.wrong, shape, folder, images, workers, step)


def _in_memory(
    why: str,
    shape: tuple[int, ...],
    folder: Path,
    images: Sequence[str],
    workers: int,
    step: Callable[[int], None],
) -> Pixels:
    import numpy as np

    need, free = int(np.prod(shape, dtype=np.int64)), free_memory()
    if need > 0.6 * free:
        raise StorageError(
            f"The decoded pictures need {need / 1e9:.1f} GB, which neither the cache folder nor "
            f"the memory ({free / 1e9:.1f} GB free) can hold",
            found=why,
            do="Free some space, set KITBOX_CACHE to a folder with space, or use a smaller size",
        )
    canvas = np.zeros(shape, np.uint8)
    extents, sizes, broken = _fill(canvas, folder, images, workers, step)
    tier = f"in memory ({need / 1e6:.0f} MB), because: {why}"
    return Pixels(canvas, extents, sizes, broken, tier)


def _fill(
    canvas: np.ndarray,
    folder: Path,
    images: Sequence[str],
    workers: int,
    step: Callable[[int], None],
) -> tuple[np.ndarray, np.ndarray, dict[int, str]]:
    import cv2
    import numpy as np

    cv2.setNumThreads(1)  # the threads here are enough; more only get in their way
    side, channels = canvas.shape[1], canvas.shape[3]
    extents = np.full((len(images), 2), side, np.int32)
    sizes = np.zeros((len(images), 2), np.int32)
    broken: dict[int, str] = {}

    def one(row: int) -> None:
        try:
            picture, size = decode(folder / images[row], side, channels)
        except PictureError as error:
            broken[row] = error.wrong
            return
        height, width = picture.shape[:2]
        canvas[row, :height, :width] = picture
        extents[row], sizes[row] = (height, width), size

    with ThreadPoolExecutor(workers, thread_name_prefix="kitbox-decode") as pool:
        try:
            for _ in pool.map(one, range(len(images))):
                step(1)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return extents, sizes, dict(sorted(broken.items()))


def _allocate(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """A memory map whose blocks are reserved: a full disk says so now, not by a crash later."""
    import numpy as np

    size = int(np.prod(shape, dtype=np.int64))
    if size == 0:
        return np.zeros(shape, np.uint8)
    with path.open("r+b") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            file.truncate(size)
    return np.memmap(path, np.uint8, "r+", shape=shape)


def _read(file: Path, index: Path, shape: tuple[int, ...]) -> Pixels | None:
    """The cached pixels, or None where they are missing or do not fit together."""
    import numpy as np

    count, side = shape[:2]
    size = int(np.prod(shape, dtype=np.int64))
    try:
        if file.stat().st_size != size:
            return None
        facts = json.loads(index.read_text())
        extents = np.asarray(facts["extents"], np.int32).reshape(count, 2)
        sizes = np.asarray(facts["sizes"], np.int32).reshape(count, 2)
        broken = {int(row): str(why) for row, why in facts["broken"].items()}
        if not (((extents > 0) & (extents <= side)).all() and set(broken) <= set(range(count))):
            return None
        canvas = np.memmap(file, np.uint8, "r", shape=shape) if size else np.zeros(shape, np.uint8)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None
    tier = f"memory-mapped from the cache ({size / 1e6:.0f} MB)"
    return Pixels(canvas, extents, sizes, broken, tier)


def _mended(held: Pixels, folder: Path, images: Sequence[str]) -> bool:
    """Whether a broken picture can be read by now, though its file looks the same.

    Permissions and network drives come back without a change of size or time.
    """
    side, channels = held.canvas.shape[1], held.canvas.shape[3]
    for row in held.broken:
        try:
            decode(folder / images[row], side, channels)
        except PictureError:
            continue
        return True
    return False


def _key(folder: Path, images: Sequence[str], side: int, channels: int) -> str:
    """What the pixels depend on, as a hash: which files, of which state, decoded how."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{DECODER} {side} {channels} ".encode() + os.fsencode(folder.resolve()))
    for image in images:
        try:
            state = (folder / image).stat()
            facts = f"{state.st_size} {state.st_mtime_ns}"
        except OSError:
            facts = "missing"
        digest.update(b"\0%s\0%s" % (os.fsencode(image), facts.encode()))
    return digest.hexdigest()
