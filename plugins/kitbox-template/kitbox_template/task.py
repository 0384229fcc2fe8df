"""A task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

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


class TemplateTask(Options):
    """Whether a picture has one label: yes or no."""

    positive: str = Field("1", description="the label that means yes; all others mean no")
    target: str | None = Field(None, description="its column; by default the labeler's first")

    # What it learns from the table

    def learn(self, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> TemplateTask:
        """A copy with all open options filled in; `rows` are the labelled ones."""
        target = self.target or targets[0]
        if target not in targets:
            raise LabelError(f"The labeler gives no column '{target}'", do=nearest(target, targets))
        known = rows.loc[rows["part"] == "train", target].dropna().astype(str)
        if set(known == self.positive) != {True, False}:
            raise LabelError(
                f"Training pictures with the label '{self.positive}' and others are needed",
                found=some(sorted(set(known))) or "no labels",
                do="Set `positive` of the task to one of the labels",
            )
        return self.model_copy(update={"target": target})

    def encode(self, rows: pd.DataFrame, folder: Path) -> np.ndarray:
        """The targets as the loss wants them: (N,) float32, 1 for yes."""
        return (rows[self.target].astype(str) == self.positive).to_numpy("float32")

    def balance(self, targets: Fixed, rows: np.ndarray) -> np.ndarray:
        """With `sampler: balanced` yes and no are drawn equally often."""
        import numpy as np

        yes = targets.values[rows].astype(int)
        return 1 / np.bincount(yes, minlength=2)[yes]

    # How a picture goes in, and what comes out

    def fit(self) -> Literal["crop", "squash", "pad"]:
        """How a picture of another shape comes to the size."""
        return "squash"

    def maps(self) -> bool:
        """One vector a picture is enough."""
        return False

    def head(self, body: Body) -> nn.Module:
        """From features (B, F) to raw outputs (B, 1)."""
        from torch import nn

        assert isinstance(body.features, int), "maps() asked for a vector"
        return nn.Linear(body.features, 1)

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The loss of each picture (B,)."""
        from torch.nn import functional as F

        return F.binary_cross_entropy_with_logits(outputs[:, 0], targets, reduction="none")

    # How good it is

    def tally(self) -> Gathered:
        """Keeps all outputs and targets of a pass."""
        return Gathered()

    def tune(self, tally: Gathered) -> TemplateTask:
        """What the validation pictures teach: nothing here."""
        return self

    def score(self, tally: Gathered) -> dict[str, float]:
        """The metrics, by name."""
        wrong = (tally.outputs[:, 0] > 0) != (tally.targets == 1)
        return {"error_rate": float(wrong.mean())}

    def best(self) -> tuple[str, Literal["min", "max"]]:
        """The metric that selects the best weights."""
        return "error_rate", "min"

    # What a person gets

    def predictions(self, outputs: np.ndarray, frames: Frames) -> pd.DataFrame:
        """Raw outputs (B, 1) as a table: the probability of the label, in a column of its name."""
        import numpy as np
        import pandas as pd

        return pd.DataFrame({self.positive: 1 / (1 + np.exp(-outputs[:, 0].astype(np.float64)))})

    def draw(self, picture: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, str]:
        """A training picture (H, W, 3) with its target, for `batch.png`."""
        return picture, "yes" if target else "no"

    def writer(self, sample: pd.DataFrame | None) -> Mapping[str, Any]:
        """The writer that fits, as a recipe would name it."""
        return {"use": "scalar", "kind": "number", "column": self.positive}
