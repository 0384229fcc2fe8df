"""Points on a picture: landmarks, joints, the centre of a face."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from kitbox.data import coordinates
from kitbox.errors import LabelError, PictureError, SubmissionError, nearest, some
from kitbox.options import Options
from kitbox.tasks import distances, measures, numbers, specs
from kitbox.tasks.columns import choose
from kitbox.tasks.tally import Gathered

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd
    import torch
    from torch import nn

    from kitbox.contracts import Body, Tally, Variation
    from kitbox.data import targets as moving
    from kitbox.data.frames import Frames
    from kitbox.interpretation.landmarks import LandmarksInterpretation

Name = Annotated[str, Field(coerce_numbers_to_str=True)]
Column = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(allow_inf_nan=False)]

OWN = ("mean_error", "normalised_mean_error")
LOOKED = 2000
"""Pictures whose size is looked at, at most, to learn where points are on average."""

LEAST = 0.01
"""Of the spread, in halves of the picture, where the points hardly move."""

SHOWN = 5
"""Points that a person is shown of a prediction."""

NUMBERED = 12
"""Points that are drawn with their numbers, at most; more hide the picture."""

RED, BLUE, GREEN = (255, 60, 60), (70, 120, 255), (60, 220, 60)


class Points(Options):
    """Each picture has the same points at other places.

    Coordinates are in pixels of the file's picture, upright (turned as its EXIF
    orientation says), (0, 0) the middle of its top left pixel. A point may lie
    outside its picture, and may be missing (NaN): then it does not count in
    losses and metrics. A point is called by its columns' names without the axis:
    `x36`, `y36` are '36'.
    """

    drafted_for: ClassVar[str] = "places"

    columns: tuple[tuple[Column, Column], ...] | None = Field(
        None, min_length=1, description="the columns [x, y] of each point; by default guessed"
    )
    pairs: tuple[tuple[Name, Name], ...] = Field(
        (), description="points that change places when a picture is mirrored, by their names"
    )
    criterion: Literal["l1", "smooth_l1", "mse", "wing"] = Field("l1", description="the loss")
    width: Annotated[float, Field(gt=0)] = Field(
        0.1,
        description="smooth_l1: where it becomes linear; wing: the width of its steep part; "
        "half the picture is 1",
    )
    far: Annotated[float, Field(ge=0)] = Field(
        1.0,
        description="how far outside its picture a point may lie, in the picture's sizes; "
        "farther ones are refused",
    )
    norm: Literal["diagonal"] | tuple[Name, Name] = Field(
        "diagonal",
        description="what normalised_mean_error is a share of: the picture's "
        "diagonal, or the distance between two points",
    )
    hidden: Annotated[int, Field(ge=1)] | None = Field(
        None, description="width of a hidden layer in the head; by default the head is linear"
    )
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0, description="probability of dropping a feature, before each layer of the head"
    )
    metrics: tuple[specs.MetricSpec, ...] = Field(
        OWN,
        min_length=1,
        description="the first selects the best weights: mean_error (pixels of the file's "
        "picture, upright), normalised_mean_error; of all coordinates in such pixels: rmse, mae, "
        "r2, or a name from sklearn.metrics",
    )

    centre: tuple[tuple[Share, Share], ...] | None = Field(
        None,
        description="where each point is on average, -1 to 1 across the picture, which the "
        "head begins with; by default learned",
    )
    spread: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None,
        description="how far points are from there, which an output of 1 stands for; by "
        "default learned",
    )

    @field_validator("metrics")
    @classmethod
    def _known(cls, metrics: tuple[specs.MetricSpec, ...]) -> tuple[specs.MetricSpec, ...]:
        for metric in metrics:
            if metric not in OWN:
                measures.check(metric)
        return metrics

    @field_validator("pairs")
    @classmethod
    def _once(cls, pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        names = [name for pair in pairs for name in pair]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"found {some(doubled)} more than once, expected each point once")
        return pairs

    def learn(self, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> Points:
        """See `kitbox.contracts.Task`: finds the points, checks them and the names given."""
        columns = self._find(targets)
        learned = self.model_copy(update={"columns": columns})
        names = learned.names
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise LabelError(
                f"Several points have the name {some(doubled)}",
                found=some(columns),
                do="Name their columns otherwise, or set `columns` of the task",
            )
        for name in (*(one for pair in self.pairs for one in pair), *self._norm):
            learned._number(name)
        xy = learned._read(rows)
        trained = xy[(rows["part"] == "train").to_numpy()]
        _check(xy, trained, names)
        return learned._scaled(rows[rows["part"] == "train"], folder)

    def encode(self, rows: pd.DataFrame, folder: Path) -> moving.Points:
        """The points (N, P, 2) in pixels of the pictures, NaN where unknown."""
        from kitbox.data import targets as moving

        ids = rows["id"].tolist()
        pairs = [(self._number(one), self._number(other)) for one, other in self.pairs]
        return moving.Points(self._read(rows), pairs, far=self.far, name=lambda row: str(ids[row]))

    def advise(self, rows: pd.DataFrame, variation: Variation) -> list[str]:
        """See `kitbox.contracts.Advises`: points that a mirror mixes up, columns that never change.

        Where there are pairs, the points without one are named.

        A mirrored face whose eyes keep their names teaches the left eye on the right.
        """
        import numpy as np

        notes = []
        if len(self.names) > 1 and not self.pairs and variation.mirrors:
            one, other = self.names[:2]
            notes.append(
                "training pictures are mirrored, and no points change places then: a mirrored "
                "left eye is still called the left one. Set task.pairs, the points that change "
                f"places, e.g. `pairs: [[{one}, {other}]]`; or augmentation.flip: 0. batch.png "
                "shows each point in its colour"
            )
        paired = {name for pair in self.pairs for name in pair}
        alone = [name for name in self.names if name not in paired]
        if self.pairs and alone and variation.mirrors:
            notes.append(
                f"training pictures are mirrored, and {len(alone)} of {len(self.names)} points, in "
                f"no pair of task.pairs, keep their names then: {some(alone, most=12)}. That is "
                "right only for points on the middle line"
            )
        xy = self._read(rows[rows["part"] == "train"]).reshape(-1, 2 * len(self.names))
        columns = [name for pair in self._columns for name in pair]
        constant = [
            f"{name} is {known[0]:g}"
            for name, column in zip(columns, xy.T, strict=True)
            if len(known := column[~np.isnan(column)]) > 1 and (known == known[0]).all()
        ]
        if constant:
            notes.append(
                f"coordinates that are the same in all training pictures: {some(constant)}. There "
                "is nothing to learn of them; check the labeler's columns, or leave these out with "
                "`columns` of the task"
            )
        return notes

    def balance(self, targets: moving.Targets, rows: np.ndarray) -> np.ndarray:
        """All alike: places are not rare or common."""
        import numpy as np

        return np.ones(len(rows))

    def fit(self) -> Literal["squash"]:
        """All of the picture: nothing is cut off with a point on it."""
        return "squash"

    def maps(self) -> bool:
        """One vector a picture."""
        return False

    def head(self, body: Body) -> nn.Module:
        """A linear layer, or a small net with one hidden layer, to x and y of each point."""
        from kitbox.models.head import linear

        assert isinstance(body.features, int), "maps() asked for a vector"
        return linear(body.features, 2 * len(self.names), hidden=self.hidden, dropout=self.dropout)

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The loss of each picture (B,): the mean of its known points; 0 where there is none.

        Args:
            outputs: (B, 2P).
            targets: (B, P, 2), -1 to 1 across the picture.
        """
        import torch

        centre = torch.tensor(self.centre, device=outputs.device)
        given = outputs.float().view(targets.shape) * self._spread + centre
        known = ~targets.isnan().any(dim=2, keepdim=True)
        distance = (given - targets.nan_to_num()).mul(known).abs()
        losses = self._curve(distance) * known
        return losses.sum(dim=(1, 2)) / (2 * known.sum(dim=(1, 2))).clamp(min=1)

    def _curve(self, distance: torch.Tensor) -> torch.Tensor:
        """The loss of coordinates that are off by some distance.

        Wing as in Feng et al., "Wing Loss for Robust Facial Landmark Localisation",
        2018, with their curvature of a fifth of the width.
        """
        import math

        import torch

        width = self.width
        match self.criterion:
            case "l1":
                return distance
            case "mse":
                return distance**2
            case "smooth_l1":
                near = distance**2 / (2 * width)
                return torch.where(distance < width, near, distance - width / 2)
            case "wing":
                steep = width * torch.log1p(distance * 5 / width)
                return torch.where(distance < width, steep, distance + width * (math.log1p(5) - 1))

    def mirrored(self, outputs: torch.Tensor) -> torch.Tensor:
        """See `kitbox.contracts.Mirrors`: each x the other way, pairs exchanged (B, 2P)."""
        import torch

        centre = torch.tensor(self.centre, device=outputs.device)
        places = outputs.view(len(outputs), -1, 2) * self._spread + centre
        order = list(range(len(self.names)))
        for one, other in self.pairs:
            a, b = self._number(one), self._number(other)
            order[a], order[b] = b, a
        places = places[:, order] * torch.tensor([-1.0, 1.0], device=outputs.device)
        return ((places - centre) / self._spread).reshape(outputs.shape)

    def tally(self) -> Gathered:
        """All outputs, points and frames."""
        return Gathered()

    def tune(self, tally: Tally) -> Points:
        """Nothing to tune."""
        return self

    def score(self, tally: Tally) -> dict[str, float]:
        """The metrics, in pixels of the files' pictures, upright."""
        import numpy as np

        assert isinstance(tally, Gathered)
        targets = tally.frames.to_picture(tally.targets.astype(np.float64))
        predicted = self._places(tally.outputs, tally.frames)
        known = ~np.isnan(targets)
        scores = {}
        for metric in self.metrics:
            if metric == "mean_error":
                value = distances.mean(targets, predicted)
            elif metric == "normalised_mean_error":
                value = distances.mean(targets, predicted, self._units(targets, tally.frames))
            else:
                value = measures.compute(metric, targets[known], predicted[known])
            scores[specs.label(metric)] = value
        return scores

    def best(self) -> tuple[str, Literal["min", "max"]]:
        """The first metric."""
        return specs.label(self.metrics[0]), measures.direction(self.metrics[0])

    def predictions(self, outputs: np.ndarray, frames: Frames) -> pd.DataFrame:
        """A column per coordinate, called as the target is, in pixels of the upright picture."""
        import pandas as pd

        names = [name for pair in self._columns for name in pair]
        places = self._places(outputs, frames).reshape(len(outputs), len(names))
        return pd.DataFrame(places, columns=names)

    def decide(self, predictions: pd.DataFrame, top: int | None = None) -> list[str]:
        """See `kitbox.contracts.Decides`: the first points, in pixels of the file's picture."""
        columns = [name for pair in self._columns for name in pair]
        places = predictions[columns].to_numpy().reshape(len(predictions), -1, 2)
        named = [
            [f"{name} ({x:.1f}, {y:.1f})" for name, (x, y) in zip(self.names, xy, strict=True)]
            for xy in places
        ]
        return [numbers.first(words, top or SHOWN) for words in named]

    def draw(self, picture: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, str]:
        """The picture with a dot for each point, of a pair the one red, the other blue.

        Without pairs each point has its own colour, and of a few its number in their
        order, from 0: so one sees whether they are where they belong.
        """
        import cv2
        import numpy as np

        from kitbox.tasks import overlay

        drawn = np.ascontiguousarray(picture)
        if drawn is picture:
            drawn = picture.copy()
        height, width = drawn.shape[:2]
        colours = dict.fromkeys(range(len(target)), GREEN)
        if not self.pairs and len(target) > 1:
            colours = {number: overlay.color(number) for number in range(len(target))}
        for one, other in self.pairs:
            colours[self._number(one)], colours[self._number(other)] = RED, BLUE
        radius = max(1, round(min(height, width) / 100))
        for number, (x, y) in enumerate((target + 1) * [width / 2, height / 2] - 0.5):
            if np.isfinite([x, y]).all() and max(abs(x), abs(y)) < 1e5:  # OpenCV has int32
                centre = (round(float(x) * 16), round(float(y) * 16))  # sixteenths of a pixel
                cv2.circle(drawn, centre, radius * 16, colours[number], -1, cv2.LINE_AA, shift=4)
                if 1 < len(target) <= NUMBERED:
                    place = (round(float(x)) + radius + 1, round(float(y)) - radius)
                    scale = max(0.3, min(height, width) / 500)
                    font = cv2.FONT_HERSHEY_SIMPLEX
                    cv2.putText(
                        drawn, str(number), place, font, scale, colours[number], 1, cv2.LINE_AA
                    )
        missing = int(np.isnan(target).any(axis=1).sum())
        caption = f"{len(target)} points" if len(target) > 1 else "1 point"
        return drawn, caption + (f", {missing} missing" if missing else "")

    def interpretation(self) -> LandmarksInterpretation:
        """See `kitbox.contracts.Interprets`."""
        from kitbox.interpretation.landmarks import LandmarksInterpretation

        return LandmarksInterpretation(self._columns, self.names)

    def writer(self, sample: pd.DataFrame | None) -> Mapping[str, Any]:
        """`wide`, of the columns that the sample names.

        Raises:
            SubmissionError: where the sample has one value a row, since the file that says
                what a row is must be named in the recipe.
        """
        if sample is None:
            return {"use": "wide"}
        columns = [name for pair in self._columns for name in pair]
        asked = [str(name) for name in sample.columns[1:]]
        if len(asked) == 1 and asked[0] not in columns:
            raise SubmissionError(
                "The sample submission has one value a row: another file says which point's",
                found=f"the columns {some(sample.columns)}",
                do="Name the writer in the recipe, e.g. `submission: {sample: ..., writer: {use: "
                "lookup, lookup: IdLookupTable.csv}}`",
            )
        if len(asked) < len(columns) and set(asked) <= set(columns):
            return {"use": "wide", "columns": {name: name for name in asked}}
        return {"use": "wide"}

    @property
    def names(self) -> list[str]:
        """What the points are called, in order."""
        return [coordinates.point_name(pair) for pair in self._columns]

    @property
    def _columns(self) -> tuple[tuple[str, str], ...]:
        assert self.columns is not None, "learn() gives the task its columns"
        return self.columns

    @property
    def _norm(self) -> tuple[str, ...]:
        return () if self.norm == "diagonal" else tuple(self.norm)

    @property
    def _spread(self) -> float:
        assert self.spread is not None, "learn() gives the task its scale"
        return self.spread

    def _scaled(self, rows: pd.DataFrame, folder: Path) -> Points:
        """The task with the places that it begins with, from some of the pictures' sizes."""
        import numpy as np

        from kitbox.data import images
        from kitbox.data.frames import normalize

        numbers.check_count("centre", self.centre, len(self.names), "points")

        some_rows = rows.iloc[:: -(-len(rows) // LOOKED)]
        places = []
        for image, xy in zip(some_rows["image"], self._read(some_rows), strict=True):
            with contextlib.suppress(PictureError):  # told when pictures are decoded
                places.append(normalize(xy, images.size(folder / image)))
        centre, spread = np.zeros((len(self.names), 2)), 0.5
        if places:
            across = np.stack(places)
            known = ~np.isnan(across)
            counts = known.sum(axis=0)
            centre = np.where(known, across, 0).sum(axis=0) / np.maximum(counts, 1)
            spread = max(float(np.sqrt(np.nanmean((across - centre) ** 2))), LEAST)
        return self.model_copy(
            update={
                "centre": self.centre or tuple((float(x), float(y)) for x, y in centre),
                "spread": self.spread or spread,
            }
        )

    def _find(self, targets: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """The columns of the points."""
        if self.columns is not None:
            choose([name for pair in self.columns for name in pair], targets)
            return self.columns
        pairs, left = coordinates.pair(targets)
        if left or not pairs:
            raise LabelError(
                "It cannot be told which columns are the x and the y of a point",
                found=some(left or targets, most=10),
                do="Set `columns` of the task: [[x, y], ...]; or let the labeler `points` give "
                "the coordinates alone",
            )
        return tuple(pairs)

    def _number(self, name: str) -> int:
        """The number of a point, by its name or one of its columns."""
        for number, (called, pair) in enumerate(zip(self.names, self._columns, strict=True)):
            if name == called or name in pair:
                return number
        raise LabelError(
            f"There is no point called '{name}'",
            do=nearest(name, self.names) or f"Known: {some(self.names, 12)}",
        )

    def _read(self, rows: pd.DataFrame) -> np.ndarray:
        """Points (N, P, 2) float64; unknown where one of their coordinates is."""
        import numpy as np

        columns = [name for pair in self._columns for name in pair]
        xy = numbers.read(rows, columns, gaps=True).reshape(len(rows), len(self._columns), 2)
        xy[np.isnan(xy).any(axis=2)] = np.nan
        return xy

    def _places(self, outputs: np.ndarray, frames: Frames) -> np.ndarray:
        """Raw outputs (N, 2P) as points (N, P, 2) in pixels of the pictures, float64."""
        import numpy as np

        across = outputs.astype(np.float64).reshape(len(outputs), len(self._columns), 2)
        return frames.to_picture(across * self._spread + np.array(self.centre))

    def _units(self, targets: np.ndarray, frames: Frames) -> np.ndarray:
        """What an error of each picture is a share of (N,), in pixels."""
        import numpy as np

        if self.norm == "diagonal":
            return np.hypot(*frames.sizes.T.astype(np.float64))
        one, other = (self._number(name) for name in self._norm)
        return np.hypot(*(targets[:, one] - targets[:, other]).T)


def _check(xy: np.ndarray, trained: np.ndarray, names: Sequence[str]) -> None:
    """Whether points (N, P, 2), of which some train, can be learned.

    Raises:
        LabelError: when some are never known, all are at one place, or are no pixels.
    """
    import numpy as np

    known = ~np.isnan(trained).any(axis=2)
    never = [name for name, there in zip(names, known.any(axis=0), strict=True) if not there]
    if never:
        raise LabelError(
            f"Points that no training picture has: {some(never)}",
            do="Leave their columns out, or use another split",
        )
    spread = np.nanmax(trained, axis=0) - np.nanmin(trained, axis=0)
    if not spread.any():
        raise LabelError(
            "There is nothing to learn where the points are at the same place in every picture",
            found=f"{len(trained)} training pictures, ({trained[known][0][0]:g}, "
            f"{trained[known][0][1]:g}) for '{names[0]}'",
            do="Check the labeler's columns",
        )
    if np.nanmin(xy) >= 0 and np.nanmax(xy) <= 1:
        raise LabelError(
            "The coordinates look like shares of the picture's width and height, not like pixels",
            found=f"numbers from {np.nanmin(xy):g} to {np.nanmax(xy):g}",
            do="Give pixels of the file's picture, upright",
        )
