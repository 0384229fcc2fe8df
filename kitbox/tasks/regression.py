"""One or several numbers a picture: regression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from kitbox import cells
from kitbox.bounds import Bounds, clipped
from kitbox.errors import LabelError, counted, nearest, some
from kitbox.options import Options
from kitbox.tasks import measures, numbers, specs
from kitbox.tasks.columns import choose
from kitbox.tasks.tally import Gathered

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd
    import torch
    from torch import nn

    from kitbox.contracts import Body, Tally, Variation
    from kitbox.data.frames import Frames
    from kitbox.data.targets import Targets
    from kitbox.interpretation.values import ValuesInterpretation

BINS = 10
"""Of equal width, that `sampler: balanced` sorts a column's values into."""

SHOWN = 10
"""Columns that a person is shown of a prediction."""

CROPPED = 0.9
"""Of the picture's area: a crop that leaves less may change what is counted."""


class Regression(Options):
    """Each picture has one or several numbers.

    The network learns numbers of mean 0 and standard deviation 1 over the
    training rows; losses are in these units, metrics and predictions in the
    column's own. Predictions beyond `bounds` are brought to them.
    """

    drafted_for: ClassVar[str] = "numbers"

    targets: tuple[str, ...] | None = Field(
        None, min_length=1, description="the columns; by default all that the labeler gives"
    )
    criterion: Literal["mse", "l1", "huber"] = Field("mse", description="the loss")
    delta: Annotated[float, Field(gt=0)] = Field(
        1.0, description="where Huber's loss becomes linear, in standard deviations"
    )
    bounds: Bounds | dict[str, Bounds] | None = Field(
        None, description="the least and the greatest number, or a mapping of them by column"
    )
    hidden: Annotated[int, Field(ge=1)] | None = Field(
        None, description="width of a hidden layer in the head; by default the head is linear"
    )
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0, description="probability of dropping a feature, before each layer of the head"
    )
    metrics: tuple[specs.MetricSpec, ...] = Field(
        ("rmse", "mae", "r2"),
        min_length=1,
        description="the first selects the best weights: rmse, mae, r2, quadratic_kappa (of "
        "rounded predictions), or a name from sklearn.metrics, bare or as {use: name, option: "
        "value}; of several columns their mean, and each",
    )
    mean: tuple[Annotated[float, Field(allow_inf_nan=False)], ...] | None = Field(
        None, description="of each column; by default learned"
    )
    std: tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...] | None = Field(
        None, description="standard deviation of each column; by default learned"
    )
    whole: bool | None = Field(
        None, description="whether all numbers are whole; by default as found"
    )

    @field_validator("targets", mode="before")
    @classmethod
    def _several(cls, targets: Any) -> Any:
        return (targets,) if isinstance(targets, str) else targets

    @field_validator("targets")
    @classmethod
    def _once(cls, targets: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if doubled := sorted({name for name in targets or () if (targets or ()).count(name) > 1}):
            raise ValueError(f"found {some(doubled)} more than once, expected each column once")
        return targets

    @field_validator("metrics")
    @classmethod
    def _known(cls, metrics: tuple[specs.MetricSpec, ...]) -> tuple[specs.MetricSpec, ...]:
        for metric in metrics:
            measures.check(metric)
        return metrics

    def learn(self, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> Regression:
        """See `kitbox.contracts.Task`: checks the numbers, and scales them by the training rows."""
        columns = choose(self.targets, targets)
        values = numbers.read(rows, columns)
        self._check_bounds(columns, values, rows)
        whole = bool((values % 1 == 0).all())
        if not whole and any(specs.parts(m)[0] == measures.KAPPA for m in self.metrics):
            raise LabelError(
                f"The metric {measures.KAPPA} is for grades, whole numbers",
                found=some(f"{value:g}" for value in values[values % 1 != 0]),
                do="Choose other `metrics`",
            )
        trained = values[(rows["part"] == "train").to_numpy()]
        constant = [
            f"{name} is {column[0]:g} in all {len(column)}"
            for name, column in zip(columns, trained.T, strict=True)
            if len(column) and (column == column[0]).all()
        ]
        if constant or not len(trained):
            raise LabelError(
                "There is nothing to learn where all training pictures have the same number",
                found=some(constant) or "no training pictures",
                do="Leave this column out (`targets` of the task), or use another split",
            )
        mean, std = self._scale(columns, trained, values)
        return self.model_copy(
            update={
                "targets": columns,
                "mean": mean,
                "std": std,
                "whole": whole if self.whole is None else self.whole,
            }
        )

    def encode(self, rows: pd.DataFrame, folder: Path) -> np.ndarray:
        """Scaled numbers (N, K) float32."""
        import numpy as np

        values = numbers.read(rows, self._columns)
        return ((values - np.array(self.mean)) / np.array(self.std)).astype(np.float32)

    def advise(self, rows: pd.DataFrame, variation: Variation) -> list[str]:
        """See `kitbox.contracts.Advises`: a crop changes what is counted or measured."""
        if variation.kept >= CROPPED:
            return []
        return [
            f"training pictures are cropped, down to {variation.kept:.0%} of their area. If the "
            "number is a count or a size, a crop changes it: write in the recipe "
            "`augmentation: {use: standard, area: [1, 1], stretch: 1}`"
        ]

    def balance(self, targets: Targets, rows: np.ndarray) -> np.ndarray:
        """One over the root of the number of pictures whose number is in the same of ten bins.

        Of several columns the mean. The root, or one outlier would be half of all draws.
        """
        import numpy as np

        from kitbox.data.targets import Fixed

        assert isinstance(targets, Fixed)
        weights = np.zeros(len(rows))
        for column in targets.values[rows].T:
            edges = np.linspace(column.min(), column.max(), BINS + 1)[1:-1]
            bins = np.digitize(column, edges)
            weights += 1 / np.sqrt(np.bincount(bins)[bins])
        return weights / targets.values.shape[1]

    def fit(self) -> Literal["squash"]:
        """All of the picture: what is counted may be at its edge."""
        return "squash"

    def maps(self) -> bool:
        """One vector a picture."""
        return False

    def head(self, body: Body) -> nn.Module:
        """A linear layer, or a small net with one hidden layer."""
        from kitbox.models.head import linear

        assert isinstance(body.features, int), "maps() asked for a vector"
        return linear(body.features, len(self._columns), hidden=self.hidden, dropout=self.dropout)

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The loss of each picture (B,), the mean of its columns, in scaled units."""
        from torch.nn import functional as F

        given = outputs.float()
        match self.criterion:
            case "mse":
                losses = F.mse_loss(given, targets, reduction="none")
            case "l1":
                losses = F.l1_loss(given, targets, reduction="none")
            case "huber":
                losses = F.huber_loss(given, targets, reduction="none", delta=self.delta)
        return losses.mean(dim=1)

    def tally(self) -> Gathered:
        """All outputs and scaled numbers."""
        return Gathered()

    def tune(self, tally: Tally) -> Regression:
        """Nothing to tune."""
        return self

    def score(self, tally: Tally) -> dict[str, float]:
        """The metrics of the numbers; of several columns their mean, then each."""
        import numpy as np

        assert isinstance(tally, Gathered)
        targets, predicted = self._unscaled(tally.targets), self._numbers(tally.outputs)
        if self.whole:
            targets = np.rint(targets)  # float32 took a little away
        scores: dict[str, float] = {}
        each: dict[str, float] = {}
        for metric in self.metrics:
            name = specs.label(metric)
            columns = [
                measures.compute(metric, *pair) for pair in zip(targets.T, predicted.T, strict=True)
            ]
            scores[name] = float(np.mean(columns))
            if len(columns) > 1:
                each |= {
                    f"{name}_{column}": value
                    for column, value in zip(self._columns, columns, strict=True)
                }
        return scores | each

    def best(self) -> tuple[str, Literal["min", "max"]]:
        """The first metric."""
        return specs.label(self.metrics[0]), measures.direction(self.metrics[0])

    def predictions(self, outputs: np.ndarray, frames: Frames) -> pd.DataFrame:
        """A column of numbers per target, within the bounds."""
        import pandas as pd

        return pd.DataFrame(self._numbers(outputs), columns=list(self._columns))

    def decide(self, predictions: pd.DataFrame, top: int | None = None) -> list[str]:
        """See `kitbox.contracts.Decides`: the numbers in their order."""
        values = predictions[list(self._columns)].to_numpy()
        if len(self._columns) == 1:
            return [f"{row[0]:.4g}" for row in values]
        named = [
            [f"{name} {value:.4g}" for name, value in zip(self._columns, row, strict=True)]
            for row in values
        ]
        return [numbers.first(words, top or SHOWN) for words in named]

    def draw(self, picture: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, str]:
        """The picture as it is, captioned with its numbers."""
        import numpy as np

        values = self._unscaled(target[None])[0]
        # Targets are float32: without this a 0 would read 8e-08.
        values = np.where(abs(values) < 1e-6 * np.array(self.std), 0, values)
        if len(values) == 1:
            return picture, f"{values[0]:.4g}"
        named = zip(self._columns, values, strict=True)
        return picture, ", ".join(f"{name} {value:.4g}" for name, value in named)

    def interpretation(self) -> ValuesInterpretation:
        """See `kitbox.contracts.Interprets`."""
        from kitbox.interpretation.values import ValuesInterpretation

        return ValuesInterpretation(self._columns)

    def writer(self, sample: pd.DataFrame | None) -> Mapping[str, Any]:
        """`scalar` where there is one number and the sample has one column, else `wide`.

        A sample that names some of the columns gets those alone. Numbers are
        rounded where the sample wants whole ones: where it holds several, or
        nothing but whole ones and the training rows too.
        """
        columns = self._columns
        if sample is None:
            return {"use": "wide"}
        asked = [str(name) for name in sample.columns[1:]]
        held = [[*sample[name].dropna()] for name in sample.columns[1:]]
        rounded = all(cells.wanted(column) == "whole" for column in held) or (
            cells.judge(cell for column in held for cell in column) == "whole" and bool(self.whole)
        )
        if len(columns) == len(asked) == 1:
            return {"use": "scalar", "kind": "number", **({"round": True} if rounded else {})}
        wide: dict[str, Any] = {"use": "wide", **({"decimals": 0} if rounded else {})}
        if len(asked) < len(columns) and set(asked) <= set(columns):
            wide["columns"] = {name: name for name in asked}
        return wide

    @property
    def _columns(self) -> tuple[str, ...]:
        assert self.targets is not None, "learn() gives the task its columns"
        return self.targets

    def _unscaled(self, values: np.ndarray) -> np.ndarray:
        """Scaled numbers (N, K) in their own units, float64."""
        import numpy as np

        return values.astype(np.float64) * np.array(self.std) + np.array(self.mean)

    def _numbers(self, outputs: np.ndarray) -> np.ndarray:
        """Raw outputs (N, K) as numbers within the bounds."""
        values = self._unscaled(outputs)
        for place, column in enumerate(self._columns):
            values[:, place] = clipped(values[:, place], self._bounds(column))
        return values

    def _bounds(self, column: str) -> tuple[float, float] | None:
        return self.bounds.get(column) if isinstance(self.bounds, dict) else self.bounds

    def _scale(
        self, columns: Sequence[str], trained: np.ndarray, values: np.ndarray
    ) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and standard deviation of each column, by which all values can be scaled."""
        import numpy as np

        numbers.check_count("mean", self.mean, len(columns), "columns")
        numbers.check_count("std", self.std, len(columns), "columns")
        with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
            mean = trained.mean(axis=0) if self.mean is None else np.array(self.mean)
            std = trained.std(axis=0) if self.std is None else np.array(self.std)
            scaled = ((values - mean) / std).astype(np.float32)
            fits = np.isfinite(scaled).all(axis=0) & np.isfinite(std) & (std > 0)
        if not fits.all():
            place = int(np.flatnonzero(~fits)[0])
            least, greatest = values[:, place].min(), values[:, place].max()
            raise LabelError(
                f"The numbers in the column '{columns[place]}' cannot be scaled to mean 0 and "
                "standard deviation 1",
                found=f"numbers from {least:g} to {greatest:g}, mean {mean[place]:g}, "
                f"standard deviation {std[place]:g}",
                do="Correct the numbers that are out of all proportion, or write them in another "
                "unit",
            )
        return tuple(mean.tolist()), tuple(std.tolist())

    def _check_bounds(self, columns: Sequence[str], values: np.ndarray, rows: pd.DataFrame) -> None:
        if isinstance(self.bounds, dict):
            strange = [name for name in self.bounds if name not in columns]
            if strange:
                raise LabelError(
                    f"`bounds` names a column '{strange[0]}' that is no target",
                    found=some(columns, most=10),
                    do=nearest(strange[0], columns),
                )
        for place, column in enumerate(columns):
            if (bounds := self._bounds(column)) is None:
                continue
            outside = (values[:, place] < bounds[0]) | (values[:, place] > bounds[1])
            if outside.any():
                told = zip(rows["id"][outside], values[outside, place], strict=True)
                raise LabelError(
                    f"{counted(int(outside.sum()), 'picture has', 'pictures have')} a number in "
                    f"the column '{column}' that "
                    f"is not within the bounds {bounds[0]:g} and {bounds[1]:g}",
                    found=some(f"{value:g} for {one}" for one, value in told),
                    do="Widen `bounds`, or correct these numbers",
                )
