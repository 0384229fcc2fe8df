"""What the epochs of a stage are fed: pictures, or features of a body that does not train."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from kitbox.contracts import Augmentation, Batches
from kitbox.data.batches import Loader
from kitbox.models.model import Model
from kitbox.progress import Progress
from kitbox.training import features
from kitbox.training.crew import Crew
from kitbox.training.step import Slices

if TYPE_CHECKING:
    from accelerate import Accelerator

    from kitbox.recipe import Stage


@dataclass
class Feed:
    """Batches for a stage, and what they go through; most fields are those of `Trainer`.

    Attributes:
        whole: what pictures go through: the model, prepared for its device.
        source: what gives the batches now: the loader, or features that stand in for it.
        forward: what the batches go through now: all of the model, or its head.
    """

    model: Model
    whole: nn.Module
    loader: Loader
    augmentation: Augmentation
    train: np.ndarray
    valid: np.ndarray
    weights: np.ndarray | None
    seed: int
    accelerator: Accelerator
    slices: Slices
    progress: Progress
    crew: Crew
    source: Loader | features.Features = field(init=False)
    forward: nn.Module = field(init=False)
    _computed: tuple[int, tuple[int, int], int] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.source, self.forward = self.loader, self.whole

    def forget(self) -> None:
        """Compute features anew before they are used again: the body is another one now."""
        self._computed = None

    def varied(self, number: int, epoch: int, size: tuple[int, int], skip: int = 0) -> Batches:
        """Training batches of an epoch of stage `number`, without the first `skip`."""
        return self.source.varied(
            self.train,
            size,
            self.augmentation,
            (self.seed, number, epoch),
            weights=self.weights,
            skip=skip,
        )

    def choose(
        self,
        number: int,
        size: tuple[int, int],
        views: int,
        heeding: Callable[[Callable[..., None]], Callable[..., None]],
    ) -> int:
        """Feed stage `number` pictures, or features of so many views of each.

        Features are computed here, unless they were just before: by the finder.

        Args:
            views: 0 for pictures.
            heeding: makes a bar's step one that heeds a stop.

        Returns:
            How many batches went through the body.
        """
        wanted = (number, size, views)
        if views and self._computed == wanted:
            return 0
        self.source, self.forward, self._computed = self.loader, self.whole, None
        if not views:
            return 0
        batches = views * self.loader.count(len(self.train))
        batches += self.loader.count_fixed(len(self.valid))
        with self.progress.bar(f"stage {number}, features of {views} views", batches) as step:
            self.source = features.compute(
                self.model,
                self.loader,
                self.accelerator,
                self.train,
                self.valid,
                size,
                self.augmentation,
                (self.seed, number),
                views,
                self.slices,
                heeding(step),
                self.crew,
            )
        self.forward = features.HeadAlone(self.model, self.accelerator)
        self._computed = wanted
        return batches

    def views(self, stage: Stage, *, use: bool = True) -> int:
        """Of how many views of each picture a stage's features are; 0 where it gets pictures.

        All processes agree on it.

        Args:
            use: whether features may be used at all now.
        """
        width = self.model.body.features
        possible = use and stage.freeze is True and stage.features is not False
        views = min(stage.features or features.VIEWS, stage.epochs) if possible else 0
        views = self.crew.same(views)  # `use` may hang on a clock
        if not views or not isinstance(width, int):
            return 0
        rows = views * len(self.train) + len(self.valid)
        fits = features.fit(rows, width, self.accelerator.device, self.crew.here)
        if self.crew.any(not fits):
            self.progress.warn("the features of a frozen body would not fit into the memory")
            return 0
        return views
