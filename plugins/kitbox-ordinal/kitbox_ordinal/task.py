"""A task for graded targets: none, mild, severe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from kitbox import Gathered, Options
from kitbox.errors import LabelError, nearest, some

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import torch
    from torch import nn

    from kitbox import Fixed, Frames
    from kitbox.contracts import Body


class Ordinal(Options):
    """Each picture has a grade, a whole number: the next grade is nearer than the last.

    The network gives cumulative logits, of the grade being above 0, above 1, ...: one score
    less ordered cut points (McCullagh, "Regression Models for Ordinal Data", 1980). Each is a
    yes or no in the loss (Cao, Mirjalili and Raschka, "Rank consistent ordinal regression for
    neural networks", 2020). Their probabilities add up to the expected grade, and thresholds
    tuned on the validation pictures for the best quadratic kappa make it a grade.
    """

    target: str | None = Field(None, description="its column; by default the labeler's only one")
    low: int | None = Field(None, description="the least grade; by default as found")
    high: int | None = Field(None, description="the greatest grade; by default as found")
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(0.0, description="before the head")
    shares: tuple[Annotated[float, Field(gt=0, lt=1)], ...] | None = Field(
        None, description="of training pictures above each grade but the last; learned"
    )
    thresholds: tuple[float, ...] | None = Field(
        None, description="of the expected grade, between neighbours; by default tuned"
    )

    # What it learns from the table

    def learn(self, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> Ordinal:
        """A copy that knows the column, the grades and how often they are exceeded."""
        target = self._column(targets)
        grades = _whole(rows, target)
        if not grades:
            raise LabelError("There are no graded pictures", do="Check the labeler")
        low = min(grades) if self.low is None else self.low
        high = max(grades) if self.high is None else self.high
        if strange := sorted({grade for grade in grades if not low <= grade <= high}):
            raise LabelError(
                f"The column '{target}' holds grades that are not within {low} and {high}",
                found=some(strange),
                do="Correct them, or `low` and `high` of the task",
            )
        trained = [g for g, part in zip(grades, rows["part"], strict=True) if part == "train"]
        if len(set(trained)) < 2:
            raise LabelError(
                f"Every training picture has the same grade in the column '{target}'",
                found=some(sorted(set(trained))) or "no training pictures",
                do="Grades need two values or more; check the labeler and the split",
            )
        if high - low > 100:
            raise LabelError(
                f"The column '{target}' has {high - low + 1} grades",
                do="For so many use kitbox's task `regression`",
            )
        above = [sum(g > cut for g in trained) for cut in range(low, high)]
        # Half a picture on each side, as a grade that nobody has is not impossible.
        shares = tuple((count + 0.5) / (len(trained) + 1) for count in above)
        if self.thresholds is not None and len(self.thresholds) != high - low:
            raise LabelError(
                f"`thresholds` stand between grades: {high - low} for {high - low + 1} grades",
                found=f"{len(self.thresholds)}",
            )
        return self.model_copy(
            update={"target": target, "low": low, "high": high, "shares": shares}
        )

    def encode(self, rows: pd.DataFrame, folder: Path) -> np.ndarray:
        """Grades from 0 on (N,) int64."""
        import numpy as np

        return np.array(_whole(rows, str(self.target)), np.int64) - self._low

    def balance(self, targets: Fixed, rows: np.ndarray) -> np.ndarray:
        """One over the number of pictures of the row's grade."""
        import numpy as np

        grades = targets.values[rows]
        return 1 / np.bincount(grades)[grades]

    # How a picture goes in, and what comes out

    def fit(self) -> Literal["crop", "squash", "pad"]:
        """All of the picture: a sign of illness may be at its edge."""
        return "squash"

    def maps(self) -> bool:
        """One vector a picture."""
        return False

    def head(self, body: Body) -> nn.Module:
        """From features (B, F) to cumulative logits (B, K - 1)."""
        from kitbox_ordinal.head import CumulativeHead

        assert isinstance(body.features, int), "maps() asked for a vector"
        return CumulativeHead(body.features, self._shares, self.dropout)

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The loss of each picture (B,): the sum of the yes or no of each cut."""
        import torch
        from torch.nn import functional as F

        cuts = torch.arange(outputs.shape[1], device=outputs.device)
        above = (targets[:, None] > cuts).to(outputs.dtype)
        return F.binary_cross_entropy_with_logits(outputs, above, reduction="none").sum(dim=1)

    # How good it is

    def tally(self) -> Gathered:
        """All cumulative logits and grades."""
        return Gathered()

    def tune(self, tally: Gathered) -> Ordinal:
        """The thresholds that give the best quadratic kappa; those of the recipe stay."""
        from kitbox_ordinal.scores import best_thresholds

        if self.thresholds is not None:
            return self
        found = best_thresholds(_expected(tally.outputs), tally.targets, len(self._shares))
        return self.model_copy(update={"thresholds": found})

    def score(self, tally: Gathered) -> dict[str, float]:
        """Quadratic kappa, accuracy and mean absolute error of the grades."""
        from kitbox_ordinal.scores import quadratic_kappa

        grades = self._grades(tally.outputs)
        return {
            "quadratic_kappa": quadratic_kappa(tally.targets, grades, len(self._shares) + 1),
            "accuracy": float((grades == tally.targets).mean()),
            "mae": float(abs(grades - tally.targets).mean()),
        }

    def best(self) -> tuple[str, Literal["min", "max"]]:
        """Quadratic kappa."""
        return "quadratic_kappa", "max"

    # What a person gets

    def predictions(self, outputs: np.ndarray, frames: Frames) -> pd.DataFrame:
        """The grade, in a column of the target's name."""
        import pandas as pd

        return pd.DataFrame({str(self.target): self._grades(outputs) + self._low})

    def decide(self, predictions: pd.DataFrame, top: int | None = None) -> list[str]:
        """The grade."""
        return [f"{self.target} {grade}" for grade in predictions[self.target]]

    def draw(self, picture: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, str]:
        """The picture as it is, captioned with its grade."""
        return picture, str(int(target) + self._low)

    def writer(self, sample: pd.DataFrame | None) -> Mapping[str, Any]:
        """An id and a whole number."""
        return {"use": "scalar", "kind": "number", "round": True, "column": str(self.target)}

    def _column(self, targets: Sequence[str]) -> str:
        if self.target is not None and self.target in targets:
            return self.target
        if self.target is not None:
            raise LabelError(
                f"The labeler gives no column '{self.target}'",
                found=some(targets),
                do=nearest(self.target, targets),
            )
        if len(targets) != 1:
            raise LabelError(
                f"A grade is in one column; the labeler gives {len(targets)}",
                found=some(targets),
                do="Choose one with `target` of the task, or `labels` of the labeler",
            )
        return targets[0]

    @property
    def _low(self) -> int:
        assert self.low is not None, "learn() finds the grades"
        return self.low

    @property
    def _shares(self) -> tuple[float, ...]:
        assert self.shares is not None, "learn() counts the grades"
        return self.shares

    def _grades(self, outputs: np.ndarray) -> np.ndarray:
        """Cumulative logits (N, K - 1) as grades from 0 on (N,) int64."""
        import numpy as np

        middle = [cut + 0.5 for cut in range(len(self._shares))]
        thresholds = np.array(middle if self.thresholds is None else self.thresholds)
        return (_expected(outputs)[:, None] > thresholds).sum(axis=1)


def _expected(outputs: np.ndarray) -> np.ndarray:
    """Cumulative logits (N, K - 1) as expected grades (N,), from 0 to K - 1."""
    import numpy as np

    return (1 / (1 + np.exp(-outputs.astype(np.float64).clip(-500, 500)))).sum(axis=1)


def _whole(rows: pd.DataFrame, column: str) -> list[int]:
    """Grades of the rows.

    Raises:
        LabelError: for what is no whole number, by id.
    """
    grades, wrong = [], []
    for one, cell in zip(rows["id"], rows[column], strict=True):
        try:
            value = float(cell)
            if value != int(value):
                raise ValueError
            grades.append(int(value))
        except (TypeError, ValueError, OverflowError):
            wrong.append(f"{cell!r} for {one}")
    if wrong:
        raise LabelError(
            f"The column '{column}' holds what is no grade, a whole number",
            found=some(wrong),
            do="Correct these labels, or leave the pictures out",
        )
    return grades
