"""Class codes: which pixel value of a mask means which class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from kitbox.errors import LabelError, nearest, some

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

VOID = 255
"""The class number of pixels that are not counted."""

FEW = 20
"""Values of a mask that are few enough to be named one by one."""

Color = tuple[int, int, int]


class UnnamedError(LabelError):
    """Masks have pixel values that are no class. `highest` is the highest of their values."""

    def __init__(self, wrong: str, *, found: str = "", do: str = "", highest: int = 0) -> None:
        self.highest = highest
        super().__init__(wrong, found=found, do=do)

    def lacking(self, file: str, names: Sequence[str]) -> UnnamedError:
        """The same, where a file of names was read that has too few."""
        if self.highest < len(names) or self.highest > VOID - 1:
            return self
        do = (
            f"{file} holds {len(names)} names, for the values 0 to {len(names) - 1}, and the "
            f"highest value in the masks is {self.highest}: give each value a line, in their "
            "order, the one that is not counted too; or name single ones in `values`"
        )
        return UnnamedError(self.wrong, found=self.found, do=do, highest=self.highest)


@dataclass(frozen=True)
class Codes:
    """The classes of masks and how their pixels name them.

    Attributes:
        names: of all classes, each once.
        values: pixel value to name, of all values that masks may have.
        colors: name to red, green, blue, where masks are coloured; else empty.
        void: the class that is not counted, one of `names`, or None.
    """

    names: tuple[str, ...]
    values: Mapping[int, str] = field(default_factory=dict)
    colors: Mapping[str, Color] = field(default_factory=dict)
    void: str | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes that are counted; a class number is a place in them."""
        return tuple(name for name in self.names if name != self.void)

    def encode(self, values: np.ndarray, mask: str) -> np.ndarray:
        """Class numbers (h, w) uint8, `VOID` where not counted, of pixel values (h, w).

        Where masks are coloured the values are 0xRRGGBB.

        Raises:
            LabelError: naming the `mask` and the values that are no class.
        """
        import cv2
        import numpy as np

        if values.dtype == np.uint8:
            there = np.flatnonzero(np.bincount(values.ravel(), minlength=256))
        else:
            there = np.unique(values)
        if unknown := [int(value) for value in there if int(value) not in self._numbers]:
            raise self._stranger(unknown, [int(value) for value in there], mask)
        if values.dtype == np.uint8:
            table = np.zeros(256, np.uint8)
            table[there] = [self._numbers[int(value)] for value in there]
            return cv2.LUT(np.ascontiguousarray(values), table).reshape(values.shape)
        numbers = np.array([self._numbers[int(value)] for value in there], np.uint8)
        return numbers[np.searchsorted(there, values)]

    @cached_property
    def _numbers(self) -> dict[int, int]:
        """Class number of every pixel value."""
        number = {name: i for i, name in enumerate(self.classes)}
        if self.void is not None:
            number[self.void] = VOID
        if self.colors:
            return {packed(color): number[name] for name, color in self.colors.items()}
        return {value: number[name] for value, name in self.values.items()}

    def _stranger(self, unknown: Sequence[int], there: Sequence[int], mask: str) -> LabelError:
        if self.colors:
            return LabelError(
                f"The mask {mask} has colours that are no class",
                found=some(shown(value) for value in unknown),
                do=f"Add them to `colors`, which has {some(self.colors, most=12)}",
            )
        known = ", ".join(
            f"{value} ({self._name(number)})" for value, number in sorted(self._numbers.items())
        )
        return UnnamedError(
            f"The mask {mask} has pixel values that are no class",
            found=f"{some(unknown, most=8)} among {some(there, most=8)}; classes are {known}",
            do=advice(there, self.names),
            highest=max(there),
        )

    def _name(self, number: int) -> str:
        return str(self.void) if number == VOID else self.classes[number]


