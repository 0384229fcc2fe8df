"""What names a row of run lengths: a picture, or a picture and a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kitbox import cells
from kitbox.errors import SubmissionError, nearest, some
from kitbox.joined_keys import Parted, Stray, by_names, by_product, says_joined, strays
from kitbox.writers.classes import Choice, chosen
from kitbox.writers.faults import alike
from kitbox.writers.shape import TOKENS, is_pairs

if TYPE_CHECKING:
    import pandas as pd

Mode = Literal["plain", "instances", "joined", "columns"]


@dataclass(frozen=True)
class Layout:
    """What is known of the rows before the sample is looked at.

    Attributes:
        keys: the mode, or 'auto'.
        classes: the writer's option.
        separator: between picture and class in a joined key, None to find it.
        ids, names: pictures and classes of the predictions; () where there are none yet.
    """

    keys: Mode | Literal["auto"]
    classes: Choice = None
    separator: str | None = None
    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def pictures(self, sample: pd.DataFrame) -> list[str]:
        """The pictures that the sample asks for, each once, in its order.

        Raises:
            SubmissionError: when joined keys cannot be taken apart.
        """
        joined = len(sample) and self.mode(sample) == "joined"
        pictures = self.parted(sample).pictures if joined else sample.iloc[:, 0]
        return [str(one) for one in dict.fromkeys(pictures)]

    def mode(self, sample: pd.DataFrame | None) -> Mode:
        """What names a row, as the docstring of `Rle` says."""
        if self.keys != "auto":
            return self.keys
        if sample is None or len(sample.columns) > 3:
            return "plain"
        return self._of_two(sample) if len(sample.columns) < 3 else self._of_three(sample)

    def parted(self, sample: pd.DataFrame) -> Parted:
        """The sample's joined keys taken apart.

        Raises:
            SubmissionError: when they cannot be.
        """
        parted = self._part(sample)
        if parted is None:
            raise SubmissionError(
                "The sample submission's keys cannot be taken apart into picture and class",
                found=some(sample.iloc[:, 0], 3),
                do="Give the writer `classes` (the names in the file, and the prediction column "
                "of each) and `separator`, or other `keys`",
            )
        return parted

    def _of_two(self, sample: pd.DataFrame) -> Mode:
        if not len(sample):
            several = len(self.names) > 1 and len(chosen(self.classes, self.names)) > 1
            return "joined" if several or says_joined(str(sample.columns[0])) else "plain"
        if sample.iloc[:, 0].duplicated().any():
            return "instances"
        return "joined" if self._part(sample) else "plain"

    def _of_three(self, sample: pd.DataFrame) -> Mode:
        if second := cells.filled(sample.iloc[:, 1]):
            return "plain" if all(map(is_pairs, second - {*TOKENS})) else "columns"
        known = {alike(name) for name in (*(self.classes or ()), *self.names)}
        named = alike(str(sample.columns[1])) in known or len(sample)
        return "plain" if named else "columns"

    def _part(self, sample: pd.DataFrame) -> Parted | None:
        """By what is known of pictures and classes, else by how the keys look."""
        keys = [str(key) for key in sample.iloc[:, 0]]
        header = str(sample.columns[0])
        told = self.keys == "joined" or says_joined(header)
        if endings := (*(self.classes or self.names),):
            counted = tuple(map(str, range(max(len(endings), len(self.names)) + 1)))
            for known in (endings, counted) if told or self.ids else (endings,):
                if parted := by_names(keys, known, self.separator, self.ids or None):
                    return parted
        parted = by_product(keys, self.separator, header) if told else None
        lost = strays(keys, endings, self.separator) if endings and not parted else []
        if told and not parted and not lost:
            lost = strays(keys, (), self.separator)
        if lost:
            raise _no_class(lost)
        return parted


def _no_class(lost: Sequence[Stray]) -> SubmissionError:
    """What to say of a sample whose other keys are pictures with classes."""
    first = lost[0]
    more = f" (and {len(lost) - 1:,} more)" if len(lost) > 1 else ""
    return SubmissionError(
        f"Row {first.row + 1:,} of the sample submission, '{first.key}'{more}, is of no class: "
        f"there is no class '{first.word}'",
        do=f"{nearest(first.word, first.classes)} Correct the sample, or say which is which in "
        "the writer's `classes`",
    )
