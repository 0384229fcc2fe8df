"""Several labels a picture, each there or not: tagging."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from kitbox.errors import LabelError, nearest, some
from kitbox.options import Mistake, Mistakes, Options
from kitbox.tasks import scores, specs, tag_scores, tags
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
    from kitbox.interpretation.tagging import TaggingInterpretation

Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Exponent = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, lt=1)]

_OPTIONS = {"bce": (), "focal": ("gamma", "alpha"), "asymmetric": ("gamma", "margin")}
UNTUNED = 0.5
"""The threshold before any was chosen, and of labels that a mapping does not name."""


class MultiLabel(Options):
    """Each picture has any number of labels, none too.

    The labels stand in the cells of one column (with the labeler's `delimiter`, a
    picture without labels has an empty cell), or there is a column per label that
    says yes or no.

    The threshold is chosen on the validation pictures after training, for the
    first metric that needs one (else for F-beta), and saved with the model; while
    training, and where there is one per label, metrics use the best one for all.
    """

    drafted_for: ClassVar[str] = "tags"

    targets: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(
        None, description="the columns; by default all that the labeler gives"
    )
    classes: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(
        None, description="the labels; by default those found"
    )
    unlearnable: Literal["refuse", "drop", "keep"] = Field(
        "refuse",
        description="labels that no training picture has, or every one, or one picture alone: "
        "stop, leave them out, or learn them all the same",
    )
    hidden: Annotated[int, Field(ge=1)] | None = Field(
        None, description="width of a hidden layer in the head; by default the head is linear"
    )
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0, description="probability of dropping a feature, before each layer of the head"
    )
    criterion: Literal["bce", "focal", "asymmetric"] = Field(
        "bce", description="the loss: cross-entropy of each label, focal or asymmetric"
    )
    gamma: Exponent | tuple[Exponent, Exponent] | None = Field(
        None, description="focal: 2 by default; asymmetric: [positives, negatives], [0, 4]"
    )
    alpha: Share | None = Field(None, description="focal: weight of positives, 0.25 by default")
    margin: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        None, description="asymmetric: negatives less probable than this are free, 0.05 by default"
    )
    positive_weights: Literal["balanced"] | Weight | dict[str, Weight] | None = Field(
        None,
        description="weight of positives in the loss: for all, or by label; 'balanced' is "
        "negatives per positive",
    )
    metrics: tuple[specs.MetricSpec, ...] = Field(
        ("f_beta", "mean_average_precision"),
        min_length=1,
        description="the first selects the best weights: f_beta (beta: 2, average: samples, macro "
        "or micro), accuracy_at_threshold, mean_average_precision, or a name from sklearn.metrics, "
        "bare or as {use: name, option: value}",
    )
    threshold: Literal["tune", "tune-each"] | Share | dict[str, float] = Field(
        "tune",
        description="a label is chosen above it: a number, or one by label (0.5 where none is "
        "given); 'tune' chooses one for all, 'tune-each' one per label",
    )

    @field_validator("targets", "classes")
    @classmethod
    def _once(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if doubled := sorted({name for name in names or () if (names or ()).count(name) > 1}):
            raise ValueError(f"found {some(doubled)} more than once, expected each once")
        return names

    @field_validator("metrics")
    @classmethod
    def _known(cls, metrics: tuple[specs.MetricSpec, ...]) -> tuple[specs.MetricSpec, ...]:
        for metric in metrics:
            tag_scores.check(metric)
        return metrics

    @field_validator("threshold")
    @classmethod
    def _shares(cls, threshold: str | float | dict[str, float]) -> str | float | dict[str, float]:
        by_label = threshold if isinstance(threshold, dict) else {}
        if wrong := [name for name, value in by_label.items() if not 0 < value < 1]:
            raise ValueError(
                f"found {by_label[wrong[0]]:g} for {wrong[0]!r}, expected above 0, below 1"
            )
        return threshold

    @model_validator(mode="after")
    def _agree(self) -> Self:
        mistakes = [
            Mistake((name,), f"the loss {self.criterion} has no such option")
            for name in ("gamma", "alpha", "margin")
            if getattr(self, name) is not None and name not in _OPTIONS[self.criterion]
        ]
        if self.gamma is not None and not mistakes:
            pair = isinstance(self.gamma, tuple)
            if pair != (self.criterion == "asymmetric"):
                expected = "a number" if pair else "two numbers, of positives and of negatives"
                mistakes = [Mistake(("gamma",), f"found {self.gamma}, expected {expected}")]
        if mistakes:
            raise Mistakes(mistakes)
        return self

    def learn(self, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> MultiLabel:
        """See `kitbox.contracts.Task`: finds the labels, weighs positives by training rows."""
        columns = choose(self.targets, targets)
        train = (rows["part"] == "train").to_numpy()
        classes, hot = tags.learn(rows, columns, self.classes, train, self.unlearnable)
        for metric in self.metrics:
            try:
                tag_scores.check_count(metric, len(classes))
            except ValueError as error:
                raise LabelError(
                    f"The task's `metrics`: {error}",
                    found=some(classes),
                    do="Choose another metric or `average`; f_beta is computed of any number",
                ) from error
        weights = self.positive_weights
        if weights == "balanced":
            weights = tags.balanced(hot[train], classes)
        threshold = self.threshold
        _check_keys(weights, classes, "positive_weights")
        _check_keys(threshold, classes, "threshold")
        if isinstance(threshold, dict):
            threshold = {name: threshold.get(name, UNTUNED) for name in classes}
        return self.model_copy(
            update={
                "targets": columns,
                "classes": classes,
                "positive_weights": weights,
                "threshold": threshold,
            }
        )

    def encode(self, rows: pd.DataFrame, folder: Path) -> np.ndarray:
        """Which labels each picture has: (N, K) uint8 of 0 and 1."""
        assert self.targets is not None, "learn() gives the task its columns"
        return tags.matrix(rows, self.targets, self._classes)

    def balance(self, targets: Targets, rows: np.ndarray) -> np.ndarray:
        """One over the root of the number of pictures with the row's rarest label.

        No label at all counts as a label. The root as in Gupta et al., "LVIS",
        2019, appendix B: rare labels bring common ones with them.
        """
        import numpy as np

        from kitbox.data.targets import Fixed

        assert isinstance(targets, Fixed)
        hot = targets.values[rows]
        hot = np.column_stack([hot, ~hot.any(axis=1)])
        rarest = np.where(hot > 0, hot.sum(axis=0, dtype=np.int64), len(hot)).min(axis=1)
        return 1 / np.sqrt(rarest)

    def fit(self) -> Literal["squash"]:
        """All of the picture: a label may be of something at its edge."""
        return "squash"

    def maps(self) -> bool:
        """One vector a picture."""
        return False

    def head(self, body: Body) -> nn.Module:
        """A linear layer, or a small net with one hidden layer."""
        from kitbox.models.head import linear

        assert isinstance(body.features, int), "maps() asked for a vector"
        return linear(body.features, len(self._classes), hidden=self.hidden, dropout=self.dropout)

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The loss of each picture (B,): the mean over its labels."""
        import torch

        from kitbox.tasks import binary_losses

        given = self.positive_weights
        assert not isinstance(given, str), "learn() makes numbers of 'balanced'"
        each = [given.get(n, 1.0) if isinstance(given, dict) else given for n in self._classes]
        positive = torch.tensor([1.0 if w is None else w for w in each], device=outputs.device)
        chosen = {name: getattr(self, name) for name in _OPTIONS[self.criterion]}
        options = {name: value for name, value in chosen.items() if value is not None}
        loss = getattr(binary_losses, self.criterion)
        return loss(outputs.float(), targets.float(), positive, **options).mean(dim=1)

    def tally(self) -> Gathered:
        """All logits and labels."""
        return Gathered()

    def tune(self, tally: Tally) -> MultiLabel:
        """Chooses the threshold, where the recipe does not give it."""
        if not isinstance(self.threshold, str):
            return self
        from kitbox.tasks import thresholds

        assert isinstance(tally, Gathered)
        found: float | dict[str, float]
        probabilities, targets = _sigmoid(tally.outputs), tally.targets
        if self.threshold == "tune":
            found = thresholds.one(self._tuned_for, targets, probabilities)
        else:
            each = thresholds.each(self._tuned_for, targets, probabilities).tolist()
            found = dict(zip(self._classes, each, strict=True))
        return self.model_copy(update={"threshold": found})

    def score(self, tally: Tally) -> dict[str, float]:
        """The metrics of logits and labels (N, K), and the threshold where one is for all."""
        from kitbox.tasks import thresholds

        assert isinstance(tally, Gathered)
        probabilities, targets = _sigmoid(tally.outputs), tally.targets
        threshold = self.threshold
        if isinstance(threshold, str):
            threshold = thresholds.one(self._tuned_for, targets, probabilities)
        chosen = self._choose(probabilities, threshold)
        found = {
            specs.label(metric): tag_scores.compute(metric, targets, probabilities, chosen)
            for metric in self.metrics
        }
        return found if isinstance(threshold, dict) else {**found, "threshold": threshold}

    def best(self) -> tuple[str, Literal["min", "max"]]:
        """The first metric."""
        return specs.label(self.metrics[0]), scores.direction(self.metrics[0])

    def predictions(self, outputs: np.ndarray, frames: Frames) -> pd.DataFrame:
        """A column of probabilities per label."""
        import pandas as pd

        return pd.DataFrame(_sigmoid(outputs), columns=list(self._classes))

    def decide(self, predictions: pd.DataFrame, top: int | None = None) -> list[str]:
        """See `kitbox.contracts.Decides`: the labels above the threshold, likeliest first."""
        values = predictions[list(self._classes)].to_numpy()
        lines = []
        for row, chosen in zip(values, self._choose(values, self.threshold), strict=True):
            order = [n for n in (-row).argsort(kind="stable").tolist() if chosen[n]]
            words = [f"{self._classes[number]} {row[number]:.4g}" for number in order]
            likeliest = int(row.argmax())
            none = f"no label (likeliest: {self._classes[likeliest]} {row[likeliest]:.4g})"
            lines.append(some(words, top or len(words)) or none)
        return lines

    def draw(self, picture: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, str]:
        """The picture as it is, captioned with its labels."""
        names = [name for name, there in zip(self._classes, target, strict=True) if there]
        return picture, ", ".join(names) or "(no label)"

    def interpretation(self) -> TaggingInterpretation:
        """See `kitbox.contracts.Interprets`."""
        from kitbox.interpretation.tagging import TaggingInterpretation

        given = self.threshold if isinstance(self.threshold, dict) else {}
        one = UNTUNED if isinstance(self.threshold, str | dict) else self.threshold
        thresholds = {name: given.get(name, one) for name in self._classes}
        return TaggingInterpretation(self._classes, thresholds)

    def writer(self, sample: pd.DataFrame | None) -> Mapping[str, Any]:
        """`wide` where the sample has a column per label (or there is none), else `joined`.

        `joined` writes at least one label, unless some cell of the sample is empty.
        """
        if sample is None or sample.shape[1] != 2 or sample.columns[1] in self._classes:
            return {"use": "wide"}
        cells = [str(cell).strip() for cell in sample.iloc[:, 1].fillna("")]
        threshold = UNTUNED if isinstance(self.threshold, str) else self.threshold
        blank = {"at_least": 0} if "" in cells else {}
        return {"use": "joined", "threshold": threshold, **blank}

    @property
    def _classes(self) -> tuple[str, ...]:
        assert self.classes is not None, "learn() gives the task its classes"
        return self.classes

    @property
    def _tuned_for(self) -> specs.MetricSpec:
        """The metric that the threshold is chosen for."""
        return next((m for m in self.metrics if tag_scores.is_of_choices(m)), "f_beta")

    def _choose(
        self, probabilities: np.ndarray, threshold: str | float | dict[str, float]
    ) -> np.ndarray:
        """Which labels are chosen: (N, K) bool."""
        import numpy as np

        if isinstance(threshold, dict):
            return probabilities > np.array([threshold[name] for name in self._classes])
        return probabilities > (UNTUNED if isinstance(threshold, str) else threshold)


def _check_keys(given: object, classes: Sequence[str], option: str) -> None:
    if isinstance(given, Mapping) and (extra := sorted(set(given) - set(classes))):
        raise LabelError(
            f"`{option}` names labels that there are not: {some(extra)}",
            do=nearest(extra[0], classes),
        )


def _sigmoid(outputs: np.ndarray) -> np.ndarray:
    """Probabilities (N, K) float64 of logits (N, K)."""
    import numpy as np

    return np.exp(-np.logaddexp(0, -outputs.astype(np.float64)))  # overflows nowhere
