"""What a task may have besides: each is a method that kitbox asks for if it is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from kitbox.contracts.task import Tally
    from kitbox.interpretation.interpretation import Interpretation


@runtime_checkable
class Decides(Protocol):
    """What a task may have besides: what a person is shown of its predictions."""

    def decide(self, predictions: pd.DataFrame, top: int | None = None) -> list[str]:
        """What is predicted for each picture, in words, from `predictions` (N rows): (N,).

        `top` is how many outputs a person wants at most; None: as suits the task.
        """


@dataclass(frozen=True)
class Variation:
    """What an augmentation was seen to do to training pictures.

    Attributes:
        mirrors: some are mirrored.
        kept: the least share of a picture's area that a crop left.
    """

    mirrors: bool = False
    kept: float = 1.0


@runtime_checkable
class Advises(Protocol):
    """What a task may have besides: notes on a recipe that may not suit it."""

    def advise(self, rows: pd.DataFrame, variation: Variation) -> list[str]:
        """What a person should know before training, a sentence each.

        `rows` are the labelled rows with `part`. Asked after `learn`.
        """


@runtime_checkable
class Mirrors(Protocol):
    """What a task may have besides, where its outputs (B, K) say where something is.

    `tta: true` averages the outputs of a picture and of its mirror image. Without this those
    of the mirror image are taken as they are, maps (B, K, H, W) mirrored back.
    """

    def mirrored(self, outputs: torch.Tensor) -> torch.Tensor:
        """Raw outputs of mirrored pictures as those of the pictures themselves (B, ...)."""


@runtime_checkable
class Recalls(Protocol):
    """What a task may have besides, where it predicts by comparing with training pictures."""

    def recall(self, tally: Tally) -> Self:
        """The task with what it keeps of the training pictures.

        Called once, before `tune`, with a tally of the training rows as the weights that
        predict see them, not varied.
        """


@runtime_checkable
class Interprets(Protocol):
    """What a task may have besides: more to see of a model than its losses."""

    def interpretation(self) -> Interpretation:
        """A new, empty `kitbox.Interpretation` (of a class derived from it), to be filled by a
        pass over labelled rows.

        Asked of the task that has learned: once before the pass, and once after `tune`.
        """
