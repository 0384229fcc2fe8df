"""All that is particular to a kind of prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import torch
    from torch import nn

    from kitbox.contracts.backbone import Body
    from kitbox.data.frames import Frames
    from kitbox.data.targets import Targets


class Tally(Protocol):
    """What a task keeps of a pass over labelled pictures, to compute metrics from."""

    def add(self, outputs: torch.Tensor, targets: torch.Tensor, frames: Frames) -> None:
        """A batch: raw outputs (B, ...) and targets (B, ...), both on the device.

        Should not wait for the device. Memory may grow with the number of
        pictures, not with their pixels.
        """


class Task(Protocol):
    """All that is particular to a kind of prediction.

    A task as the recipe gives it may leave fields open (the classes, say);
    `learn` returns a copy with all of them filled in, `tune` one with what the
    validation rows teach. That copy is what the run uses, and its options are
    what a saved model keeps, so they must be plain values (str, numbers, lists,
    mappings).
    """

    def learn(self, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> Self:
        """The task with all that it learns from the labelled rows.

        `rows` has `part`; what depends on frequencies uses the training rows.
        `folder` is the source's.

        Raises:
            LabelError: when the targets do not fit the task.
        """

    def encode(self, rows: pd.DataFrame, folder: Path) -> np.ndarray | Targets:
        """Targets of the rows as the loss wants them: an array (N, ...).

        Targets that lie on the picture are `kitbox.Masks` or `kitbox.Points`:
        they move with it. The loss then gets class numbers (B, H, W) int64, or
        points (B, P, 2) float32 as x, y from -1 (left, top edge) to 1.
        """

    def balance(self, targets: Targets, rows: np.ndarray) -> np.ndarray:
        """How often each of the `rows` (N,) should be drawn, relative to the others (N,).

        Asked where the recipe says `sampler: balanced`; larger for rare ones.
        """

    def fit(self) -> Literal["crop", "squash", "pad"]:
        """How a picture of another shape comes to the size, where the recipe does not say."""

    def maps(self) -> bool:
        """Whether the head wants feature maps, not one vector a picture."""

    def head(self, body: Body) -> nn.Module:
        """A new head from the body's features to raw outputs.

        Outputs are (B, K), or maps (B, K, H, W) of the picture's size (padded as
        the features are; the padding is cut off afterwards). In eval mode a picture's do not
        depend on the other pictures of the batch.
        """

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The loss of each picture (B,), differentiable."""

    def tally(self) -> Tally:
        """A new, empty tally; `kitbox.Gathered` keeps all outputs and targets."""

    def tune(self, tally: Tally) -> Self:
        """The task with what it learns from the validation rows: thresholds, say.

        Called once, with the weights that predict. Most tasks return themselves.
        """

    def score(self, tally: Tally) -> dict[str, float]:
        """The metrics by name."""

    def best(self) -> tuple[str, Literal["min", "max"]]:
        """The metric that selects the best weights, and which way is better."""

    def predictions(self, outputs: np.ndarray, frames: Frames) -> pd.DataFrame:
        """Raw outputs (B, ...) as a table (B rows) with one named column per output.

        Depends on the options alone, as a saved model has them. A column of a class is called
        as the class is in the table. What lies on the picture is given for the file's picture,
        upright: `frames` leads back.
        """

    def draw(self, picture: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, str]:
        """A picture (H, W, 3) uint8 with its encoded target on it, and a caption."""

    def writer(self, sample: pd.DataFrame | None) -> Mapping[str, Any]:
        """The writer that fits, as a recipe names it, e.g. `{"use": "wide"}`.

        `sample` is the sample submission (all columns str), or None.
        """
