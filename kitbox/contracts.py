"""What a plugin author implements.

A plugin is a class whose fields are its options: it derives from
`kitbox.Options` (a frozen pydantic model that forbids unknown keys) and has the
methods of one of the protocols below. An entry point in the group
`kitbox.<kind>s` names it. Options are checked before anything is fetched, so a
plugin's module imports heavy libraries inside its functions only.

Shapes: B batch, C channels, H and W pixels, N rows, K outputs, F features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import torch
    from torch import nn


class Source(Protocol):
    """Where the raw files come from."""

    def find(self, cache: Path) -> Path | None:
        """The folder of raw files if it is already here, else None.

        Does no work: no network, nothing written. `kitbox check` asks this.
        """

    def fetch(self, cache: Path) -> Path:
        """Bring the raw files here and return their folder.

        Called once at the start of a run. Whatever is written goes below
        `cache` and appears whole or not at all; a second call finds it there.

        Raises:
            SourceError: when the files cannot be had.
        """


@dataclass(frozen=True)
class Labels:
    """What a labeler knows.

    Attributes:
        rows: one row a labelled picture, with the columns `id` (unique str),
            `image` (path below the source's folder, `/` separated), the target
            columns, `part` ('train', 'valid' or missing) where it is known, and
            any other column that a splitter may want.
        targets: the names of the target columns.
        notes: guesses made and counts, a sentence each, shown to the person.
    """

    rows: pd.DataFrame
    targets: tuple[str, ...]
    notes: tuple[str, ...] = ()


class Labeler(Protocol):
    """From a folder of files to a row per labelled picture."""

    def label(self, folder: Path) -> Labels:
        """Read the labels of the pictures below `folder`.

        Does not open pictures; looks at names and tables only. Row order does
        not matter, the table is sorted by id afterwards.

        Raises:
            LabelError: when labels are missing, doubled or do not fit.
        """


class Splitter(Protocol):
    """Which labelled rows train and which validate."""

    def split(self, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> pd.Series:
        """The part of every row: 'train' or 'valid', indexed like `rows`.

        Depends on the rows' content and the plugin's options alone, never on
        their order or the machine.

        Raises:
            SplitError: when a part would be empty or the rows do not allow it.
        """


class Augmentation(Protocol):
    """How a training picture is varied."""

    def transforms(self, height: int, width: int, interpolation: int) -> list[Any]:
        """albumentations transforms from a picture of any size to (height, width).

        They get a uint8 picture (H', W', C) from the pixel cache and end with a
        uint8 picture (height, width, C). `interpolation` is OpenCV's constant
        that suits the backbone's weights. Validation and test pictures never
        come here.
        """


class Body(Protocol):
    """A backbone that was built: an `nn.Module` from (B, C, H, W) to (B, F).

    Attributes:
        features: F.
        channels: C.
        mean, std: statistics of the input per channel, for pictures in 0..1.
        interpolation: how the weights' own pictures were resized ('bicubic', ...).
        weights: where the weights came from, a sentence for the report.
        pretrained: whether the weights were trained before.
    """

    features: int
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str
    weights: str
    pretrained: bool

    def layers(self) -> list[list[nn.Parameter]]:
        """The parameters along the network's real layers, input first."""

    def __call__(self, images: torch.Tensor) -> torch.Tensor: ...


class Backbone(Protocol):
    """A network without its head."""

    def find_weights(self) -> str:
        """Where the weights would come from, a sentence; no network, nothing built.

        Raises:
            WeightsError: when they cannot be had, naming the file to attach.
        """

    def build(self, size: tuple[int, int], *, load: bool = True) -> Body:
        """Build the network for pictures of `size` (H, W).

        Args:
            load: False leaves the weights random, because the caller loads a
                saved model into it next.

        Raises:
            WeightsError: when the weights cannot be had or do not fit.
        """


class Task(Protocol):
    """All that is particular to a kind of prediction.

    A task as the recipe gives it may leave fields open (the classes, say);
    `learn` returns a copy with all of them filled in. That copy is what the run
    uses, and its options are what a saved model keeps, so they must be plain
    values (str, numbers, lists, mappings).
    """

    def learn(self, rows: pd.DataFrame, targets: Sequence[str]) -> Self:
        """The task with all that it learns from the labelled rows.

        `rows` has `part`; what depends on frequencies uses the training rows.

        Raises:
            LabelError: when the targets do not fit the task.
        """

    def encode(self, rows: pd.DataFrame) -> np.ndarray:
        """Targets of the rows (N, ...) as the loss wants them."""

    def head(self, features: int) -> nn.Module:
        """A new head from the body's features (B, F) to outputs (B, K)."""

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The loss of each picture (B,), differentiable, from outputs (B, K)."""

    def score(self, outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
        """The metrics by name, from raw outputs (N, K) and encoded targets (N, ...)."""

    def best(self) -> tuple[str, Literal["min", "max"]]:
        """The metric that selects the best weights, and which way is better."""

    def predictions(self, outputs: np.ndarray) -> pd.DataFrame:
        """Raw outputs (N, K) as a table (N rows) with one named column per output."""

    def draw(self, picture: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, str]:
        """A picture (H, W, 3) uint8 with its encoded target on it, and a caption."""

    def writer(self, sample: pd.DataFrame | None) -> Mapping[str, Any]:
        """The writer that fits, as a recipe names it, e.g. `{"use": "wide"}`.

        `sample` is the sample submission (all columns str), or None.
        """


class Writer(Protocol):
    """The shape of a submission file."""

    def table(self, predictions: pd.DataFrame, sample: pd.DataFrame | None) -> pd.DataFrame:
        """The submission, from predictions (`id` and one column per output).

        `sample` is the competition's sample submission (all columns str) or
        None; with it the key column, the columns and their order are the
        sample's, and the rows are the sample's in its order.

        Raises:
            SubmissionError: when no acceptable submission can be made.
        """


Metric = Callable[["np.ndarray", "np.ndarray"], float]
"""A metric(y_true, y_pred), as scikit-learn has them."""

Batches = Iterator[tuple["torch.Tensor", "torch.Tensor", "np.ndarray"]]
"""Images (B, C, H, W) on the device, targets (B, ...), row numbers (B,)."""
