"""Labels that are given as they are."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationInfo, field_validator

from kitbox.contracts import Labels
from kitbox.data.files import is_below
from kitbox.errors import LabelError, some
from kitbox.labelers.values import checked, told
from kitbox.options import Options


class ListLabels(Options):
    """A list of pictures and a list of their labels.

    Attributes:
        paths: the pictures, below the source's folder (or absolute and in it).
        labels: the label of each: a text, a number, or a list of texts.
        parts: 'train', 'valid' or None of each, where it is known.
    """

    paths: list[str]
    labels: list[str | int | float | list[str]]
    parts: list[Literal["train", "valid"] | None] | None = None

    @field_validator("paths")
    @classmethod
    def _check_paths(cls, paths: list[str]) -> list[str]:
        if not paths:
            raise ValueError("found an empty list, expected the pictures")
        doubled = [path for path, times in Counter(paths).items() if times > 1]
        if doubled:
            raise ValueError(f"found {some(doubled)} more than once, expected each picture once")
        return paths

    @field_validator("labels", "parts")
    @classmethod
    def _check_length(cls, values: list[Any] | None, info: ValidationInfo) -> list[Any] | None:
        paths = info.data.get("paths")  # absent when it has a mistake of its own
        if values is not None and paths is not None and len(values) != len(paths):
            raise ValueError(
                f"found {len(values)} values, expected {len(paths)}: one for each path"
            )
        return values

    def label(self, folder: Path) -> Labels:
        """One row a picture, with the target column `label`.

        `id` is the picture's path below the source's folder.

        Raises:
            LabelError: when a path leads out of the source's folder, two name
                the same picture, or the labels are of several kinds.
        """
        import pandas as pd

        paths = [_relative(path, folder) for path in self.paths]
        doubled = [path for path, times in Counter(paths).items() if times > 1]
        if doubled:
            raise LabelError("Some pictures are listed more than once", found=some(doubled))
        found = checked(self.labels, paths)
        rows = pd.DataFrame({"id": paths, "image": paths, "label": pd.Series(found)})
        if self.parts is not None:
            rows["part"] = pd.Series(self.parts, dtype=object)
        return Labels(rows, ("label",), (told(found),))


def _relative(path: str, folder: Path) -> str:
    plain = path.replace(os.sep, "/")
    if os.path.isabs(path):
        plain = Path(os.path.relpath(path, folder)).as_posix()
    plain = os.path.normpath(plain).replace(os.sep, "/")
    if not is_below(plain):
        raise LabelError(
            f"The picture {path} is not below the source's folder {folder}",
            do="Give paths below that folder, or another source",
        )
    return plain
