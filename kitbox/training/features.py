"""Features of a frozen body: computed once for a stage, for a few views of each picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from kitbox.data.batches import Loader, order
from kitbox.data.sharing import Share
from kitbox.training.crew import ALONE, Crew
from kitbox.training.step import Slices

if TYPE_CHECKING:
    from accelerate import Accelerator

    from kitbox.contracts import Augmentation, Batches
    from kitbox.data.frames import Frames
    from kitbox.models.model import Model

VIEWS = 2
"""Views of each training picture where the stage does not say; see docs/decisions.md."""
SHARE = 0.25
"""Of the free memory that features may take."""


@dataclass(frozen=True)
class View:
    """Features of some rows, and their targets.

    Attributes:
        rows: (n,) row numbers, ascending.
        features: (n, F) on the device.
        targets: (n, ...) on the device.
    """

    rows: np.ndarray
    features: torch.Tensor
    targets: torch.Tensor

    def batch(
        self, rows: np.ndarray, share: Share, send: Callable[[np.ndarray], torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor, np.ndarray]:
        """A batch of rows, as a loader gives it; `send` brings an array to the device."""
        places = send(np.searchsorted(self.rows, rows[share.places(len(rows))]))
        return self.features[places], self.targets[places], rows


@dataclass(frozen=True)
class Features:
    """Stands in for a loader where the body is frozen: gives features (B, F) for images.

    Attributes:
        loader: where the pictures come from.
        views: of the training pictures; epoch n sees number n - 1, and so on around.
        valid: the validation pictures, in the evaluation geometry.
    """

    loader: Loader
    views: Sequence[View]
    valid: View

    @property
    def device(self) -> str:
        """Where the batches are."""
        return self.loader.device

    def count(self, rows: int) -> int:
        """How many batches `rows` rows make."""
        return self.loader.count(rows)

    def count_fixed(self, rows: int) -> int:
        """How many batches `rows` rows make where nothing is trained."""
        return self.loader.count_fixed(rows)

    def frames(self, rows: Sequence[int] | np.ndarray, size: tuple[int, int]) -> Frames:
        """How the rows' pictures lie in the evaluation geometry."""
        return self.loader.frames(rows, size)

    def fixed(
        self, rows: Sequence[int] | np.ndarray, size: tuple[int, int], *, targets: bool = True
    ) -> Batches:
        """Validation rows in their order; see `Loader.fixed`."""
        rows = np.asarray(rows, np.int64)
        return self._batches(self.valid, rows, self.count_fixed(len(rows)), 0)

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
        """Training rows in the order that the loader would give them; see `Loader.varied`.

        The last number of `seed` is the epoch's.
        """
        view = self.views[(seed[-1] - 1) % len(self.views)]
        return self._batches(view, order(rows, seed, weights), self.count(len(rows)), skip)

    def _batches(self, view: View, rows: np.ndarray, count: int, skip: int) -> Batches:
        if len(rows):
            for part in np.array_split(rows, count)[skip:]:
                yield view.batch(part, self.loader.share, self.loader.send)


class HeadAlone(nn.Module):
    """A model whose body has done its work: features (B, F) to outputs (B, ...)."""

    def __init__(self, model: Model, accelerator: Accelerator) -> None:
        super().__init__()
        self.model = model
        self._accelerator = accelerator

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """The head's outputs, in full precision."""
        with self._accelerator.autocast():
            outputs: torch.Tensor = self.model.head(features)
        return outputs.float()


def fit(rows: int, features: int, device: torch.device, processes: int = 1) -> bool:
    """Whether the features of so many rows, (rows, features) float32, leave memory free.

    Args:
        processes: how many keep them on this machine: each has a GPU of its own, but they
            share the machine's memory.
    """
    if device.type == "cuda":
        free = torch.cuda.mem_get_info(device)[0]
    else:
        from kitbox.environment import free_memory

        free = free_memory() // processes
    return rows * features * 4 <= SHARE * free


@torch.no_grad()
def compute(
    model: Model,
    loader: Loader,
    accelerator: Accelerator,
    train: np.ndarray,
    valid: np.ndarray,
    size: tuple[int, int],
    augmentation: Augmentation,
    seed: tuple[int, int],
    views: int,
    slices: Slices,
    step: Callable[..., None] = lambda n=1, note="": None,
    crew: Crew = ALONE,
) -> Features:
    """Run the body over some views of the training pictures, and over the validation ones.

    View n is what epoch n would see without this, so with as many views as epochs the head
    learns from the same pictures.

    Args:
        seed: of the run and the stage.
        slices: of a batch, where the device's memory is too small for all of it.
        step: called after each batch.
        crew: the processes that share the batches; all of them get all features.
    """
    model.body.eval()

    def gather(batches: Batches, rows: np.ndarray) -> View:
        rows = np.sort(rows)
        features = targets = torch.empty(0)
        for number, (images, encoded, part) in enumerate(batches):
            with accelerator.autocast():
                own = slices.forward(model.body, images)
            found, wanted = crew.whole(own, len(part)), crew.whole(encoded, len(part))
            if number == 0:
                features = found.new_empty((len(rows), *found.shape[1:]))
                targets = wanted.new_empty((len(rows), *wanted.shape[1:]))
            places = torch.from_numpy(np.searchsorted(rows, part)).to(found.device)
            features[places], targets[places] = found, wanted
            step(1)
        return View(rows, features, targets)

    seen = [
        gather(loader.varied(train, size, augmentation, (*seed, number)), train)
        for number in range(1, views + 1)
    ]
    return Features(loader, seen, gather(loader.fixed(valid, size), valid))
