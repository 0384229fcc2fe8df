"""A task for many classes with few pictures each: which of the known ones is it, if any?"""

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

UNKNOWN = -1
"""The number of a picture whose class is none of the known ones."""


class MetricLearning(Options):
    """Pictures of a class lie near each other in the space that the network learns.

    Trained with ArcFace (Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face
    Recognition", 2019); predicted by the nearest training pictures, kept with the model. A
    class's value is the cosine to its nearest picture. `unknown` names the class of pictures
    that are of none (new_whale): its value is a threshold, tuned on the validation pictures,
    so that it stands among the others where it belongs.
    """

    target: str | None = Field(None, description="the column; by default the labeler's only one")
    unknown: str | None = Field(
        None, description="the label of pictures that are of no known class, as in new_whale"
    )
    size: Annotated[int, Field(ge=2, le=4096)] = Field(128, description="of the embedding")
    scale: Annotated[float, Field(gt=0)] = Field(30.0, description="of cosines in the loss, s")
    margin: Annotated[float, Field(ge=0, lt=1.5)] = Field(
        0.5, description="angle in radians that the right class has to be better by, m"
    )
    top: Annotated[int, Field(ge=1, le=100)] = Field(
        5, description="classes that are written for a picture, best first"
    )
    threshold: Annotated[float, Field(ge=-1, le=1)] | None = Field(
        None, description="cosine below which `unknown` is likelier; by default tuned"
    )
    classes: tuple[str, ...] | None = Field(None, description="the known ones; learned")
    gallery: str | None = Field(
        None, description="embeddings of the training pictures, base64 of float16; learned"
    )
    owners: tuple[int, ...] | None = Field(
        None, description="the class of each of them, ascending; learned"
    )

    # What it learns from the table

    def learn(self, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> MetricLearning:
        """A copy that knows the column and the classes: those of the training pictures."""
        target = self._column(targets)
        empty = rows.loc[rows[target].isna(), "id"]
        if len(empty) or not len(rows):
            raise LabelError(
                f"There are pictures without a label in the column '{target}'"
                if len(empty)
                else "There are no labelled pictures",
                found=some(empty),
                do="Label them, or leave them out",
            )
        labels = set(rows[target].astype(str))
        if self.unknown is not None and self.threshold is None and self.unknown not in labels:
            raise LabelError(
                f"No picture has the label '{self.unknown}', which `unknown` names, so its "
                "threshold cannot be found",
                do=nearest(self.unknown, sorted(labels))
                or "Correct `unknown`, or give `threshold`",
            )
        trained = set(rows.loc[rows["part"] == "train", target].astype(str))
        classes = tuple(sorted(trained - {self.unknown}))
        if len(classes) < 2:
            raise LabelError(
                "Two known classes or more are needed among the training pictures",
                found=some(classes) or "none",
                do="Check the labeler, the split, and `unknown` of the task",
            )
        return self.model_copy(update={"target": target, "classes": classes})

    def encode(self, rows: pd.DataFrame, folder: Path) -> np.ndarray:
        """Class numbers (N,) int64; -1 for `unknown` and for classes that nobody trains."""
        import numpy as np

        number = {name: i for i, name in enumerate(self._classes)}
        labels = rows[str(self.target)].astype(str)
        return np.array([number.get(label, UNKNOWN) for label in labels], np.int64)

    def balance(self, targets: Fixed, rows: np.ndarray) -> np.ndarray:
        """One over the number of pictures of the row's class."""
        import numpy as np

        places = targets.values[rows] + 1
        return 1 / np.bincount(places)[places]

    # How a picture goes in, and what comes out

    def fit(self) -> Literal["crop", "squash", "pad"]:
        """All of the picture: what tells one from another may be at its edge."""
        return "squash"

    def maps(self) -> bool:
        """One vector a picture."""
        return False

    def head(self, body: Body) -> nn.Module:
        """From features (B, F) to an embedding of length 1, and cosines to K class centres.

        Raw outputs are both side by side, (B, E + K).
        """
        from kitbox_metric_learning.head import ArcHead

        assert isinstance(body.features, int), "maps() asked for a vector"
        return ArcHead(body.features, self.size, len(self._classes))

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """ArcFace of each picture (B,); 0 where it is of no known class."""
        from kitbox_metric_learning.head import arcface

        return arcface(outputs[:, self.size :], targets, self.scale, self.margin)

    # How good it is

    def tally(self) -> Gathered:
        """All embeddings, cosines and class numbers."""
        return Gathered()

    def recall(self, tally: Gathered) -> MetricLearning:
        """See `kitbox.contracts.Recalls`: the embeddings of the training pictures."""
        from kitbox_metric_learning.neighbours import pack

        known = tally.targets != UNKNOWN
        order = tally.targets[known].argsort(kind="stable")
        owners = tally.targets[known][order]
        gallery = pack(tally.outputs[known][order][:, : self.size])
        return self.model_copy(update={"gallery": gallery, "owners": tuple(owners.tolist())})

    def tune(self, tally: Gathered) -> MetricLearning:
        """The threshold of `unknown` that gives the best mean average precision."""
        from kitbox_metric_learning.neighbours import best_threshold

        if self.unknown is None or self.threshold is not None:
            return self
        near = self._cosines(tally.outputs)
        return self.model_copy(update={"threshold": best_threshold(near, tally.targets, self.top)})

    def score(self, tally: Gathered) -> dict[str, float]:
        """Mean average precision of the best `top`, and the share of right first ones.

        Where `threshold` is open it is that of `tune`: any other would choose the wrong epoch.
        """
        from kitbox_metric_learning.neighbours import average_precision

        values, truth = self.tune(tally)._values(tally.outputs), tally.targets
        # A class that nobody trains is never right where there is no `unknown`.
        can_be = (truth != UNKNOWN) | (self.unknown is not None)
        return {
            f"map_at_{self.top}": float(
                (average_precision(values, truth, self.top) * can_be).mean()
            ),
            "accuracy": float((average_precision(values, truth, 1) * can_be).mean()),
        }

    def best(self) -> tuple[str, Literal["min", "max"]]:
        """Mean average precision."""
        return f"map_at_{self.top}", "max"

    # What a person gets

    def predictions(self, outputs: np.ndarray, frames: Frames) -> pd.DataFrame:
        """A column of cosines per known class, and one of the threshold for `unknown`."""
        import pandas as pd

        return pd.DataFrame(self._values(outputs), columns=self._names)

    def decide(self, predictions: pd.DataFrame, top: int | None = None) -> list[str]:
        """The best classes, in order."""
        values = predictions[self._names].to_numpy()
        orders = (-values).argsort(axis=1, kind="stable")[:, : top or self.top]
        return [", ".join(self._names[place] for place in order) for order in orders]

    def draw(self, picture: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, str]:
        """The picture as it is, captioned with its class."""
        number = int(target)
        return picture, self._classes[number] if number != UNKNOWN else self.unknown or "?"

    def writer(self, sample: pd.DataFrame | None) -> Mapping[str, Any]:
        """The best `top` in order, in one cell; one where the sample has one in each cell."""
        cells = [] if sample is None else sample.iloc[:, 1].dropna().tolist()
        single = bool(cells) and all(len(cell.split()) == 1 for cell in cells)
        return {"use": "joined", "top": 1 if single else self.top}

    def _column(self, targets: Sequence[str]) -> str:
        if self.target is not None and self.target not in targets:
            raise LabelError(
                f"The labeler gives no column '{self.target}'",
                found=some(targets),
                do=nearest(self.target, targets),
            )
        if self.target is None and len(targets) != 1:
            raise LabelError(
                f"The class is in one column; the labeler gives {len(targets)}",
                found=some(targets),
                do="Choose one with `target` of the task, or `labels` of the labeler",
            )
        return self.target or targets[0]

    @property
    def _classes(self) -> tuple[str, ...]:
        assert self.classes is not None, "learn() finds the classes"
        return self.classes

    @property
    def _names(self) -> list[str]:
        """Of the columns of predictions."""
        return [*self._classes, *([] if self.unknown is None else [self.unknown])]

    def _cosines(self, outputs: np.ndarray) -> np.ndarray:
        """Cosines (N, K) to the nearest training picture of each class.

        Before `recall`, and for a class none of whose pictures could be read, those to the
        class's centre.
        """
        from kitbox_metric_learning.neighbours import nearest_of_each, unpack

        centres = outputs[:, self.size :]
        if self.gallery is None or self.owners is None:
            return centres.clip(-1, 1)
        gallery = unpack(self.gallery, self.size)
        return nearest_of_each(outputs[:, : self.size], gallery, self.owners, centres)

    def _values(self, outputs: np.ndarray) -> np.ndarray:
        """Cosines (N, K), and the threshold beside them where there is `unknown`."""
        import numpy as np

        cosines = self._cosines(outputs)
        if self.unknown is None:
            return cosines
        threshold = 0.5 if self.threshold is None else self.threshold
        return np.pad(cosines, ((0, 0), (0, 1)), constant_values=threshold)
