"""Masks looked at before training: all that is wrong with them, and which classes they show."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from kitbox.errors import LabelError, PictureError, some
from kitbox.tasks.codes import VOID, UnnamedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np

    from kitbox.data.targets import Masks

SECONDS = 15.0
"""How long masks are looked at, where there are more than can be read in this time."""
AT_ONCE = 64
"""Masks that are handed to the threads between two looks at the clock."""
KINDS = 3
"""Different reasons that a message names."""


def look(
    masks: Masks, images: Sequence[str], train: np.ndarray, count: int, folder: Path
) -> np.ndarray:
    """Read masks, and count the pixels of each class in those that train: (K,).

    All of them, or evenly spread ones for `SECONDS`; for longer where these
    train and do not show two classes.

    Args:
        masks: of all rows (N).
        images: the rows' pictures, below the folder.
        train: which rows train, (N,) bool.
        count: K, the number of classes.

    Raises:
        LabelError: for masks that cannot be read, are of another size than their
            picture or have values that are no class, all together.
    """
    import numpy as np

    from kitbox.data import images as pictures
    from kitbox.data.masks import check_size

    def read(number: int) -> np.ndarray | LabelError | None:
        try:
            size = pictures.size(folder / images[number])
            mask = masks.read(number)
            check_size(mask, size, masks.name(number))
        except PictureError:  # reported where pictures are decoded
            return None
        except LabelError as error:
            return error
        return np.bincount(mask.ravel(), minlength=VOID + 1)[:count]

    pixels, looked = np.zeros(count, np.int64), 0
    wrong: dict[int, LabelError] = {}
    order, until = spread_order(len(masks)), time.monotonic() + SECONDS
    with ThreadPoolExecutor() as pool:
        for begin in range(0, len(order), AT_ONCE):
            if time.monotonic() > until and (wrong or np.count_nonzero(pixels) > 1):
                break
            some_of_them = order[begin : begin + AT_ONCE]
            looked += len(some_of_them)
            for number, found in zip(some_of_them, pool.map(read, some_of_them), strict=True):
                if isinstance(found, LabelError):
                    wrong[number] = found
                elif found is not None and train[number]:
                    pixels += found
    if wrong:
        names = {number: masks.name(number) for number in sorted(wrong)}
        raise _all([(names[number], wrong[number]) for number in names], looked)
    return pixels


def check_classes(pixels: np.ndarray, classes: Sequence[str], weights: Sequence[float]) -> None:
    """Refuse training masks that teach nothing.

    Args:
        pixels: of each class (K,) in the training masks.
        weights: of each class in the loss (K,).

    Raises:
        LabelError: when fewer than two classes are shown, or none of them weighs.
    """
    there = [name for name, n in zip(classes, pixels, strict=True) if n]
    if len(there) < 2:
        never = [name for name in classes if name not in there]
        raise LabelError(
            "There is nothing to learn where the training masks show fewer than two classes",
            found=f"'{there[0]}' alone, never {some(never)}"
            if there
            else f"none, all pixels are void or there are no masks; never {some(never)}",
            do="Check `codes`, `values` and `void` of the task against the masks, or use another "
            "split",
        )
    weighed = dict(zip(classes, weights, strict=True))
    if not any(weighed[name] for name in there):
        raise LabelError(
            "There is nothing to learn where `class_weights` are 0 for every class that the "
            "training masks show",
            found=some(f"{name}: {weighed[name]:g}" for name in classes),
            do="Give a class that is there a weight above 0, or leave `class_weights` out",
        )


def spread_order(count: int) -> list[int]:
    """The numbers below `count` in an order whose every beginning is evenly spread.

    >>> spread_order(8)
    [0, 5, 2, 7, 4, 1, 6, 3]
    """
    golden = 0.6180339887498949  # multiples of it, modulo 1, leave no large gap
    return sorted(range(count), key=lambda number: number * golden % 1)


def _all(wrong: Sequence[tuple[str, LabelError]], looked: int) -> LabelError:
    """One error for all masks that are wrong, with an example of each reason."""
    if len(wrong) == 1:
        return wrong[0][1]
    # A reason is what the error says but for the mask's name.
    kinds = {error.wrong.replace(name, ""): error for name, error in reversed(wrong)}
    examples = list(reversed(kinds.values()))[:KINDS]
    reasons = "; ".join(
        f"{error.wrong}: {error.found}" if error.found else error.wrong for error in examples
    )
    what = (
        f"{len(wrong)} of {looked} masks that were looked at cannot be used: "
        f"{some(name for name, _ in wrong)}"
    )
    do = ". ".join(dict.fromkeys(error.do.rstrip(".") for error in examples if error.do))
    values = [error.highest for _, error in wrong if isinstance(error, UnnamedError)]
    if len(values) == len(wrong):
        return UnnamedError(what, found=reasons, do=do, highest=max(values))
    return LabelError(what, found=reasons, do=do)
