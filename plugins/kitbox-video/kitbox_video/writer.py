"""A writer of a row per film."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from kitbox import Options, list_pictures, obey_sample
from kitbox.errors import SubmissionError, nearest, some
from kitbox_video.names import film_of, without_suffix

if TYPE_CHECKING:
    import pandas as pd


class FilmRows(Options):
    """A row per film: its name, and the mean of its frames' outputs.

    With a column per output they are written as numbers; with one column it is the name of
    the highest, or the number where there is one output only. The sample may name a film by
    its path or by its name, with or without its suffix.
    """

    folder: str = Field("test", description="where the test films are, below the source's folder")
    key: str = Field("id", description="name of the key column where there is no sample")

    def ids(self, sample: pd.DataFrame, folder: Path) -> list[str]:
        """The frames of the films that the sample asks for, by their paths."""
        frames = self._frames(folder)
        return [one for film in self._asked(sample, frames) for one in frames[film]]

    def table(
        self, predictions: pd.DataFrame, sample: pd.DataFrame | None, folder: Path
    ) -> pd.DataFrame:
        """The submission; with a sample its columns, its rows and their order are the sample's.

        Raises:
            SubmissionError: when a frame of a film has no prediction, or the sample has
                other columns than there are outputs.
        """
        frames = self._frames(folder)
        own = {one: film for film, ones in frames.items() for one in ones}
        bare = {one.rpartition("/")[2].rpartition(".")[0]: one for one in own}
        bare = bare if len(bare) == len(own) else {}  # of several films one number says nothing
        places = [one if one in own else bare.get(one, one) for one in predictions["id"]]
        if strange := [one for one in places if one not in own]:
            raise SubmissionError(
                f"There are predictions of what is no frame below '{self.folder}'",
                found=some(strange),
                do="Set `folder` of the writer to that of the test films",
            )
        outputs = predictions.drop(columns="id").astype(float)
        means = outputs.groupby([own[one] for one in places]).mean()
        films = list(means.index) if sample is None else self._asked(sample, frames)
        lacking = [film for film in films if set(frames[film]) - set(places)]
        if lacking:
            raise SubmissionError(
                f"{len(lacking)} films have frames without a prediction",
                found=some(lacking),
                do="Predict all frames of the test films",
            )
        made = means.loc[films].reset_index(drop=True)
        if sample is None:
            made.insert(0, self.key, [film.rpartition("/")[2] for film in films])
            return obey_sample(made, None)
        return obey_sample(self._as(made, sample), sample)

    def _as(self, means: pd.DataFrame, sample: pd.DataFrame) -> pd.DataFrame:
        """Means (N, K) in the shape of the sample."""
        key, *columns = sample.columns
        if set(columns) == set(means.columns):
            made = means[columns].copy()
        elif len(columns) == 1:
            single = means.shape[1] == 1
            best = means.iloc[:, 0] if single else means.idxmax(axis=1).astype(str)
            made = best.to_frame(columns[0])
        else:
            raise SubmissionError(
                "The sample submission has other columns than there are outputs",
                found=f"{some(columns)}, where predictions are {some(means.columns)}",
                do=nearest(columns[0], map(str, means.columns)) if columns else "",
            )
        made.insert(0, key, sample[key].tolist())
        return made

    def _frames(self, folder: Path) -> dict[str, list[str]]:
        """The frames of each test film, by the film's path without suffix."""
        found: dict[str, list[str]] = {}
        for path in list_pictures(folder / self.folder):
            image = f"{self.folder}/{path}"
            found.setdefault(film_of(image), []).append(image)
        return found

    def _asked(self, sample: pd.DataFrame, frames: dict[str, list[str]]) -> list[str]:
        """The film that each row of the sample means."""
        names: dict[str, list[str]] = {}
        for film in frames:
            below = film.removeprefix(f"{self.folder}/")
            for name in {film, below, film.rpartition("/")[2]}:
                names.setdefault(name, []).append(film)
        asked = [str(one) for one in sample.iloc[:, 0]]
        found = [names.get(one) or names.get(without_suffix(one)) or [] for one in asked]
        unclear = [one for one, films in zip(asked, found, strict=True) if len(films) != 1]
        if unclear or len(set(asked)) < len(asked):
            raise SubmissionError(
                "The sample submission names films that are not there, or not clearly",
                found=some(unclear) or "doubled rows",
                do=f"There are {some(frames, most=3)}; set `folder` of the writer",
            )
        return [films[0] for films in found]
