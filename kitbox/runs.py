"""A mask as run lengths: small, comparable, written and read in every way that competitions use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    import numpy as np

Order = Literal["columns", "rows"]

_WHOLE = re.compile(r"\d+", re.ASCII)
_PAIRS = re.compile(r"\s*(\d{1,12}\s+\d{1,12}(\s+|$))+", re.ASCII)
_SIZED = re.compile(r"(\d{1,9})x(\d{1,9})", re.ASCII)
_FAR = 10**12
"""No picture has that many pixels: greater numbers are refused before they overflow."""


@dataclass(frozen=True, eq=False, repr=False)
class Runs:
    """A binary mask (height, width) as run lengths.

    The order is column-major: pixel (row, column) has the position
    `column * height + row`, counted from 0. Runs are as long as they can be (two
    never touch), so that equal masks are equal values.

    Attributes:
        height, width: the mask's size in pixels, at least 1.
        starts: position of every run's first pixel (R,) int64, ascending.
        lengths: pixels in every run (R,) int64, at least 1.

    >>> import numpy as np
    >>> runs = Runs.of(np.array([[0, 1], [1, 1]], bool))
    >>> str(runs), runs.area
    ('2x2 2 3', 3)
    >>> Runs.parse("2x2 2 3") == runs
    True

    Raises:
        ValueError: when runs are out of order, touch, or leave the picture.
    """

    height: int
    width: int
    starts: np.ndarray
    lengths: np.ndarray

    def __post_init__(self) -> None:
        import numpy as np

        if self.height < 1 or self.width < 1:
            raise ValueError(f"a mask of {self.height}x{self.width} pixels has no pixels")
        for name in ("starts", "lengths"):
            numbers = np.array(getattr(self, name), dtype=np.int64)  # a copy that stays as it is
            numbers.flags.writeable = False
            object.__setattr__(self, name, numbers)
        if self.starts.ndim != 1 or self.starts.shape != self.lengths.shape:
            raise ValueError(
                f"starts {self.starts.shape} and lengths {self.lengths.shape} must be two lists "
                "of the same length"
            )
        ends = self.starts + self.lengths
        if not len(ends):
            return
        if (self.lengths < 1).any() or (self.starts[1:] <= ends[:-1]).any():
            raise ValueError("runs must have pixels, ascend and not touch")
        if self.starts[0] < 0 or ends[-1] > self.height * self.width:
            raise ValueError(f"runs leave the picture of {self.height}x{self.width} pixels")

    @classmethod
    def of(cls, mask: np.ndarray) -> Self:
        """The runs of a mask (H, W), bool or whole numbers; what is not 0 belongs to it.

        Raises:
            ValueError: for another shape or floating-point numbers.
        """
        import numpy as np

        mask = np.asarray(mask)
        if mask.ndim != 2 or mask.dtype.kind not in "biu":
            raise ValueError(
                f"a mask is an array (H, W) of bool or whole numbers, found {mask.shape} of "
                f"{mask.dtype}"
            )
        starts, lengths = _runs(mask.ravel(order="F"))
        height, width = mask.shape
        return cls(height, width, starts, lengths)

    def mask(self) -> np.ndarray:
        """The mask (height, width), bool."""
        return self._flat().reshape(self.width, self.height).T

    @property
    def area(self) -> int:
        """How many pixels belong to the mask."""
        return int(self.lengths.sum())

    @property
    def share(self) -> float:
        """The mask's share of the picture, 0 to 1."""
        return self.area / (self.height * self.width)

    def encode(
        self, order: Order = "columns", base: Literal[0, 1] = 1, relative: bool = False
    ) -> str:
        """'start length start length ...', '' for an empty mask.

        Args:
            order: whether positions count down the columns or along the rows.
            base: the position of the first pixel.
            relative: every start but the first counts from the end of the run before.
        """
        import numpy as np

        if order == "columns":
            starts, lengths = self.starts, self.lengths
        else:
            starts, lengths = _runs(self.mask().ravel())
        if relative:
            starts = np.diff(starts + lengths, prepend=0) - lengths
            starts[:1] += base
        else:
            starts = starts + base
        return " ".join(map(str, np.stack([starts, lengths], axis=1).ravel().tolist()))

    @classmethod
    def decode(
        cls,
        text: str,
        height: int,
        width: int,
        order: Order = "columns",
        base: Literal[0, 1] = 1,
        relative: bool = False,
    ) -> Self:
        """The mask (height, width) that `encode` wrote; runs that touch become one.

        Raises:
            ValueError: a phrase: no numbers, an odd count of them, a run without
                pixels, runs that overlap or do not ascend, a run outside the picture.
        """
        starts, lengths = spans(text, base, relative)
        pixels = height * width
        outside = (starts + lengths > pixels).nonzero()[0]
        if len(outside):
            start, length = int(starts[outside[0]]) + base, int(lengths[outside[0]])
            raise ValueError(
                f"the run of {length} from {start} leaves the picture of {height}x{width} pixels, "
                f"whose last pixel is {pixels - 1 + base}"
            )
        if order == "columns":
            return cls(height, width, *_joined(starts, lengths))
        if height < 1 or width < 1:
            raise ValueError(f"a mask of {height}x{width} pixels has no pixels")
        return cls.of(_flat(starts, lengths, pixels).reshape(height, width))

    @classmethod
    def parse(cls, text: str) -> Self:
        """What `str` gave: height x width, then the runs column-major from 1.

        Raises:
            ValueError: when the text is none.
        """
        size, _, rest = text.strip().partition(" ")
        sized = _SIZED.fullmatch(size)
        if sized is None:
            raise ValueError(f"run lengths begin with the size, such as 360x480, found {size!r}")
        return cls.decode(rest, int(sized[1]), int(sized[2]))

    def __float__(self) -> float:
        """The mask's share of the picture: what a table of numbers shows of it."""
        return self.share

    def __str__(self) -> str:
        return f"{self.height}x{self.width} {self.encode()}".rstrip()

    def __repr__(self) -> str:
        return f"Runs({self.height}x{self.width}, {len(self.starts)} runs, {self.area} pixels)"

    def __eq__(self, other: object) -> bool:
        import numpy as np

        if not isinstance(other, Runs):
            return NotImplemented
        return (
            (self.height, self.width) == (other.height, other.width)
            and np.array_equal(self.starts, other.starts)
            and np.array_equal(self.lengths, other.lengths)
        )

    def __hash__(self) -> int:
        return hash((self.height, self.width, self.starts.tobytes(), self.lengths.tobytes()))

    def _flat(self) -> np.ndarray:
        return _flat(self.starts, self.lengths, self.height * self.width)


