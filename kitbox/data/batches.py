"""Batches: cached pixels, varied by threads, on the device, normalised.

Threads, not worker processes: OpenCV releases the interpreter's lock, nothing is
copied between processes, and the small /dev/shm of kernels does not matter.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from kitbox.data import geometry, pipelines, warp
from kitbox.data.frames import Frames
from kitbox.data.meter import Meter, timed
from kitbox.data.pixels import OVERSIZE
from kitbox.data.sharing import WHOLE, Share
from kitbox.errors import PluginError

if TYPE_CHECKING:
    import numpy as np
    import torch

    from kitbox.contracts import Augmentation, Batches
    from kitbox.data.pixels import Pixels
    from kitbox.data.resident import Resident
    from kitbox.data.targets import Targets

    Make = Callable[[int, int], tuple[Any, np.ndarray]]
    """From a row and a seed to a picture (H, W, C) uint8, or its warp, and its target."""

T = TypeVar("T")


@dataclass(frozen=True)
class Loader:
    """Makes batches for one data set and one backbone.

    Attributes:
        pixels: the cached pictures, N rows.
        targets: of N rows, bound to the pixels; those of test pictures hold anything.
        mean, std: of the backbone's input, per channel, for pictures in 0..1.
        interpolation: OpenCV's constant.
        fit: how another aspect ratio comes to the size.
        device: where the batches go.
        workers: threads.
        batch_size: pictures in a batch, at most.
        ahead: pictures in a batch of `fixed`, which keeps no gradients, for each one of those.
        resident: gives the cached pictures on the device, where it is a GPU: warps are then
            one operation a batch.
        share: of each batch, where several processes work at it. Images and targets are those
            of the share; row numbers are those of the whole batch.
        meter: told how long the batches took.
    """

    pixels: Pixels
    targets: Targets
    mean: Sequence[float]
    std: Sequence[float]
    interpolation: int
    fit: geometry.Fit
    device: str
    workers: int
    batch_size: int
    resident: Resident | None = None
    ahead: int = 1
    share: Share = WHOLE
    meter: Meter = field(default_factory=Meter, compare=False)

    def count(self, rows: int) -> int:
        """How many batches `rows` rows make in training."""
        return -(-rows // self.batch_size)

    def count_fixed(self, rows: int) -> int:
        """How many batches `rows` rows make where nothing is trained."""
        return -(-rows // (self.batch_size * self.ahead))

    def fixed(
        self,
        rows: Sequence[int] | np.ndarray,
        size: tuple[int, int],
        *,
        targets: bool = True,
    ) -> Batches:
        """The rows in their order, in the fixed evaluation geometry.

        Args:
            targets: False gives zeros (B,) for targets, as test pictures have none.
        """
        import numpy as np

        plain = self._plain(size, targets)
        rows = np.asarray(rows, np.int64)
        return self._batches(rows, lambda: plain, None, count=self.count_fixed(len(rows)))

    def frames(self, rows: Sequence[int] | np.ndarray, size: tuple[int, int]) -> Frames:
        """How the rows' pictures lie in the evaluation geometry."""
        import numpy as np

        extents = self.pixels.extents[np.asarray(rows)]
        sizes = self.pixels.sizes[np.asarray(rows)]
        sizes = np.where(sizes > 0, sizes, extents)  # blank ones, for broken files
        parts = [geometry.box((int(h), int(w)), size, self.fit) for h, w in extents]
        corner = np.array([(p.left, p.top) for p in parts], np.float64).reshape(-1, 2)
        shown = np.array([(p.width, p.height) for p in parts], np.float64).reshape(-1, 2)
        cached = (extents / sizes)[:, ::-1]  # cached pixels per pixel of the file
        zoomed = np.array(size[::-1]) / shown  # pixels of the frame per cached pixel
        # (((x + 0.5) * cached) - corner) * zoomed - 0.5, as scale and shift
        scale = cached * zoomed
        return Frames(size, sizes, scale, 0.5 * scale - corner * zoomed - 0.5)

    def varied(
        self,
        rows: Sequence[int] | np.ndarray,
        size: tuple[int, int],
        augmentation: Augmentation,
        seed: Sequence[int],
        *,
        weights: np.ndarray | None = None,
        skip: int = 0,
    ) -> Batches:
        """The rows in random order, each picture varied; without the first `skip` batches.

        With `weights` (one a row, above 0) as many rows are drawn by them, some
        more than once and some not at all.

        The batches are of equal size, give or take one picture, so none is too
        small for normalisation. Order and variation depend on `seed` (numbers
        such as run, stage, epoch) alone, never on the threads' timing.
        """
        import numpy as np

        drawn, sequence = order(rows, seed, weights), np.random.SeedSequence([*seed, 1])
        if weights is not None:
            seeds = sequence.generate_state(len(drawn))
        else:
            # A row's variation does not depend on which others are there.
            seeds = sequence.generate_state(len(self.pixels))[drawn]
        made = augmentation.transforms(*size, self.interpolation)
        if callable(made):
            return self._batches(drawn, lambda: self._warping(size, made), seeds, skip, size)
        if not made:
            return self._batches(drawn, lambda: self._plain(size, True), None, skip)
        return self._batches(drawn, lambda: self._varying(size, augmentation), seeds, skip)

    def picture(self, row: int, size: tuple[int, int]) -> np.ndarray:
        """One picture (H, W, C) uint8 in the evaluation geometry."""
        framed = geometry.frame(self.pixels[row], size, self.fit)
        return geometry.scale(framed, size, self.interpolation)

    def to_device(self, pictures: np.ndarray) -> torch.Tensor:
        """Pictures (B, H, W, C) uint8 as normalised images (B, C, H, W), channels last."""
        images = self.send(pictures).permute(0, 3, 1, 2).float()
        scale, shift = self._normal
        return images.mul_(scale).add_(shift)

    @cached_property
    def _normal(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Factor and summand (C, 1, 1) that normalise bytes; sent once, as sending waits."""
        import torch

        scale = torch.tensor([1 / (255 * s) for s in self.std], device=self.device)
        shift = torch.tensor(
            [-m / s for m, s in zip(self.mean, self.std, strict=True)], device=self.device
        )
        return scale[:, None, None], shift[:, None, None]

    def send(self, values: np.ndarray) -> torch.Tensor:
        """An array on the device; from pinned memory, so the host does not wait."""
        import torch

        host = torch.from_numpy(values)
        if self.device.startswith("cuda"):
            host = host.pin_memory()
        return host.to(self.device, non_blocking=True)

    def _plain(self, size: tuple[int, int], targets: bool) -> Make:
        import numpy as np

        nothing = np.zeros((), np.int64)

        def show(row: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
            picture = self.picture(row, size)
            if not targets:
                return picture, nothing
            height, width = self.pixels.extents[row]
            part = geometry.box((int(height), int(width)), size, self.fit)
            return picture, self.targets.finish(self.targets.view(row, part, size), size)

        return show

    def _warping(self, size: tuple[int, int], draw: warp.Draw) -> Make:
        """Pictures varied by warps; only their warps where the device does it itself."""
        import numpy as np

        reflect, shrink = self._reflect, self._shrink(size)

        def vary(row: int, seed: int) -> tuple[Any, np.ndarray]:
            extent = int(self.pixels.extents[row, 0]), int(self.pixels.extents[row, 1])
            shape, view = self._view(extent, size)
            drawn = draw(np.random.Generator(np.random.PCG64(seed)), shape).of(view)
            whole = self.targets.view(row, geometry.Box(0, 0, *extent), extent)
            target = self.targets.move(whole, drawn.matrix, size, reflect=reflect)
            target = self.targets.finish(target, size)
            if shrink > 1:
                drawn = drawn.of(warp.scaling(1 / shrink, 1 / shrink))
            if self.resident is not None:
                return drawn, target
            small = geometry.shrink(self.pixels[row], shrink)
            return warp.apply(small, drawn, size, reflect=reflect), target

        return vary

    def _view(
        self, extent: tuple[int, int], size: tuple[int, int]
    ) -> tuple[tuple[int, int], np.ndarray]:
        """The shape that a picture is varied in, and the matrix from there to its own pixels."""
        import numpy as np

        if self.fit == "crop":
            return extent, np.eye(3)
        part = geometry.box(extent, size, self.fit)
        shape = _same_area(part, size)
        scaled = warp.scaling(part.width / shape[1], part.height / shape[0])
        return shape, warp.shifting(part.left, part.top) @ scaled

    @property
    def _reflect(self) -> bool:
        """Whether the picture goes on mirrored beyond its edges; padded ones end there."""
        return self.fit != "pad"

    def _shrink(self, size: tuple[int, int]) -> int:
        """How many cached pixels are one before a warp: a stage may be smaller than the cache."""
        return max(1, int(self.pixels.side / (OVERSIZE * max(size)) + 1e-6))

    def _warp_on_device(
        self, drawn: _Drawn, rows: np.ndarray, size: tuple[int, int]
    ) -> torch.Tensor:
        """Pictures of the rows, varied by the device, normalised: (B, C, H, W)."""
        import torch
        from torch.nn import functional as F

        assert self.resident is not None
        pictures = self.resident.batch(rows, drawn.fetched, self.send)
        extents = self.send(self.pixels.extents[rows].astype("float32"))
        if (shrink := self._shrink(size)) > 1:
            small = F.avg_pool2d(pictures.permute(0, 3, 1, 2).float(), shrink)
            pictures = small.add_(0.5).to(torch.uint8).permute(0, 2, 3, 1)
            extents = (extents / shrink).floor().clamp_(min=1)
        varied = warp.apply_to_batch(pictures, extents, drawn.warps, size, reflect=self._reflect)
        scale, shift = self._normal
        images = varied.mul_(scale).add_(shift)
        return images.contiguous(memory_format=torch.channels_last)

    def _varying(self, size: tuple[int, int], augmentation: Augmentation) -> Make:
        import numpy as np

        transforms: Any = augmentation.transforms(*size, self.interpolation)
        compose = pipelines.compose(transforms, self.targets.pipeline, self.targets.fill)

        def vary(row: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
            picture = self.pixels[row].copy()  # a transform may write to it
            shape = picture.shape[0], picture.shape[1]
            part = geometry.Box(0, 0, *shape)
            if self.fit != "crop":
                part = geometry.box(shape, size, self.fit)
                shape = _same_area(part, size)
                picture = geometry.scale(geometry.cut(picture, part), shape, self.interpolation)
            target = self.targets.view(row, part, shape)
            compose.set_random_seed(int(seed))
            moved = compose(image=picture, **self.targets.enter(target))
            varied = moved["image"]
            expected = (*size, picture.shape[2])
            if varied.shape != expected or varied.dtype != np.uint8:
                raise PluginError(
                    f"The augmentation {type(augmentation).__name__} does not end with a picture "
                    "that the network can be given",
                    found=f"{varied.dtype} {varied.shape}, expected uint8 {expected}",
                    do="End its transforms with the size asked for; normalising is not its part",
                )
            return varied, self.targets.finish(self.targets.leave(moved, target), size)

        return vary

    def _batches(
        self,
        rows: np.ndarray,
        maker: Callable[[], Make],
        seeds: np.ndarray | None,
        skip: int = 0,
        size: tuple[int, int] = (0, 0),
        count: int | None = None,
    ) -> Batches:
        """`count` batches of what a maker makes in each thread; warps are done here, at `size`."""
        import cv2
        import numpy as np

        local = threading.local()  # a pipeline's random state belongs to one thread
        cv2.setNumThreads(1)  # there are threads enough

        def prepare(places: np.ndarray) -> tuple[Any, np.ndarray]:
            self.pixels.need(rows[places])
            if not hasattr(local, "make"):
                local.make = maker()
            seeded = [0 if seeds is None else int(seeds[place]) for place in places]
            made = [
                local.make(int(rows[place]), seed)
                for place, seed in zip(places, seeded, strict=True)
            ]
            things, targets = zip(*made, strict=True)
            if self.resident is not None and isinstance(things[0], warp.Warp):
                return _Drawn(list(things), self.resident.fetch(rows[places])), np.stack(targets)
            return np.stack(things), np.stack(targets)

        if len(rows) == 0:
            return
        if self.resident is not None:
            self.resident.settle()
        parts = np.array_split(np.arange(len(rows)), count or self.count(len(rows)))
        own = [part[self.share.places(len(part))] for part in parts]
        made = _ahead(prepare, own[skip:], self.workers, self.meter)
        for part, (places, (things, targets)) in zip(parts[skip:], made, strict=True):
            if isinstance(things, _Drawn):
                images = self._warp_on_device(things, rows[places], size)
            else:
                images = self.to_device(things)
            yield images, self.send(targets), rows[part]


class _Drawn(NamedTuple):
    """A batch that the device is still to warp."""

    warps: list[warp.Warp]
    fetched: np.ndarray | None  # its pictures, where the device has not all of them


def order(
    rows: Sequence[int] | np.ndarray, seed: Sequence[int], weights: np.ndarray | None = None
) -> np.ndarray:
    """The rows in random order; with `weights` (one a row) as many drawn by them."""
    import numpy as np

    rng, rows = np.random.default_rng([*seed, 0]), np.asarray(rows, np.int64)
    shuffled = rng.permutation(rows)
    if weights is None:
        return shuffled
    return rng.choice(rows, len(rows), p=weights / weights.sum())


def _ahead(
    prepare: Callable[[np.ndarray], T], parts: Sequence[np.ndarray], workers: int, meter: Meter
) -> Iterator[tuple[np.ndarray, T]]:
    """Prepare parts in order, a few ahead of the consumer."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="kitbox-batch")
    waiting: deque[tuple[np.ndarray, Future[tuple[T, float]]]] = deque()
    rest, timing = iter(parts), timed(prepare)
    try:
        for part in rest:
            waiting.append((part, pool.submit(timing, part)))
            if len(waiting) > workers:
                break
        while waiting:
            part, future = waiting.popleft()
            with meter.waiting():
                made, seconds = future.result()
            meter.made(seconds)
            if (following := next(rest, None)) is not None:
                waiting.append((following, pool.submit(timing, following)))
            yield part, made
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _same_area(part: geometry.Box, size: tuple[int, int]) -> tuple[int, int]:
    """The shape with the aspect ratio of `size` and about the area of `part`."""
    factor = (part.height * part.width / (size[0] * size[1])) ** 0.5
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