def advice(there: Sequence[int], names: Sequence[str] = ()) -> str:
    """What to write in the task for masks with these pixel values.

    >>> advice([0, 255])
    'A mask of 0 and 255 is black and white: write `values: {0: background, 255: object}`'
    >>> advice([0, 300])
    'Values above 255 are named one by one: write `values: {0: background, 300: object}`'
    """
    if max(there) == 255 and set(there) <= {0, 255}:
        first, second = names if len(names) == 2 else ("background", "object")
        return (
            f"A mask of 0 and 255 is black and white: write `values: {{0: {first}, 255: {second}}}`"
        )
    if max(there) == 255 and (len(there) == 1 or sorted(there)[-2] < 250):
        return (
            "255 usually marks pixels that are not counted: write `values: {255: void}` and "
            "`void: void`, and the names of the others in `codes`"
        )
    if max(there) > 255 and len(there) <= FEW:
        known = (*names, *("background", "object")[len(names) :]) if len(there) == 2 else ()
        meant = dict(zip(sorted(there), known or ["..."] * len(there), strict=False))
        listed = ", ".join(f"{value}: {name}" for value, name in meant.items())
        return f"Values above 255 are named one by one: write `values: {{{listed}}}`"
    if max(there) > 255 or len(there) > 60:
        return (
            "Values spread like this are no class numbers: a JPEG blurs them, a colour mask "
            "needs `colors`"
        )
    return (
        f"Give a name to each value from 0 to {max(there)} in `codes`, in their order, or to "
        "single ones in `values: {0: background, 7: object}`"
    )


def read_names(folder: Path, file: str) -> tuple[str, ...]:
    """Names of classes from a text file below a folder, one a line.

    Raises:
        LabelError: when it cannot be read, is empty, or has a name twice.
    """
    from kitbox.data.files import lines

    do = "Set `codes` to a text file with a name a line, below the source's folder, or to a list"
    names = tuple(lines(folder, file, "The file of class names", LabelError, do))
    if not names or len(set(names)) < len(names):
        doubled = sorted({name for name in names if names.count(name) > 1})
        raise LabelError(
            f"The file of class names {folder / file} "
            + (f"has {some(doubled)} more than once" if doubled else "is empty"),
            do="Write every class once, a line each, in the order of their pixel values",
        )
    return names


def check_void(
    void: str | None,
    names: Sequence[str],
    file: str = "",
    there: Callable[[], Sequence[int]] = list,
) -> None:
    """Refuse a `void` that is no class.

    Args:
        file: that the names were read from.
        there: gives the values of some masks, to say whether the file has too few names.

    Raises:
        LabelError: naming the nearest class.
    """
    if void is None or void in names:
        return
    found, do = some(names), nearest(void, names)
    if file and not do.startswith("Did") and (values := there()):
        found = f"{len(names)} names in {file}: {found}; the masks go up to the value {max(values)}"
        if len(names) <= max(values) < VOID:
            do = (
                f"Give each value from 0 to {max(values)} a line in {file}, in their order, the "
                "one that is not counted too"
            )
    raise LabelError(f"`void` is '{void}', which is no class", found=found, do=do)


def check_colors(colors: Mapping[str, Color]) -> None:
    """Refuse two classes of one colour.

    Raises:
        LabelError: naming the classes.
    """
    named: dict[Color, list[str]] = {}
    for name, color in colors.items():
        named.setdefault(color, []).append(name)
    if shared := [color for color, names in named.items() if len(names) > 1]:
        raise LabelError(
            "Classes have the same colour in `colors`",
            found="; ".join(f"{list(color)} for {some(named[color])}" for color in shared[:3]),
            do="Give each class a colour of its own, or leave all but one of these out",
        )


def packed(color: Sequence[int]) -> int:
    """Red, green and blue as one number, 0xRRGGBB."""
    red, green, blue = color
    return red << 16 | green << 8 | blue


def shown(value: int) -> str:
    """0xRRGGBB as people write it in a recipe.

    >>> shown(0xFF8000)
    '[255, 128, 0]'
    """
    return str([value >> 16, value >> 8 & 255, value & 255])
