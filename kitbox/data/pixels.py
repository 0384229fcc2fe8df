"""The pixel cache: every picture decoded once, read back in every epoch and run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
        broken: row to reason; such a row is blank (black, S by S).
        tier: where the pixels lie and why, a sentence.
        folder, images: the files.
        filling: the threads that decode them still; None where all are decoded.
        known: rows that were broken before the threads began.
    """

    canvas: np.ndarray
    extents: np.ndarray
    sizes: np.ndarray
    broken: dict[int, str]
    tier: str
    folder: Path = Path()
    images: Sequence[str] = ()
    filling: Filling | None = None
    known: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self.extents)

    def __getitem__(self, row: int) -> np.ndarray:
        """Picture (h, w, C) of a row, a view where it is kept."""
        self.need([row])
        if row >= len(self.canvas):
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
        return self.decoded and len(self.canvas) == len(self)

    @property
    def decoded(self) -> bool:
        """Whether every picture was decoded."""
        return self.filling is None or self.filling.over

    def has(self, rows: np.ndarray) -> bool:
        """Whether these rows are decoded."""
        return self.filling is None or self.filling.has(rows)

    def surprises(self, rows: np.ndarray) -> list[int]:
        """Those of the rows that turned out broken after training may have begun with them."""
        if self.filling is None or len(self.broken) == len(self.known):
            return []
        return sorted((set(self.broken) - self.known) & set(rows.tolist()))

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
        if row not in self.broken:
            try:
                return decode(self.folder / self.images[row], side, channels)[0]
            except PictureError:  # since it was looked at
                pass
        return np.zeros((*self.extents[row], channels), np.uint8)


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
    whenever they are needed.

    Args:
        step: called with the number of pictures that were just made ready.
        wait: False returns when the headers are read; pictures are decoded while they are
            used, those that are needed first.
    """
    import numpy as np

    names, count = list(images), len(images)
    files = None
    if cache is not None:
        files = pixel_files.Files(cache, folder, names, side, channels)
        held = files.read()
        if (
            held is not None
            and not _mended(held[1], folder, names, side, channels)
            and not _more(len(held[0]), count, side * side * channels, files)
        ):
            step(count)
            canvas, facts = held
            part = f": {_part(len(canvas), count)}" if len(canvas) < count else ""
            tier = f"memory-mapped from the cache ({_said(canvas.nbytes)}){part}"
            return Pixels(canvas, *facts, tier, folder, names)

    taken = files.relatives() if files is not None else pixel_files.NONE
    place = _place(count, side, channels, files)
    extents = np.full((count, 2), side, np.int32)
    sizes = np.zeros((count, 2), np.int32)
    made = Pixels(place.canvas, extents, sizes, {}, place.tier, folder, names)
    if not wait:
        _probe(made, workers, step)
        made.known = frozenset(made.broken)

    def one(row: int) -> None:
        if row in made.known or taken.copy(row, place, extents, sizes):
            return
        try:
            picture, size = decode(folder / names[row], side, channels)
        except PictureError as error:
            made.broken[row] = error.wrong
            extents[row], sizes[row] = side, 0
            return
        if row < len(made.canvas):
            place.put(row, picture)
        extents[row], sizes[row] = picture.shape[:2], size

    def finish() -> None:
        made.canvas.flags.writeable = False
        made.broken = dict(sorted(made.broken.items()))
        try:
            place.finish(Facts(extents, sizes, made.broken))
        except StorageError as error:  # the pixels stay mapped, nobody else will find them
            made.tier = f"{made.tier}; not kept for later runs: {error.wrong}"

    import cv2

    cv2.setNumThreads(1)  # the threads here are enough; more only get in their way
    made.filling = Filling(count, one, workers, finish, place.abandon)
    if wait:
        made.wait(step)
        made.known = frozenset(made.broken)  # there are no surprises
    return made


class _Plan(NamedTuple):
    """How many pictures the disk or the memory may keep, and what limits them, in words."""

    on_disk: int
    in_memory: int
    why: str


def _plan(count: int, each: int, files: pixel_files.Files | None) -> _Plan:
    """What fits where; `each` is a picture's bytes."""
    limit = pixel_limit()
    most = count if limit is None else min(count, limit // each)
    in_memory = min(most, int(MEMORY * free_memory()) // each)
    why, on_disk = "a look keeps none on the disk", 0
    if files is not None:
        room = files.room(most * each)
        on_disk = min(most, room // each)
        why = f"the disk of {files.folder} has room for {_said(room)}"
    if most < count:
        why = f"KITBOX_PIXELS allows {_said(limit or 0)}"
    return _Plan(on_disk, in_memory, why)


def _more(kept: int, count: int, each: int, files: pixel_files.Files) -> bool:
    """Whether more pictures than those that an earlier run could keep can be kept by now."""
    if kept == count:
        return False
    plan = _plan(count, each, files)
    return max(plan.on_disk, plan.in_memory) > kept


def _place(count: int, side: int, channels: int, files: pixel_files.Files | None) -> Canvas:
    """Where the decoded pictures go: the disk, the memory, or as many of them as fit."""
    on_disk, in_memory, why = _plan(count, max(1, side * side * channels), files)
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


def _probe(made: Pixels, workers: int, step: Callable[[int], None]) -> None:
    """Sizes and extents of all pictures, from their headers; those that have none are broken."""

    def one(row: int) -> None:
        try:
            size = probe(made.folder / made.images[row])
        except PictureError as error:
            made.broken[row] = error.wrong
        else:
            made.sizes[row], made.extents[row] = size, fitted(size, made.side)

    probing = Filling(len(made), one, workers)
    probing.wait(step)


def _mended(facts: Facts, folder: Path, images: Sequence[str], side: int, channels: int) -> bool:
    """Whether a broken picture can be read by now, though its file looks the same.

    Permissions and network drives come back without a change of size or time.
    """
    again = partial(decode, side=side, channels=channels)
    for row in facts.broken:
        try:
            again(folder / images[row])
        except PictureError:
            continue
        return True
    return False