def is_sound(text: str) -> bool:
    """Whether a text holds pairs of whole numbers that a picture may have; not blank.

    >>> is_sound("1 5 9 2"), is_sound("1 5 9"), is_sound("-1"), is_sound("1 " + "9" * 30)
    (True, False, False, False)
    """
    return _PAIRS.fullmatch(text) is not None


def spans(
    text: str, base: Literal[0, 1] = 1, relative: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Starts from 0 and lengths of encoded runs, both (R,) int64, whatever the picture's size.

    Raises:
        ValueError: as `Runs.decode`, but for runs outside the picture.
    """
    import numpy as np

    _look(text)
    numbers = np.array(text.split(), dtype=np.int64).reshape(-1, 2)
    starts, lengths = numbers[:, 0], numbers[:, 1]
    if not len(starts):
        return starts, lengths
    if (lengths < 1).any():
        place = int((lengths < 1).nonzero()[0][0])
        raise ValueError(f"the run from {starts[place]} has no pixels")
    if relative:
        starts = np.cumsum(starts) + np.cumsum(lengths) - lengths
    starts = starts - base
    if starts[0] < 0:
        raise ValueError(f"a run starts at {starts[0] + base}, before the first pixel, {base}")
    wrong = (starts[1:] < starts[:-1] + lengths[:-1]).nonzero()[0]
    if len(wrong):
        before, after = int(starts[wrong[0]]) + base, int(starts[wrong[0] + 1]) + base
        how = "do not ascend" if after < before else "overlap"
        raise ValueError(f"runs {how}: after {before} {lengths[wrong[0]]} comes one from {after}")
    return starts, lengths


def _look(text: str) -> None:
    """Refuse what is not pairs of whole numbers."""
    if not text.strip() or is_sound(text):
        return
    tokens = text.split()
    for token in tokens:
        if not _WHOLE.fullmatch(token):
            shown = token if len(token) <= 20 else token[:20] + "..."
            raise ValueError(f"{shown!r} is no whole number from 0 up")
        if len(token) > 12 and int(token[:40]) >= _FAR:
            raise ValueError(f"{token[:20]}... lies outside every picture")
    if len(tokens) % 2:
        raise ValueError(f"{len(tokens)} numbers are no pairs of start and length")
    # What is left are numbers with a row of leading zeros.
    raise ValueError("numbers are written with more than 12 digits")


def _runs(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Starts and lengths of what is not 0 in a flat array."""
    import numpy as np

    filled = np.zeros(len(flat) + 2, dtype=bool)
    filled[1:-1] = flat
    changes = np.flatnonzero(filled[1:] != filled[:-1])
    return changes[::2], changes[1::2] - changes[::2]


def _flat(starts: np.ndarray, lengths: np.ndarray, pixels: int) -> np.ndarray:
    """The flat mask (pixels,), bool."""
    import numpy as np

    counts = np.empty(2 * len(starts) + 1, dtype=np.int64)
    counts[1::2] = lengths
    counts[::2] = np.append(starts, pixels) - np.append(0, starts + lengths)
    values = np.zeros(len(counts), dtype=bool)
    values[1::2] = True
    return np.repeat(values, counts)


def _joined(starts: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Runs that touch made one."""
    if not len(starts):
        return starts, lengths
    import numpy as np

    ends = starts + lengths
    first = np.append(True, starts[1:] > ends[:-1])
    last = np.append(first[1:], True)
    return starts[first], ends[last] - starts[first]
