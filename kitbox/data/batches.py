"""Batches: cached pixels, varied by threads, on the device, normalised.

Threads, not worker processes: OpenCV releases the interpreter's lock, nothing is
copied between processes, and the small /dev/shm of kernels does not matter.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kitbox.data import geometry
from kitbox.data.augment import albumentations
from kitbox.errors import PluginError

if TYPE_CHECKING:
    import numpy as np
    import torch

    from kitbox.contracts import Augmentation, Batches
    from kitbox.data.pixels import Pixels


@dataclass(frozen=True)
class Loader:
    """Makes batches for one data set and one backbone.

    Attributes:
        pixels: the cached pictures, N rows.
        targets: (N, ...) encoded targets; the rows of test pictures hold anything.
        mean, std: of the backbone's input, per channel, for pictures in 0..1.
        interpolation: OpenCV's constant.
        fit: how another aspect ratio comes to the size.
        device: where the batches go.
        workers: threads.
        batch_size: pictures in a batch, at most.
    """

    pixels: Pixels
    targets: np.ndarray
    mean: Sequence[float]
    std: Sequence[float]
    interpolation: int
    fit: geometry.Fit
    device: str
    workers: int
    batch_size: int

    def count(self, rows: int) -> int:
        """How many batches `rows` rows make."""
        return -(-rows // self.batch_size)

    def fixed(self, rows: Sequence[int] | np.ndarray, size: tuple[int, int]) -> Batches:
        """The rows in their order, in the fixed evaluation geometry."""
        import numpy as np

        return self._batches(np.asarray(rows, np.int64), size, lambda: self._plain(size), None)

    def varied(
        self,
        rows: Sequence[int] | np.ndarray,
        size: tuple[int, int],
        augmentation: Augmentation,
        seed: Sequence[int],
    ) -> Batches:
        """The rows in random order, each picture varied.

        The batches are of equal size, give or take one picture, so none is too
        small for normalisation. Order and variation depend on `seed` (numbers
        such as run, stage, epoch) alone, never on the threads' timing.
        """
        import numpy as np

        order = np.random.default_rng([*seed, 0]).permutation(np.asarray(rows, np.int64))
        seeds = np.random.SeedSequence([*seed, 1]).generate_state(len(self.pixels))
        height, width = size
        if not augmentation.transforms(height, width, self.interpolation):
            return self._batches(order, size, lambda: self._plain(size), None)
        return self._batches(order, size, lambda: self._varying(size, augmentation), seeds)

    def picture(self, row: int, size: tuple[int, int]) -> np.ndarray:
        """One picture (H, W, C) uint8 in the evaluation geometry."""
        framed = geometry.frame(self.pixels[row], size, self.fit)
        return geometry.scale(framed, size, self.interpolation)

    def to_device(self, pictures: np.ndarray) -> torch.Tensor:
        """Pictures (B, H, W, C) uint8 as normalised images (B, C, H, W), channels last."""
        images = self._send(pictures).permute(0, 3, 1, 2).float()
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

    def _send(self, values: np.ndarray) -> torch.Tensor:
        """An array on the device; from pinned memory, so the host does not wait."""
        import torch

        host = torch.from_numpy(values)
        if self.device.startswith("cuda"):
            host = host.pin_memory()
        return host.to(self.device, non_blocking=True)

    def _plain(self, size: tuple[int, int]) -> Callable[[int, int], np.ndarray]:
        return lambda row, seed: self.picture(row, size)

    def _varying(
        self, size: tuple[int, int], augmentation: Augmentation
    ) -> Callable[[int, int], np.ndarray]:
        import numpy as np

        compose: Any = albumentations().Compose(augmentation.transforms(*size, self.interpolation))

        def vary(row: int, seed: int) -> np.ndarray:
            picture = self.pixels[row]
            if self.fit != "crop":
                picture = geometry.frame(picture, size, self.fit)
                shape = _same_area(picture.shape[:2], size)
                picture = geometry.scale(picture, shape, self.interpolation)
            compose.set_random_seed(int(seed))
            varied = compose(image=picture)["image"]
            expected = (*size, picture.shape[2])
            if varied.shape != expected or varied.dtype != np.uint8:
                raise PluginError(
                    f"The augmentation {type(augmentation).__name__} does not end with a picture "
                    "that the network can be given",
                    found=f"{varied.dtype} {varied.shape}, expected uint8 {expected}",
                    do="End its transforms with the size asked for; normalising is not its part",
                )
            return varied

        return vary

    def _batches(
        self,
        rows: np.ndarray,
        size: tuple[int, int],
        maker: Callable[[], Callable[[int, int], np.ndarray]],
        seeds: np.ndarray | None,
    ) -> Batches:
        import numpy as np

        local = threading.local()  # a pipeline's random state belongs to one thread

        def prepare(part: np.ndarray) -> np.ndarray:
            if not hasattr(local, "make"):
                local.make = maker()
            pictures = np.empty((len(part), *size, self.pixels.canvas.shape[3]), np.uint8)
            for i, row in enumerate(part):
                pictures[i] = local.make(int(row), 0 if seeds is None else int(seeds[row]))
            return pictures

        if len(rows) == 0:
            return
        parts = np.array_split(rows, self.count(len(rows)))
        for part, pictures in _ahead(prepare, parts, self.workers):
            yield self.to_device(pictures), self._send(self.targets[part]), part


def _ahead(
    prepare: Callable[[np.ndarray], np.ndarray], parts: Sequence[np.ndarray], workers: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Prepare parts in order, a few ahead of the consumer."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="kitbox-batch")
    waiting: deque[tuple[np.ndarray, Future[np.ndarray]]] = deque()
    rest = iter(parts)
    try:
        for part in rest:
            waiting.append((part, pool.submit(prepare, part)))
            if len(waiting) > workers:
                break
        while waiting:
            part, future = waiting.popleft()
            pictures = future.result()
            if (following := next(rest, None)) is not None:
                waiting.append((following, pool.submit(prepare, following)))
            yield part, pictures
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _same_area(shape: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """The shape with the aspect ratio of `size` and about the area of `shape`."""
    factor = (shape[0] * shape[1] / (size[0] * size[1])) ** 0.5
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
