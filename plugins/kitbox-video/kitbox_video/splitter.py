"""A splitter that keeps a film's frames together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from kitbox import Options
from kitbox.errors import SplitError, nearest, some
from kitbox_video.names import film_of

if TYPE_CHECKING:
    import pandas as pd


class ByFilm(Options):
    """A share of the films validates, with all of their frames.

    Where each film has one label the share is taken of every class, and one film of each
    class at least trains. Which films is drawn by a hash of their names: it does not depend
    on the order of rows or the machine.
    """

    valid: Annotated[float, Field(gt=0, lt=1)] = Field(0.2, description="share of the films")
    by: str | None = Field(
        None, description="the column that names a picture's film; by default its folder"
    )
    seed: Annotated[int, Field(ge=0, lt=10**18)] = Field(42, description="another draws others")

    def split(self, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> pd.Series:
        """The part of every row.

        Raises:
            SplitError: when there are fewer than two films, or no column `by`.
        """
        films = self._films(rows)
        labels = dict(zip(films, self._labels(rows, films, targets), strict=True))
        classes: dict[str, list[str]] = {}
        for film, label in sorted(labels.items()):
            classes.setdefault(label, []).append(film)
        chosen = {film for label in sorted(classes) for film in self._drawn(classes[label])}
        if not chosen and len(labels) > 1:  # every class has few films: one of a larger class
            largest = max(classes.values(), key=len)
            chosen = {self._ordered(largest if len(largest) > 1 else sorted(labels))[0]}
        if not 0 < len(chosen) < len(labels):
            raise SplitError(
                "A split by films needs two films or more",
                found=some(sorted(labels)) or "none",
                do="Label more films, or set `by` to the column that names them",
            )
        return films.map(lambda film: "valid" if film in chosen else "train")

    def _films(self, rows: pd.DataFrame) -> pd.Series:
        if self.by is None:
            return rows["image"].map(film_of)
        if self.by not in rows:
            raise SplitError(
                f"The labels have no column '{self.by}'",
                found=some(rows.columns, most=20),
                do=nearest(self.by, map(str, rows.columns)),
            )
        return rows[self.by].astype(str)

    def _labels(self, rows: pd.DataFrame, films: pd.Series, targets: Sequence[str]) -> pd.Series:
        """Each row's class where films have one each, else the same for all."""
        none = films.map(lambda film: "")
        if len(targets) != 1:
            return none
        labels = rows[targets[0]].astype(str)
        together = labels.groupby(films).nunique()
        return labels if bool((together == 1).all()) else none

    def _drawn(self, films: list[str]) -> list[str]:
        """The films of a class that validate; one at least trains."""
        count = min(round(self.valid * len(films)), len(films) - 1)
        return self._ordered(films)[:count]

    def _ordered(self, films: Sequence[str]) -> list[str]:
        def number(film: str) -> tuple[bytes, str]:
            key = str(self.seed).encode()
            return hashlib.blake2b(film.encode(), key=key, digest_size=8).digest(), film

        return sorted(films, key=number)
