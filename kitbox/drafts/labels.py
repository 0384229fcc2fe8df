"""Where labels come from, as a draft has it, and which pictures may have them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kitbox.drafts.survey import Survey, says_mask, says_test


@dataclass(frozen=True)
class Known:
    """Where labels come from.

    Attributes:
        labeler: as the recipe names it.
        why: comments on it.
        file: the table, '' where there is none.
        columns: of the labels.
        cells: of the labels by column, str, '' where missing; a label a picture.
        share: of the table's pictures, how many are found.
        group: a column whose rows belong together.
        runs: labels are masks.
        repeats: pictures have several rows of the same class in a table of run lengths.
        folders: of the labelled pictures.
    """

    labeler: dict[str, Any]
    why: tuple[str, ...] = ()
    file: str = ""
    columns: tuple[str, ...] = ()
    cells: dict[str, list[str]] = field(default_factory=dict)
    share: float = 1.0
    group: str | None = None
    runs: bool = False
    repeats: bool = False
    folders: frozenset[str] = frozenset()


def labelled(survey: Survey) -> list[str]:
    """The pictures that may have labels: not those of the test, no masks."""
    found = [path for path in survey.pictures if not says_mask(path) and not says_test(path)]
    return found or [path for path in survey.pictures if not says_test(path)]


def stem(path: str) -> str:
    """A picture's name without its suffix."""
    return path.rpartition("/")[2].rpartition(".")[0]
