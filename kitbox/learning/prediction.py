"""Pictures that a person has at hand, and what is predicted for one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kitbox.contracts import Decides, Task
from kitbox.errors import PictureError

TAKEN = "a path, a PIL image, or an array (H, W), (H, W, 3) or (H, W, 4) of uint8"


@dataclass(frozen=True, repr=False)
class Prediction:
    """What is predicted for a picture.

    Attributes:
        words: the prediction as a person reads it.
        outputs: a value for each output, by name: a class's probability, say.
    """

    words: str
    outputs: dict[str, Any]

    def __repr__(self) -> str:
        return self.words


def predictions(task: Task, table: pd.DataFrame) -> list[Prediction]:
    """The rows of a task's table of predictions, each in words too."""
    if isinstance(task, Decides):
        words = task.decide(table, None)
    else:
        words = [
            ", ".join(f"{name} {value}" for name, value in row.items())
            for _, row in table.iterrows()
        ]
    rows: list[dict[Any, Any]] = table.to_dict("records")
    return [Prediction(said, row) for said, row in zip(words, rows, strict=True)]


@contextmanager
def as_files(pictures: Sequence[Any]) -> Iterator[list[Path]]:
    """The pictures as files, those in memory written for as long as the block lasts.

    Raises:
        PictureError: for what is no picture, or for a file that is not there.
    """
    with tempfile.TemporaryDirectory(prefix="kitbox-") as folder:
        yield [_file(one, Path(folder) / f"{i}.png") for i, one in enumerate(pictures)]


def _file(given: Any, beside: Path) -> Path:
    from PIL import Image

    if isinstance(given, str | os.PathLike):
        path = Path(given)
        if not path.is_file():
            raise PictureError(f"There is no picture at {path}", do="Check the path")
        return path
    if isinstance(given, Image.Image):
        kept = (
            given
            if given.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
            else given.convert("RGB")
        )
        kept.save(beside)
        return beside
    if not isinstance(given, np.ndarray):
        kind = f"{type(given).__module__}.{type(given).__name__}".removeprefix("builtins.")
        raise PictureError(f"A {kind} is no picture", do=f"Give {TAKEN}")
    plain = given.ndim == 2 or (given.ndim == 3 and given.shape[2] in (3, 4))
    if given.dtype != np.uint8 or not plain or not given.size:
        raise PictureError(
            "This array is no picture", found=f"{given.shape} of {given.dtype}", do=f"Give {TAKEN}"
        )
    Image.fromarray(given).save(beside)
    return beside
