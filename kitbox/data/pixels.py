"""The pixel cache: every picture decoded once, read back in every epoch and run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kitbox.data import pixel_files
from kitbox.data.filling import Filling
from kitbox.data.images import decode, fitted, probe
from kitbox.data.pixel_files import Canvas, Facts
from kitbox.environment import free_memory, pixel_limit
from kitbox.errors import PictureError, StorageError

if TYPE_CHECKING:
    import numpy as np

OVERSIZE = 1.5
"""A cached picture is this much larger than what the network sees, so crops stay sharp."""
MEMORY = 0.6
"""The share of the free memory that decoded pictures may take."""


@dataclass
class Pixels:
    """Decoded pictures, their aspect ratio kept.

    Attributes:
        canvas: (M, S, S, C) uint8, the first M of N pictures; picture n fills its top left
            corner. The others are decoded whenever they are asked for.
        extents: (N, 2) height and width in use, at most S.
        sizes: (N, 2) height and width of the files' own pictures, upright; 0 when broken.
        broken: row to reason; such a row is blank (black, S by S). Grows where pictures are
            decoded late or again.
        tier: where the pixels lie and why, a sentence.
        folder, images: the files.
        filling: the threads that decode them still; None where all are decoded.
        known: rows whose being broken is no surprise; by default all that are.
        lost: rows that are not in the canvas, because writing failed.
        held: keeps the cache's file from being removed.
    """

    canvas: np.ndarray
    extents: np.ndarray
    sizes: np.ndarray
    broken: dict[int, str]
    tier: str
    folder: Path = Path()
    images: Sequence[str] = ()
    filling: Filling | None = None
    known: frozenset[int] | None = None
    lost: set[int] = field(default_factory=set)
    held: object = None

    def __post_init__(self) -> None:
        if self.known is None:
            self.known = frozenset(self.broken)

    def __len__(self) -> int:
        return len(self.extents)

    def __getitem__(self, row: int) -> np.ndarray:
        """Picture (h, w, C) of a row, a view where it is kept."""
        self.need([row])
        if row >= len(self.canvas) or row in self.lost:
            return self._again(row)
        height, width = self.extents[row]
        return self.canvas[row, :height, :width]

    def squares(self, rows: np.ndarray) -> np.ndarray:
        """Pictures (B, S, S, C) of the rows, each in its top left corner."""
        import numpy as np

        self.need(rows)
        made = np.zeros((len(rows), *self.canvas.shape[1:]), np.uint8)
        for place, row in enumerate(rows):
            picture = self[int(row)]
            made[place, : picture.shape[0], : picture.shape[1]] = picture
        return made

    @property
    def side(self) -> int:
        """S, pixels."""
        return int(self.canvas.shape[1])

    @property
    def whole(self) -> bool:
        """Whether every picture is decoded and kept."""
        return self.decoded and len(self.canvas) == len(self) and not self.lost

    @property
    def decoded(self) -> bool:
        """Whether every picture was decoded."""
        return self.filling is None or self.filling.over

    def has(self, rows: np.ndarray) -> bool:
        """Whether these rows are decoded."""
        return self.filling is None or self.filling.has(rows)

    def surprises(self, rows: np.ndarray) -> list[int]:
        """Those of the rows that turned out broken after training may have begun with them."""
        known = self.known or frozenset()
        if len(self.broken) == len(known):
            return []
        return sorted((set(self.broken) - known) & set(rows.tolist()))

    def need(self, rows: Sequence[int] | np.ndarray) -> None:
        """Return when these rows are decoded."""
        if self.filling is not None:
            self.filling.need(rows)

    def wait(self, step: Callable[[int], None] = lambda n: None) -> None:
        """Return when every picture is decoded."""
        if self.filling is not None:
            self.filling.wait(step)

    def settle(self) -> None:
        """Return when what can be kept for later runs is on the disk."""
        if self.filling is not None:
            self.filling.join()

    def _again(self, row: int) -> np.ndarray:
        import numpy as np

        side, channels = self.canvas.shape[1], self.canvas.shape[3]
        height, width = (int(n) for n in self.extents[row])
        if row not in self.broken:
            try:
                picture, _ = decode(self.folder / self.images[row], side, channels)
                if picture.shape[:2] == (height, width):
                    return picture
                self.broken[row] = "the file is another one since the run began"
            except PictureError as error:
                self.broken[row] = error.wrong
        return np.zeros((height, width, channels), np.uint8)


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
    wait: bool = True,
) -> Pixels:
    """The pixels of `images` below `folder`: from the cache, or decoded now by threads.

    The cache is keyed by names, sizes and times of the files, `side`, `channels` and the
    decoder's version. It appears whole: a killed build leaves nothing that a later one would
    read, and two processes may build at once. Pictures that another cache of the folder has
    are taken from there. Where there is not room for all of them on the disk or in the
    memory (`KITBOX_PIXELS` limits both), the first ones are kept and the others are decoded
    whenever they are needed. What lies in the cache already is used whatever the limit: it takes
    no more room.

    Args:
        step: called with the number of pictures that were just made ready.
        wait: False returns when the headers are read; pictures are decoded while they are
            used, those that are needed first.
    """
    import cv2

    cv2.setNumThreads(1)  # the threads here are enough; more only get in their way
    names, limit = list(images), pixel_limit()
    files = None
    if cache is not None:
        files = pixel_files.Files(cache, folder, names, side, channels)
        held = _read(files, folder, names, side, channels, workers)
        if held is not None:
            step(len(names))
            return held
    taken = files.relatives() if files is not None else pixel_files.NONE
    place = _place(len(names), side, channels, files, limit)
    made = _blank(place, folder, names, side)
    if not wait:
        _probe(made, taken, workers, step)
        made.known = frozenset(made.broken)
    made.filling = Filling(
        len(names),
        partial(_decode, made, place, taken),
        workers,
        partial(_finish, made, place, files),
        place.abandon,
    )
    if wait:
        made.wait(step)
        made.known = frozenset(made.broken)  # there are no surprises
    return made


def _read(
    files: pixel_files.Files,
    folder: Path,
    images: Sequence[str],
    side: int,
    channels: int,
    workers: int,
) -> Pixels | None:
    """The cached pixels; None where there are none, or more could be had by now."""
    found = files.read()
    if found is None:
        return None
    (canvas, facts), count = found, len(images)
    if _mended(facts, folder, images, side, channels, workers):
        return None
    if len(canvas) < count:
        plan = _plan(count, side * side * channels, files, pixel_limit())
        if max(plan.on_disk, plan.in_memory) > len(canvas):
            return None
    part = f": {_part(len(canvas), count)}" if len(canvas) < count else ""
    limit = pixel_limit()
    over = limit is not None and canvas.nbytes > limit
    more = f", which was there before KITBOX_PIXELS allowed {_said(limit or 0)}" if over else ""
    tier = f"memory-mapped from the cache ({_said(canvas.nbytes)}){part}{more}"
    return Pixels(canvas, *facts, tier, folder, images, held=files.hold())


def _blank(place: Canvas, folder: Path, images: Sequence[str], side: int) -> Pixels:
    """Pixels before anything was decoded."""
    import numpy as np

    extents = np.full((len(images), 2), side, np.int32)
    sizes = np.zeros((len(images), 2), np.int32)
    return Pixels(place.canvas, extents, sizes, {}, place.tier, folder, images)


def _decode(made: Pixels, place: Canvas, taken: pixel_files.Relatives, row: int) -> None:
    """Decode a row, or copy it from another cache."""
    if row in made.broken:  # its header says so
        return
    square = taken.square(row)
    try:
        if square is not None:
            made.extents[row], made.sizes[row] = taken.facts(row)
            picture = square
        else:
            picture, size = decode(made.folder / made.images[row], made.side, place.canvas.shape[3])
            made.extents[row], made.sizes[row] = picture.shape[:2], size
    except PictureError as error:
        made.extents[row], made.sizes[row] = made.side, 0
        made.broken[row] = error.wrong
        return
    if row < len(made.canvas):
        try:
            place.put(row, picture)
        except StorageError as error:
            made.lost.add(row)
            made.tier = f"{place.tier}; in part: {error.wrong}"


def _finish(made: Pixels, place: Canvas, files: pixel_files.Files | None) -> None:
    """Keep what was decoded for later runs."""
    made.canvas.flags.writeable = False
    if made.lost:
        place.abandon()
        return
    try:
        place.finish(Facts(made.extents, made.sizes, dict(sorted(made.broken.items()))))
    except StorageError as error:  # the pixels stay mapped, nobody else will find them
        made.tier = f"{made.tier}; not kept for later runs: {error.wrong}"
    else:
        made.held = files.hold() if files is not None else None


class _Plan(NamedTuple):
    """How many pictures the disk or the memory may keep, and what limits them, in words."""

    on_disk: int
    in_memory: int
    why: str


def _plan(count: int, each: int, files: pixel_files.Files | None, limit: int | None) -> _Plan:
    """What fits where; `each` is a picture's bytes, `limit` what KITBOX_PIXELS says."""
    most = count if limit is None else min(count, limit // each)
    memory = int(MEMORY * free_memory())
    in_memory, on_disk = min(most, memory // each), 0
    why = "a look keeps none on the disk"
    if files is not None:
        room = files.room()
        on_disk = min(most, room // each)
        why = f"the disk of {files.folder} has room for {_said(room)}"
    elif in_memory < most:
        why = f"the memory has room for {_said(memory)}"
    if most < count and max(on_disk, in_memory) == most:
        why = f"KITBOX_PIXELS allows {_said(limit or 0)}"
    return _Plan(on_disk, in_memory, why)


def _place(
    count: int, side: int, channels: int, files: pixel_files.Files | None, limit: int | None
) -> Canvas:
    """Where the decoded pictures go: the disk, the memory, or as many of them as fit."""
    on_disk, in_memory, why = _plan(count, max(1, side * side * channels), files, limit)
    if files is not None and on_disk >= in_memory:
        try:
            place = files.begin(on_disk)
        except StorageError as error:
            why = error.wrong
        else:
            place.tier = f"memory-mapped from the cache ({_said(place.canvas.nbytes)})"
            if on_disk < count:
                place.tier += f": {_part(on_disk, count)}, because: {why}"
            return place
    place = Canvas.in_memory(in_memory, side, channels)
    part = f", {_part(in_memory, count)}" if in_memory < count else ""
    place.tier = f"in memory ({_said(place.canvas.nbytes)}){part}, because: {why}"
    return place


def _said(count: int) -> str:
    """Bytes in words."""
    return f"{count / 1e6:.0f} MB" if count < 1e10 else f"{count / 1e9:.0f} GB"


def _part(kept: int, count: int) -> str:
    """How many pictures are kept, in words."""
    return f"{kept} of {count} pictures, the others are decoded whenever they are needed"


def _probe(
    made: Pixels, taken: pixel_files.Relatives, workers: int, step: Callable[[int], None]
) -> None:
    """Sizes and extents of all pictures, from their headers; those that have none are broken."""

    def one(row: int) -> None:
        if taken.square(row) is not None:
            made.extents[row], made.sizes[row] = taken.facts(row)
            return
        try:
            size = probe(made.folder / made.images[row])
        except PictureError as error:
            made.broken[row] = error.wrong
        else:
            made.sizes[row], made.extents[row] = size, fitted(size, made.side)

    Filling(len(made), one, workers).wait(step)


def _mended(
    facts: Facts, folder: Path, images: Sequence[str], side: int, channels: int, workers: int
) -> bool:
    """Whether a broken picture can be read by now, though its file looks the same.

    Permissions and network drives come back without a change of size or time.
    """

    def sound(row: int) -> bool:
        try:
            decode(folder / images[row], side, channels)
        except PictureError:
            return False
        return True

    with ThreadPoolExecutor(workers) as pool:
        tried = [pool.submit(sound, row) for row in facts.broken]
        mended = any(one.result() for one in tried)
        pool.shutdown(cancel_futures=True)
    return mended
