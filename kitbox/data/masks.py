"""Masks as a table's cells name them: a file, or run lengths; read as pixel values.

A cell is a path below the source's folder, or run lengths that say their order:
`columns 1 3 10 2` or `rows 1 3 10 2`, pairs of start (from 1) and length; an empty
mask is the one word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from kitbox.data import gate, images
from kitbox.errors import LabelError
from kitbox.runs import Order, spans

if TYPE_CHECKING:
    import numpy as np

_RUNS = re.compile(r"(columns|rows)(?: (\d+ \d+(?: \d+ \d+)*))?", re.ASCII)


def is_runs(cell: str) -> bool:
    """Whether a cell holds run lengths, not a path.

    >>> is_runs("columns 1 3"), is_runs("rows"), is_runs("labels/columns 1.png")
    (True, True, False)
    """
    return _RUNS.fullmatch(cell) is not None


def runs_cell(
    texts: list[str], order: Order = "columns", base: Literal[0, 1] = 1, relative: bool = False
) -> str:
    """The cell of run lengths as competitions write them; several texts are one mask.

    >>> runs_cell(["0 3", "9 2"], base=0), runs_cell([])
    ('columns 1 3 10 2', 'columns')

    Raises:
        ValueError: a phrase on what is wrong with the texts.
    """
    pairs = []
    for text in texts:
        starts, lengths = spans(text, base, relative)
        pairs += list(zip((starts + 1).tolist(), lengths.tolist(), strict=True))
    return " ".join([order, *(f"{start} {length}" for start, length in sorted(pairs))])


def paint(cells: Mapping[int, str], size: tuple[int, int], name: str) -> np.ndarray:
    """Pixel values (h, w) uint8 of run lengths by value; 0 where there are none, the last wins.

    Args:
        size: (h, w) of the picture, upright; run lengths do not tell it.
        name: of the picture, for messages.

    Raises:
        LabelError: when runs leave the picture.
    """
    import numpy as np

    mask = np.zeros(size, np.uint8)
    for value, cell in cells.items():
        found = _RUNS.fullmatch(cell)
        if found is None:
            raise LabelError(f"The mask of {name} is no run lengths", found=repr(cell[:60]))
        order = cast(Order, found[1])
        try:
            # One by one: runs of several instances may touch or overlap.
            starts, lengths = _pairs(found[2])
            flat = np.zeros(size[0] * size[1], bool)
            for start, length in zip(starts, lengths, strict=True):
                if start + length - 1 > len(flat):
                    raise ValueError(f"the run of {length} from {start} leaves the picture")
                flat[start - 1 : start - 1 + length] = True
        except ValueError as error:
            raise LabelError(
                f"The run lengths of {name} do not fit the picture of {size[1]}x{size[0]} "
                f"pixels: {error}",
                do="Check the labeler's `order` and `base`, and that the picture has its "
                "original size",
            ) from error
        if order == "columns":
            mask[flat.reshape(size[::-1]).T] = value
        else:
            mask[flat.reshape(size)] = value
    return mask


def read(path: Path, name: str, *, colors: bool = False) -> np.ndarray:
    """Pixel values (h, w) of a mask's file: palette indices or grey values, uint8 or int32.

    Args:
        name: of the mask, for messages.
        colors: masks are coloured: values are 0xRRGGBB, int32.

    Raises:
        LabelError: when it cannot be read, or is coloured and should not be.
    """
    try:
        with images.quiet(), images.open_picture(path) as image, gate.held(image):
            image.load()
            return _values(image, name, colors)
    except LabelError:
        raise
    except FileNotFoundError as error:
        raise LabelError(f"There is no mask {name}", do="Check the labeler's options") from error
    except Exception as error:  # damage makes Pillow raise nearly anything
        raise LabelError(
            f"The mask {name} cannot be read",
            found=str(error) or type(error).__name__,
            do="Mend it, or leave its picture out",
        ) from error


def check_size(mask: np.ndarray, size: tuple[int, int], name: str) -> None:
    """Refuse a mask (h, w) whose picture has another size (H, W), upright.

    Raises:
        LabelError: naming both sizes.
    """
    if mask.shape != size:
        raise LabelError(
            f"The mask {name} has another size than its picture",
            found=f"{mask.shape[1]}x{mask.shape[0]} pixels, the picture {size[1]}x{size[0]}",
            do="Every mask needs the size of its picture"
            + (
                ". Width and height are exchanged: pictures are turned upright, as their EXIF "
                "orientation says, and masks have to lie as the upright picture does"
                if mask.shape == size[::-1]
                else ""
            ),
        )


def _values(image: Any, name: str, colors: bool) -> np.ndarray:
    import numpy as np

    if colors:
        planes = np.asarray(image.convert("RGB")).astype(np.int32)
        return planes[..., 0] << 16 | planes[..., 1] << 8 | planes[..., 2]
    values = np.asarray(image)
    if values.dtype == bool:
        return values.astype(np.uint8)
    if values.ndim == 3 and image.mode in ("LA", "PA"):
        values = values[..., 0]
    if values.ndim == 3:
        planes = values[..., :3]
        if image.mode not in ("RGB", "RGBA", "RGBX") or (planes != planes[..., :1]).any():
            first = [list(color) for color in sorted(_colors(image))[:3]]
            raise LabelError(
                f"The mask {name} is coloured",
                found=f"colours such as {', '.join(map(str, first))}",
                do="Say which colour is which class in the task: "
                "`colors: {background: [0, 0, 0], object: [255, 0, 0]}`",
            )
        values = planes[..., 0]
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values)
    whole = values.astype(np.int32)
    if (whole != values).any():
        raise LabelError(f"The mask {name} has fractions, where class numbers are expected")
    return whole


def _colors(image: Any) -> set[tuple[int, ...]]:
    import numpy as np

    planes = np.asarray(image.convert("RGB")).reshape(-1, 3)
    few = planes[:: max(1, len(planes) // 10_000)]
    return {tuple(map(int, color)) for color in np.unique(few, axis=0)}


def _pairs(text: str | None) -> tuple[list[int], list[int]]:
    numbers = [int(number) for number in (text or "").split()]
    if any(number < 1 for number in numbers):
        raise ValueError("starts and lengths count from 1")
    return numbers[::2], numbers[1::2]
