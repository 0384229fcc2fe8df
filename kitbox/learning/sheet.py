"""A batch to look at: pictures as the network sees them, labels below."""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from kitbox import environment as environments
from kitbox.data import assemble
from kitbox.errors import LabelError, PictureError, RecipeError, nearest, some
from kitbox.learning.eye import Eye
from kitbox.progress import Progress
from kitbox.results import pictures
from kitbox.runner import fit

if TYPE_CHECKING:
    import pandas as pd
    from PIL import Image

    from kitbox.learning.data import Data


def of(data: Data, count: int, one: bool | str, part: str) -> Image.Image:
    """See `Data.show_batch`."""
    count = _number(count)
    if count < 1 or part not in ("train", "valid"):
        raise RecipeError(
            f"There is no batch of {count} pictures of the part {part!r}",
            do="Ask for 1 or more of 'train' or 'valid'",
        )
    loader = _loader(data, _chosen(data, count, one, part))
    if one is not False:
        drawn, weights = np.zeros(count, np.int64), np.ones(count)
    else:
        drawn, weights = np.arange(len(loader.pixels)), None
    loader = replace(loader, batch_size=count)
    seed = (data.recipe.seed, 0, 0)
    batches = (
        loader.varied(drawn, data.size, data.recipe.augmentation, seed, weights=weights)
        if part == "train"
        else loader.fixed(drawn, data.size)
    )
    images, targets, _ = next(iter(batches))
    return pictures.batch(loader, data.task, images, targets)


def _number(count: Any) -> int:
    try:
        return operator.index(count)  # also a number of numpy
    except TypeError:
        raise RecipeError(
            f"{count!r} is no number of pictures", do="Give a whole number: show_batch(8)"
        ) from None


def _chosen(data: Data, count: int, one: bool | str, part: str) -> pd.DataFrame:
    rows = data.rows[data.rows["part"] == part]
    if isinstance(one, str):
        found = rows[rows["id"] == one]
        if not len(found):
            do = nearest(one, rows["id"]) or f"Ids are such as {some(rows['id'])}"
            raise LabelError(f"No picture of the part '{part}' has the id '{one}'", do=do)
        return found
    return rows.iloc[:: max(1, len(rows) // count)].head(1 if one else count)


def _loader(data: Data, few: pd.DataFrame) -> Any:
    """A loader of a few rows, decoded now."""
    here, eye = replace(environments.detect(), device="cpu"), cast("Any", Eye(3))
    quiet, few = Progress(quiet=True), few.reset_index(drop=True)
    decoded = assemble.decode(data.files, few, eye, data.largest, here, quiet, keep=False)
    whole = few.drop(index=list(decoded.broken)).reset_index(drop=True)
    if not len(whole):
        raise PictureError("None of the pictures to show can be read", found=some(few["image"]))
    if len(whole) < len(few):
        return _loader(data, whole)
    kind = fit(data.recipe, data.task)
    return assemble.make_loader(
        data.files, few, data.task, decoded, eye, here, fit=kind, batch_size=len(few)
    )
