"""A class for every pixel: semantic segmentation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, cast

from pydantic import Field, field_validator

from kitbox.data.files import Below
from kitbox.errors import LabelError, PictureError, nearest, some
from kitbox.options import Options
from kitbox.tasks import confusion, mask_columns, mask_looks
from kitbox.tasks.codes import VOID, Codes, UnnamedError, check_colors, check_void, read_names
from kitbox.tasks.columns import choose

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd
    import torch
    from torch import nn

    from kitbox.contracts import Body, Tally
    from kitbox.data.frames import Frames
    from kitbox.data.targets import Masks, Targets
    from kitbox.interpretation.areas import AreasInterpretation

Byte = Annotated[int, Field(ge=0, le=255)]
Loss = Literal["cross-entropy", "dice", "focal"]
Factor = Annotated[float, Field(gt=0, allow_inf_nan=False)]

SHOWN = 3
"""Classes that a person is shown of a prediction."""
COUNTED = 1000
"""Masks whose pixels are counted for balanced class weights, at most."""


class Segmentation(Options):
    """Each pixel of the picture, upright (turned as its EXIF orientation says), has a class."""

    drafted_for: ClassVar[str] = "areas"

    columns: tuple[str, ...] | None = Field(
        None, description="the labeler's columns of masks; by default all that it gives"
    )
    codes: Below | tuple[str, ...] | None = Field(
        None,
        description="names of the classes by pixel value from 0 on: a list, or a text file "
        "below the source's folder with a name a line",
    )
    values: dict[Annotated[int, Field(ge=0)], str] = Field(
        {},
        description="pixel value: name, as in {0: background, 255: salt}; beside `codes`, "
        "or instead of them",
    )
    colors: dict[str, tuple[Byte, Byte, Byte]] = Field(
        {}, description="name: [red, green, blue], where masks are coloured"
    )
    void: str | None = Field(None, description="the class that is not counted, in loss and metrics")
    decoder: Literal[
        "unet", "unetplusplus", "manet", "linknet", "fpn", "deeplabv3plus", "segformer", "upernet"
    ] = Field("unet", description="of segmentation_models_pytorch, over the backbone's maps")
    width: Annotated[float, Field(gt=0, le=8)] = Field(
        1.0, description="factor of the decoder's channels"
    )
    losses: Loss | dict[Loss, Factor] = Field(
        "cross-entropy",
        description="one, or a sum as in {cross-entropy: 1, dice: 0.5}; each is the picture's",
    )
    gamma: Annotated[float, Field(ge=0, le=10)] = Field(2.0, description="of the focal loss")
    class_weights: Literal["balanced"] | dict[str, Annotated[float, Field(ge=0)]] | None = Field(
        None, description="weights in the loss; 'balanced' is inverse to the number of pixels"
    )
    threshold: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None,
        description="of two classes, the probability from which a pixel is of the second; "
        "by default the likelier one wins",
    )
    metrics: tuple[str, ...] = Field(
        ("mean_iou", "pixel_accuracy", "dice"),
        min_length=1,
        description="the first selects the best weights: mean_iou, pixel_accuracy, dice, "
        "mean_accuracy, iou_NAME or dice_NAME of one class",
    )

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of a pixel, in the order of the outputs; () before the task has learned."""
        return tuple(self._codes.classes) if isinstance(self.codes, tuple) else ()

    @field_validator("codes")
    @classmethod
    def _once(cls, codes: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        if isinstance(codes, tuple) and len(set(codes)) < len(codes):
            doubled = sorted({name for name in codes if codes.count(name) > 1})
            raise ValueError(f"found {some(doubled)} more than once, expected each class once")
        return codes

    @field_validator("losses")
    @classmethod
    def _some(cls, losses: Loss | dict[Loss, float]) -> Loss | dict[Loss, float]:
        if not losses:
            raise ValueError("found no loss, expected one or several")
        return losses

    @field_validator("metrics")
    @classmethod
    def _known(cls, metrics: tuple[str, ...]) -> tuple[str, ...]:
        for metric in metrics:
            if not confusion.looks_right(metric):
                known = [*confusion.METRICS, "iou_NAME", "dice_NAME"]
                raise ValueError(f"unknown metric {metric!r}. {nearest(metric, known)}")
        return metrics

    def learn(self, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> Segmentation:
        """See `kitbox.contracts.Task`: names the classes, looks at the masks, weighs classes.

        Raises:
            LabelError: for unknown columns, pixel values that are no class, masks of
                another size than their picture, options that name no class, and masks
                or weights that leave fewer than two classes to learn.
        """
        columns = choose(self.columns, targets)
        given = self.codes
        if isinstance(given, str):
            given = read_names(folder, given)
        names, values = mask_columns.name(
            rows[list(columns)], given or (), self.values, tuple(self.colors), folder
        )
        runs = mask_columns.are_runs([str(cell) for cell in rows[list(columns)].iloc[0]])
        check_void(
            self.void,
            names,
            self.codes if isinstance(self.codes, str) and not runs else "",
            lambda: mask_columns.shown(rows[columns[0]], folder),
        )
        check_colors(self.colors)
        task = self.model_copy(update={"columns": columns, "codes": names, "values": values})
        codes = task._codes
        if not 2 <= len(codes.classes) < VOID:
            raise LabelError(
                f"There are {len(codes.classes)} classes, a segmentation needs 2 to {VOID - 1}",
                found=some(codes.names),
                do="Correct `codes` or `values`; a background is a class too",
            )
        _check_names(task)
        try:
            pixels = mask_looks.look(
                task.encode(rows, folder),
                rows["image"].tolist(),
                (rows["part"] == "train").to_numpy(),
                len(codes.classes),
                folder,
            )
        except UnnamedError as error:
            if not isinstance(self.codes, str):
                raise
            raise error.lacking(self.codes, given or ()) from error
        mask_looks.check_classes(pixels, codes.classes, task._weights or [1.0] * len(pixels))
        if task.class_weights == "balanced":
            return task.model_copy(update={"class_weights": task._balanced(rows, folder)})
        return task

    def encode(self, rows: pd.DataFrame, folder: Path) -> Masks:
        """Class numbers by pixel, 255 where not counted; read when they are needed."""
        from kitbox.data.targets import Masks

        assert self.columns is not None, "learn() gives the task its columns"
        cells = [tuple(map(str, row)) for row in rows[list(self.columns)].itertuples(index=False)]
        images = list(rows["image"])
        codes = self._codes

        def read(number: int) -> np.ndarray:
            return mask_columns.read(cells[number], folder, images[number], codes)

        def name(number: int) -> str:
            cell = cells[number]
            return f"of {images[number]}" if mask_columns.are_runs(cell) else cell[0]

        return Masks(len(rows), read, VOID, name)

    def balance(self, targets: Targets, rows: np.ndarray) -> np.ndarray:
        """One over the root of the share of pictures with the rarest class of the row's mask.

        The root as in Gupta et al., "LVIS", 2019, appendix B; without it the one picture of a
        class would be half of all draws.
        """
        from concurrent.futures import ThreadPoolExecutor

        import numpy as np

        masks = cast("Masks", targets)
        count = len(self._codes.classes)

        def shows(row: int) -> np.ndarray:
            return np.bincount(masks.read(row).ravel(), minlength=VOID + 1)[:count] > 0

        with ThreadPoolExecutor() as pool:
            shown = np.stack(list(pool.map(shows, rows.tolist())))
        rarity = 1 / np.sqrt(np.maximum(shown.mean(axis=0), 1 / len(rows)))
        return np.where(shown, rarity, 1.0).max(axis=1)

    def fit(self) -> Literal["squash"]:
        """All of the picture: every pixel has a class."""
        return "squash"

    def maps(self) -> bool:
        """Maps, to decode."""
        return True

    def head(self, body: Body) -> nn.Module:
        """The decoder."""
        from kitbox.tasks import decoders

        assert not isinstance(body.features, int), "maps() asked for maps"
        return decoders.make(
            self.decoder, body.features, body.strides, len(self._codes.classes), width=self.width
        )

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The sum of the losses of each picture (B,); see `kitbox.tasks.mask_losses`."""
        from kitbox.tasks import mask_losses

        parts = {self.losses: 1.0} if isinstance(self.losses, str) else self.losses
        return mask_losses.total(
            outputs,
            targets,
            cast("Mapping[str, float]", parts),
            weights=self._weights,
            gamma=self.gamma,
        )

    def tally(self) -> confusion.Confusion:
        """A confusion matrix of pixels."""
        return confusion.Confusion(len(self._codes.classes), self._bias)

    def tune(self, tally: Tally) -> Segmentation:
        """Nothing to tune."""
        return self

    def score(self, tally: Tally) -> dict[str, float]:
        """The metrics of the confusion matrix; pixels that are not counted are not in it."""
        matrix = cast(confusion.Confusion, tally).matrix
        return {
            metric: confusion.compute(metric, matrix, self._codes.classes)
            for metric in self.metrics
        }

    def best(self) -> tuple[str, Literal["max"]]:
        """The first metric."""
        return self.metrics[0], "max"

    def predictions(self, outputs: np.ndarray, frames: Frames) -> pd.DataFrame:
        """A column of `Runs` per class, of the picture's own size, upright.

        Outputs (B, K, H, W) are scaled to the picture before the highest is chosen.
        """
        import numpy as np
        import pandas as pd

        from kitbox.runs import Runs

        names = self._codes.classes
        bias = self._bias or (0.0,) * len(names)
        columns: dict[str, list[Any]] = {name: [] for name in names}
        for number, planes in enumerate(outputs):
            # A class at a time: all of them at the size of a large picture are gigabytes.
            best = frames.paste(number, planes[:1])[0] + np.float32(bias[0])
            chosen = np.zeros(best.shape, np.uint8)
            for k in range(1, len(names)):
                plane = frames.paste(number, planes[k : k + 1])[0] + np.float32(bias[k])
                higher = plane > best
                chosen[higher] = k
                best[higher] = plane[higher]
            for k, name in enumerate(names):
                columns[name].append(Runs.of(chosen == k))
        return pd.DataFrame(
            {name: pd.Series(cells, dtype=object) for name, cells in columns.items()}
        )

    def decide(self, predictions: pd.DataFrame, top: int | None = None) -> list[str]:
        """See `kitbox.contracts.Decides`: the largest classes, as shares of the pixels."""
        lines = []
        for row in predictions[list(self._codes.classes)].to_dict("records"):
            shares = sorted(row.items(), key=lambda one: -float(one[1]))
            there = [(name, float(runs)) for name, runs in shares if float(runs)]
            first, *others = [f"{name} {_percent(share)}" for name, share in there]
            lines.append(some([f"{first} of the pixels", *others], top or SHOWN))
        return lines

    def draw(self, picture: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, str]:
        """The picture tinted by class, captioned with its classes."""
        from kitbox.tasks import overlay

        return overlay.overlay(picture, target), overlay.caption(target, self._codes.classes)

    def interpretation(self) -> AreasInterpretation:
        """See `kitbox.contracts.Interprets`."""
        from kitbox.interpretation.areas import AreasInterpretation
        from kitbox.tasks import overlay

        return AreasInterpretation(
            self._codes.classes, self._chosen, overlay.overlay, overlay.color, VOID
        )

    def _chosen(self, outputs: torch.Tensor) -> torch.Tensor:
        """Class numbers (B, H, W) of raw outputs (B, K, H, W)."""
        import torch

        if self._bias is not None:
            bias = torch.tensor(self._bias, device=outputs.device)
            outputs = outputs + bias[:, None, None]
        return outputs.argmax(1)

    def writer(self, sample: pd.DataFrame | None) -> Mapping[str, Any]:
        """Run lengths; not of the background, unless the sample names it.

        The background is a first class of that name, or the first of two.
        """
        first, *others = self._codes.classes
        if (first.lower() == "background" or len(others) == 1) and not _names(sample, first):
            return {"use": "rle", "classes": others}
        return {"use": "rle"}

    @property
    def _codes(self) -> Codes:
        """The classes, after `learn`."""
        assert isinstance(self.codes, tuple), "learn() gives the task its classes"
        return Codes(self.codes, self.values, self.colors, self.void)

    @property
    def _weights(self) -> tuple[float, ...] | None:
        """The weight of each class in the loss, where they are given by name."""
        if not isinstance(self.class_weights, Mapping):
            return None
        return tuple(self.class_weights.get(name, 1.0) for name in self._codes.classes)

    @property
    def _bias(self) -> tuple[float, ...] | None:
        """What makes the highest output that of the class which the threshold asks for."""
        if self.threshold is None:
            return None
        return 0.0, math.log((1 - self.threshold) / self.threshold)

    def _balanced(self, rows: pd.DataFrame, folder: Path) -> dict[str, float]:
        """Weights inverse to the pixels of each class in the training masks."""
        from concurrent.futures import ThreadPoolExecutor

        import numpy as np

        train = rows[rows["part"] == "train"]
        masks, names = self.encode(train, folder), self._codes.classes

        def count(number: int) -> np.ndarray:
            try:
                mask = masks.read(number)
            except PictureError:  # reported where pictures are decoded
                return np.zeros(len(names), np.int64)
            return np.bincount(mask.ravel(), minlength=VOID + 1)[: len(names)]

        with ThreadPoolExecutor() as pool:
            counts = np.sum(list(pool.map(count, mask_columns.spread(len(train), COUNTED))), axis=0)
        present = {name: int(n) for name, n in zip(names, counts, strict=True) if n}
        total = sum(present.values())
        return {name: total / (len(present) * n) for name, n in present.items()}


def _check_names(task: Segmentation) -> None:
    """Refuse options that name classes which there are not."""
    classes = task._codes.classes
    for option, given in (("class_weights", task.class_weights), ("colors", task.colors)):
        known = classes if option == "class_weights" else task._codes.names
        if isinstance(given, Mapping) and (extra := sorted(set(given) - set(known))):
            raise LabelError(
                f"`{option}` names classes that there are not: {some(extra)}",
                do=nearest(extra[0], known),
            )
    if task.threshold is not None and len(classes) != 2:
        raise LabelError("`threshold` is for two classes", found=some(classes), do="Leave it out")
    import numpy as np

    empty = np.zeros((len(classes), len(classes)), np.int64)
    for metric in task.metrics:
        try:
            confusion.compute(metric, empty, classes)
        except ValueError as error:
            raise LabelError(f"The task's `metrics`: {error}") from error


def _percent(share: float) -> str:
    """A share in words: 92 %, less than 1 %."""
    return "less than 1 %" if share < 0.005 else f"{share:.0%}".replace("%", " %")


def _names(sample: pd.DataFrame | None, name: str) -> bool:
    """Whether a column or a key of the sample submission is, or ends in, the name of a class."""
    if sample is None:
        return False
    keys = (str(cell) for column in list(sample.columns)[:-1] for cell in sample[column])
    return any(word.lower().endswith(name.lower()) for word in (*map(str, sample.columns), *keys))
