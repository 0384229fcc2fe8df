"""What a plugin author implements.

A plugin is a class whose fields are its options: it derives from
`kitbox.Options` (a frozen pydantic model that forbids unknown keys) and has the
methods of one of the protocols below. An entry point in the group
`kitbox.<kind>s` names it. Options are checked before anything is fetched, so a
plugin's module imports heavy libraries inside its functions only.

A package says which version of the contracts it was made for, in its metadata, so that it is
known before anything of it is imported. In `pyproject.toml`:

    [project.entry-points."kitbox.contract"]
    1 = "kitbox.contracts"

`kitbox.testing` has tests of each contract to inherit, `docs/write-a-task.md` shows the way.

Shapes: B batch, C channels, H and W pixels, N rows, K outputs, F features.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import torch
    from torch import nn

    from kitbox.data.frames import Frames
    from kitbox.data.targets import Targets
    from kitbox.data.warp import Draw
    from kitbox.interpretation.interpretation import Interpretation


CONTRACT = 1
"""The version of these contracts; another where a plugin that kept them may not keep them now."""


class Source(Protocol):
    """Where the raw files come from."""

    def find(self, cache: Path) -> Path | None:
        """The folder of raw files if it is already here, else None.

        Does no work: no network, nothing written. `kitbox check` asks this.

        Raises:
            SourceError: when it is known already that `fetch` will fail.
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
        gaps: a target may be missing (NaN) in a row, as a point that nobody saw;
            whether it may be is then the task's to say.
    """

    rows: pd.DataFrame
    targets: tuple[str, ...]
    notes: tuple[str, ...] = ()
    gaps: bool = False


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

    def transforms(self, height: int, width: int, interpolation: int) -> list[Any] | Draw:
        """albumentations transforms from a picture of any size to (height, width).

        They get a uint8 picture (H', W', C) from the pixel cache and end with a
        uint8 picture (height, width, C). `interpolation` is OpenCV's constant
        that suits the backbone's weights. Validation and test pictures never
        come here. No transforms ([]) means: as in validation.

        Or a function `draw(rng, shape)` that gives the `kitbox.Warp` of a picture of
        `shape` (h, w): one matrix and one multiply-add, which an accelerator does for
        a batch at a time.
        """


class Body(Protocol):
    """A backbone that was built: an `nn.Module` from images (B, C, H, W) to features.

    Features are one vector a picture (B, F), or, when it was built for maps, a
    list of maps (B, F_i, H_i, W_i), finest first.

    Attributes:
        features: F, or for maps (F_1, F_2, ...).
        strides: for maps, how many pixels one place of each map stands for; () for a
            vector. Maps of a picture whose side is no multiple of the last stride
            are those of the picture padded at its right and bottom.
        channels: C.
        mean, std: statistics of the input per channel, for pictures in 0..1.
        interpolation: how the weights' own pictures were resized ('bicubic', ...).
        weights: where the weights came from, a sentence for the report.
        pretrained: whether the weights were trained before.
    """

    features: int | tuple[int, ...]
    strides: tuple[int, ...]
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str
    weights: str
    pretrained: bool

    def layers(self) -> list[list[nn.Parameter]]:
        """The parameters along the network's real layers, input first."""

    def __call__(self, images: torch.Tensor) -> torch.Tensor | list[torch.Tensor]: ...


@dataclass(frozen=True)
class Weights:
    """Where weights come from.

    Attributes:
        source: a sentence for the report.
        here: no network is needed for them.
    """

    source: str
    here: bool = True


class Backbone(Protocol):
    """A network without its head."""

    def find_weights(self) -> Weights:
        """Where the weights would come from; no network, nothing built.

        Raises:
            WeightsError: when they cannot be had, naming the file to attach.
        """

    def build(self, size: tuple[int, int], *, load: bool = True, maps: bool = False) -> Body:
        """Build the network for pictures of `size` (H, W).

        Args:
            maps: the head wants feature maps, not one vector a picture.
            load: False leaves the weights random, because the caller loads a
                saved model into it next.

        Raises:
            WeightsError: when the weights cannot be had or do not fit.
        """


@runtime_checkable
class Attaches(Protocol):
    """What a backbone may have besides: its weights as files, for a machine without network."""

    def attach(self, folder: Path) -> Self:
        """Put the weights into a folder; the backbone that finds them where it is attached.

        Nothing is put there where there are none to load.

        Raises:
            WeightsError: when the weights cannot be had.
        """


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
        the features are; the padding is cut off afterwards).
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

        What lies on the picture is given for the file's picture, upright:
        `frames` leads back.
        """

    def draw(self, picture: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, str]:
        """A picture (H, W, 3) uint8 with its encoded target on it, and a caption."""

    def writer(self, sample: pd.DataFrame | None) -> Mapping[str, Any]:
        """The writer that fits, as a recipe names it, e.g. `{"use": "wide"}`.

        `sample` is the sample submission (all columns str), or None.
        """


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


class Writer(Protocol):
    """The shape of a submission file."""

    def ids(self, sample: pd.DataFrame, folder: Path) -> list[str]:
        """The ids of the pictures that the sample asks for, each once, in its order.

        Raises:
            SubmissionError: when the sample has another shape.
        """

    def table(
        self, predictions: pd.DataFrame, sample: pd.DataFrame | None, folder: Path
    ) -> pd.DataFrame:
        """The submission, from predictions (`id` and one column per output).

        `sample` is the competition's sample submission (all columns str) or
        None; with it the key column, the columns and their order are the
        sample's, and the rows are the sample's in its order. `folder` is the
        source's.

        Raises:
            SubmissionError: when no acceptable submission can be made.
        """


@runtime_checkable
class Remarks(Protocol):
    """What a writer may have besides: notes on a submission that it can write."""

    def remark(self, predictions: pd.DataFrame, sample: pd.DataFrame, folder: Path) -> list[str]:
        """What a person should know before training, a sentence each.

        Predictions that the sample does not ask for, say. Arguments are those of
        `table`, which was asked before and had no objection.
        """


Batches = Iterator[tuple["torch.Tensor", "torch.Tensor", "np.ndarray"]]
"""Images (B, C, H, W) on the device, targets (B, ...), row numbers (B,)."""
