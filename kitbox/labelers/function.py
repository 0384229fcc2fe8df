"""A function of the person's own that knows the labels."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import field_validator

from kitbox.contracts import Labels
from kitbox.data.files import Below, some_pictures
from kitbox.errors import LabelError, counted, nearest
from kitbox.labelers.values import checked, told
from kitbox.options import Options

_GIVEN = (
    "It is called with a `pathlib.Path`, not with text: `path.name`, `path.stem` and "
    "`path.parent.name` are its parts, `str(path)` is the text. "
)
NAME = r"^[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*$"
"""A function as `package.module:name`."""


class FunctionLabels(Options):
    """The label of a picture is what a function says.

    Attributes:
        function: where the function is, as `package.module:name`. The current
            folder is searched first. It is called with the `Path` of each
            picture, the source's folder included, as the functions of `masks`
            and `points` are (so that `path.name`, `path.stem` and
            `path.parent.name` are there), and returns a text, a number, a list
            of texts, or None to skip the picture.
        images: the folder of the pictures, below the source's folder.
    """

    function: str
    images: Below = ""

    @field_validator("function")
    @classmethod
    def _check(cls, function: str) -> str:
        if not re.fullmatch(NAME, function):
            raise ValueError(f"found {function!r}, expected package.module:name")
        return function

    def label(self, folder: Path) -> Labels:
        """One row a picture that has a label, with the target column `label`.

        `id` is the picture's path below the source's folder.

        Raises:
            LabelError: when the function cannot be imported or called, when it
                raises, and when what it returns is no label.
        """
        import pandas as pd

        call = calling(self.function)
        paths = some_pictures(folder, self.images)
        labels = {path: call(folder / self.images / path) for path in paths}
        kept = [path for path, label in labels.items() if label is not None]
        if not kept:
            raise LabelError(
                f"{self.function} returned None for all {len(paths)} pictures",
                do="Return the label; None skips a picture",
            )
        found = checked([labels[path] for path in kept], kept)
        prefix = f"{self.images}/" if self.images else ""
        ids = [prefix + path for path in kept]
        notes = [told(found)]
        if len(kept) < len(paths):
            notes.append(f"{self.function} skipped {counted(len(paths) - len(kept), 'picture')}.")
        rows = pd.DataFrame({"id": ids, "image": ids, "label": pd.Series(found)})
        return Labels(rows, ("label",), tuple(notes))


def load(function: str) -> Callable[[Any], Any]:
    """The function that `package.module:name` names.

    Raises:
        LabelError: when there is none.
    """
    module_name, _, name = function.partition(":")
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        importlib.invalidate_caches()
        module = importlib.import_module(module_name)
    except Exception as error:
        raise LabelError(
            f"The labeler's function {function} cannot be imported",
            found=f"{type(error).__name__}: {error}",
            do=f"Put {module_name.partition('.')[0]} into {here} or install it",
        ) from error
    finally:
        sys.path.remove(here)
    found = getattr(module, name, None)
    if not callable(found):
        names = [known for known in vars(module) if callable(getattr(module, known))]
        raise LabelError(
            f"There is no function '{name}' in {module_name}",
            found=f"a value of type {type(found).__name__}" if hasattr(module, name) else "",
            do=nearest(name, [known for known in names if not known.startswith("_")]),
        )
    return found


def calling(name: str) -> Callable[[Path], Any]:
    """The function that `package.module:name` names; its errors say for which file it failed.

    One that fails as functions for text do, given a `Path`, is told what it is given.

    Raises:
        LabelError: when there is none.
    """
    function = load(name)

    def call(path: Path) -> Any:
        try:
            return function(path)
        except Exception as error:
            raise LabelError(
                f"{name} failed for {path}",
                found=f"{type(error).__name__}: {error}",
                do=f"{_GIVEN if isinstance(error, AttributeError | TypeError) else ''}Correct the "
                "function; None skips a picture",
            ) from error

    return call
