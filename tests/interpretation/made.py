"""Made-up passes over made-up pictures, for the tests of interpretations."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import torch

from kitbox import environment
from kitbox import recipe as recipes
from kitbox.data import pixels
from kitbox.data.assemble import make_loader
from kitbox.data.frames import Frames
from kitbox.interpretation.classification import ClassificationInterpretation
from kitbox.interpretation.interpretation import Interpretation
from kitbox.interpretation.scene import Scene
from kitbox.interpretation.tagging import TaggingInterpretation
from kitbox.interpretation.watch import look
from kitbox.models.model import Model
from kitbox.recipe import Recipe
from kitbox.tasks.multi_label import MultiLabel
from kitbox.tasks.single_label import SingleLabel
from kitbox.testing import TinyBody


def recipe(**changes: Any) -> Recipe:
    """A recipe, keys replaced."""
    least = {"source": "digits", "labeler": "folder", "task": "single-label", "size": 64}
    stages = [{"epochs": 4, "freeze": True}, {"epochs": 4}]
    return recipes.make({**least, "stages": stages, **changes})


def log(*stages: list[tuple[float, float]], lr: float = 1e-3) -> pd.DataFrame:
    """A log from pairs of training and validation loss, a list a stage."""
    return pd.DataFrame(
        [
            {"stage": s, "epoch": e, "lr": lr, "train_loss": train, "valid_loss": valid}
            for s, epochs in enumerate(stages, 1)
            for e, (train, valid) in enumerate(epochs, 1)
        ]
    )


def seen_by(
    folder: Path,
    task: Any,
    rows: pd.DataFrame,
    targets: list[str],
    *,
    size: tuple[int, int] = (32, 32),
    channels: int = 3,
    recipe: Recipe | None = None,
    part: str = "valid",
) -> Interpretation:
    """The interpretation of a tiny network with random weights, by a pass over real files."""
    task = task.learn(rows, targets, folder)
    torch.manual_seed(0)
    body = TinyBody(task.maps(), channels)
    side = pixels.side_for(size)
    images = list(rows["image"])
    decoded = pixels.load(folder, images, side=side, channels=channels, cache=None, workers=1)
    where = environment.detect()
    loader = make_loader(folder, rows, task, decoded, body, where, fit=task.fit(), batch_size=4)
    scene = Scene(
        task=task,
        model=Model(body, task.head(body)).to(where.device),
        loader=loader,
        table=rows,
        labelled=rows,
        files=folder,
        size=size,
        recipe=recipe,
    )
    return look(scene, np.flatnonzero(rows["part"] == part))


def _fill(
    made: Interpretation, task: Any, outputs: np.ndarray, targets: np.ndarray, **scene: Any
) -> None:
    count = len(outputs)
    given = torch.from_numpy(outputs.astype(np.float32))
    right = torch.from_numpy(targets)
    made.add(given, right, task.loss(given, right), Frames.whole((64, 64), count), np.arange(count))
    table = pd.DataFrame(
        {"id": [f"v{n}" for n in range(count)], "image": [f"v{n}.png" for n in range(count)]}
    )
    body = SimpleNamespace(layers=lambda: [[]] * 10, pretrained=True)
    options: dict[str, Any] = {
        "model": SimpleNamespace(body=body, state_dict=dict),
        "loader": None,
        "files": Path(),
        "size": (64, 64),
        "recipe": recipe(),
    }
    made.finish(made, Scene(task=task, table=table.assign(part="valid"), **{**options, **scene}))


def classified(
    counts: list[list[int]],
    *,
    train: list[int] | None = None,
    sure: float = 0.9,
    options: dict[str, Any] | None = None,
    **scene: Any,
) -> ClassificationInterpretation:
    """A classifier's pass with these counts by true and predicted class.

    Args:
        train: training pictures of each class.
        sure: the probability of what is predicted; the rest is the others', evenly.
    """
    size = len(counts)
    names = [f"c{n}" for n in range(size)]
    each = train or [20] * size
    labels = [name for name, n in zip(names, each, strict=True) for _ in range(n)]
    labelled = pd.DataFrame({"id": range(len(labels)), "label": labels, "part": "train"})
    task = SingleLabel(**(options or {})).learn(labelled, ["label"], Path())
    cells = [(t, p) for t in range(size) for p in range(size) for _ in range(counts[t][p])]
    probabilities = np.full((len(cells), size), (1 - sure) / max(1, size - 1))
    probabilities[np.arange(len(cells)), [p for _, p in cells]] = sure
    made = task.interpretation()
    targets = np.array([t for t, _ in cells], np.int64)
    _fill(made, task, np.log(probabilities), targets, **{"labelled": labelled, **scene})
    return made


def tagged(chosen: np.ndarray, targets: np.ndarray, **scene: Any) -> TaggingInterpretation:
    """A tagger's pass: what is chosen and what is right, (N, K) of 0 and 1."""
    names = [f"t{n}" for n in range(targets.shape[1])]
    cells = [tuple(n for n, there in zip(names, row, strict=True) if there) for row in targets]
    rows = pd.DataFrame({"tags": cells, "part": "train"})
    task = MultiLabel(classes=tuple(names), unlearnable="keep", threshold=0.5)
    task = task.learn(rows, ["tags"], Path())
    made = task.interpretation()
    _fill(made, task, np.where(chosen, 3.0, -3.0), targets.astype(np.uint8), labelled=rows, **scene)
    return made
