"""One label a picture: classification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from kitbox.classes import in_order
from kitbox.classes import name as class_name
from kitbox.errors import LabelError, nearest, some
from kitbox.options import Options
from kitbox.tasks import scores, specs
from kitbox.tasks.columns import choose
from kitbox.tasks.tally import Gathered

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd
    import torch
    from torch import nn

    from kitbox.contracts import Body, Tally
    from kitbox.data.frames import Frames
    from kitbox.data.targets import Targets
    from kitbox.interpretation.classification import ClassificationInterpretation


LIKELIEST = 3
"""Classes that a person is shown of a prediction."""


class SingleLabel(Options):
    """Each picture has one of several classes."""

    drafted_for: ClassVar[str] = "classes"

    target: str | None = Field(None, description="the column; by default the labeler's only one")
    classes: tuple[str, ...] | None = Field(None, description="by default those found, sorted")
    hidden: Annotated[int, Field(ge=1)] | None = Field(
        None, description="width of a hidden layer in the head; by default the head is linear"
    )
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0, description="probability of dropping a feature, before each layer of the head"
    )
    smoothing: Annotated[float, Field(ge=0, lt=1)] = Field(0.1, description="of the labels")
    class_weights: Literal["balanced"] | dict[str, Annotated[float, Field(ge=0)]] | None = Field(
        None, description="weights in the loss; 'balanced' is inverse to frequency"
    )
    metrics: tuple[specs.MetricSpec, ...] = Field(
        ("error_rate", "accuracy"),
        min_length=1,
        description="the first selects the best weights: error_rate, accuracy, top_K, or a name "
        "from sklearn.metrics, bare or as {use: name, option: value}",
    )

    @field_validator("classes")
    @classmethod
    def _once(cls, classes: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if doubled := sorted({name for name in classes or () if (classes or ()).count(name) > 1}):
            named = some(repr(name) for name in doubled)
            raise ValueError(f"found {named} more than once, expected each class once")
        return classes

    @field_validator("metrics")
    @classmethod
    def _known(cls, metrics: tuple[specs.MetricSpec, ...]) -> tuple[specs.MetricSpec, ...]:
        for metric in metrics:
            scores.check(metric)
        return metrics

    def learn(self, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> SingleLabel:
        """See `kitbox.contracts.Task`: finds the classes and weighs them."""
        target = self._target(targets)
        labels = rows[target].map(as_class)
        found = tuple(in_order(set(labels)))
        classes = found if self.classes is None else self.classes
        if strangers := [name for name in found if name not in classes]:
            raise LabelError(
                f"The column '{target}' holds labels that `classes` does not list",
                found=some(repr(name) for name in strangers),
                do=nearest(strangers[0], classes) or "Add them to `classes`",
            )
        if len(classes) < 2:
            raise LabelError(
                f"Every picture has the same label in the column '{target}'",
                found=f"{len(rows)} pictures labelled {classes[0]!r}" if classes else "no labels",
                do="A single-label task needs two classes or more; check the labeler",
            )
        absent = sorted(set(found) - set(labels[rows["part"] == "train"]))
        if absent:
            raise LabelError(
                f"Classes without a training picture: {some(absent)}",
                do="Leave these classes out, or split by {use: stratified, rare: train}",
            )
        weights = self.class_weights
        if weights == "balanced":
            counts = labels[rows["part"] == "train"].value_counts()
            present = [name for name in classes if counts.get(name, 0)]
            total = sum(counts[name] for name in present)
            weights = {name: float(total / (len(present) * counts[name])) for name in present}
        elif isinstance(weights, Mapping) and (extra := sorted(set(weights) - set(classes))):
            raise LabelError(
                f"`class_weights` names classes that there are not: {some(extra)}",
                do=nearest(extra[0], classes),
            )
        return self.model_copy(
            update={"target": target, "classes": tuple(classes), "class_weights": weights}
        )

    def encode(self, rows: pd.DataFrame, folder: Path) -> np.ndarray:
        """Class numbers (N,) int64."""
        import numpy as np

        number = {name: i for i, name in enumerate(self._classes)}
        return np.array([number[as_class(v)] for v in rows[self.target]], np.int64)

    def balance(self, targets: Targets, rows: np.ndarray) -> np.ndarray:
        """One over the number of pictures of the row's class."""
        import numpy as np

        from kitbox.data.targets import Fixed

        assert isinstance(targets, Fixed)
        classes = targets.values[rows]
        return 1 / np.bincount(classes)[classes]

    def fit(self) -> Literal["crop"]:
        """The middle: what a picture is of is seldom at its edge."""
        return "crop"

    def maps(self) -> bool:
        """One vector a picture."""
        return False

    def head(self, body: Body) -> nn.Module:
        """A linear layer, or a small net with one hidden layer."""
        from kitbox.models.head import linear

        assert isinstance(body.features, int), "maps() asked for a vector"
        return linear(body.features, len(self._classes), hidden=self.hidden, dropout=self.dropout)

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Cross-entropy of each picture (B,) with smoothed labels, weighted by class.

        Label smoothing as in Szegedy et al., "Rethinking the Inception
        Architecture for Computer Vision", 2016, section 7.
        """
        import torch
        from torch.nn import functional as F

        losses = F.cross_entropy(
            outputs.float(), targets, label_smoothing=self.smoothing, reduction="none"
        )
        if isinstance(self.class_weights, Mapping):
            weights = [self.class_weights.get(name, 1.0) for name in self._classes]
            losses = losses * torch.tensor(weights, device=outputs.device)[targets]
        return losses

    def tally(self) -> Gathered:
        """All logits and class numbers."""
        return Gathered()

    def tune(self, tally: Tally) -> SingleLabel:
        """Nothing to tune."""
        return self

    def score(self, tally: Tally) -> dict[str, float]:
        """The metrics of logits (N, K) and class numbers (N,)."""
        assert isinstance(tally, Gathered)
        probabilities, targets = scores.softmax(tally.outputs), tally.targets
        return {
            specs.label(metric): scores.compute(metric, targets, probabilities)
            for metric in self.metrics
        }

    def best(self) -> tuple[str, Literal["min", "max"]]:
        """The first metric."""
        return specs.label(self.metrics[0]), scores.direction(self.metrics[0])

    def predictions(self, outputs: np.ndarray, frames: Frames) -> pd.DataFrame:
        """A column of probabilities per class."""
        import pandas as pd

        return pd.DataFrame(scores.softmax(outputs), columns=list(self._classes))

    def decide(self, predictions: pd.DataFrame, top: int | None = None) -> list[str]:
        """See `kitbox.contracts.Decides`: the likeliest classes and their probabilities."""
        values = predictions[list(self._classes)].to_numpy()
        orders = (-values).argsort(axis=1, kind="stable")[:, : top or LIKELIEST]
        return [
            ", ".join(f"{self._classes[number]} {row[number]:.4g}" for number in order)
            for row, order in zip(values, orders.tolist(), strict=True)
        ]

    def draw(self, picture: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, str]:
        """The picture as it is, captioned with its class."""
        return picture, self._classes[int(target)]

    def interpretation(self) -> ClassificationInterpretation:
        """See `kitbox.contracts.Interprets`."""
        from kitbox.interpretation.classification import ClassificationInterpretation

        return ClassificationInterpretation(self._classes)

    def writer(self, sample: pd.DataFrame | None) -> Mapping[str, Any]:
        """`wide` where the sample has a column per class (or there is no sample), else `scalar`."""
        return {"use": "wide" if sample is None or sample.shape[1] > 2 else "scalar"}

    @property
    def _classes(self) -> tuple[str, ...]:
        assert self.classes is not None, "learn() gives the task its classes"
        return self.classes

    def _target(self, targets: Sequence[str]) -> str:
        if self.target is not None:
            return choose([self.target], targets)[0]
        if len(targets) != 1:
            raise LabelError(
                f"A single-label task learns from one column; the labeler gives {len(targets)}",
                found=some(targets),
                do="Choose one with `target` in the task, or `labels` in the labeler",
            )
        return targets[0]


def as_class(value: object) -> str:
    """A label as the name of a class: 3, 3.0 and '3' are the same.

    Raises:
        LabelError: for several labels in one cell, and for none.
    """
    if isinstance(value, tuple | list):
        raise LabelError(
            f"A picture has several labels: {some(value)}",
            do="Use a multi-label task, or leave out `delimiter` in the labeler",
        )
    if value is None or value != value:  # noqa: PLR0124 (not a number)
        raise LabelError(
            "A picture has no label",
            do="Add the label, or leave the picture out; without `gaps` the labeler names it",
        )
    return class_name(value)
