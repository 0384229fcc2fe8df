"""The splitter keeps its contract, and a film's frames together."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from kitbox_video.splitter import ByFilm

from kitbox.errors import SplitError
from kitbox.testing import SplitterTests


class TestSplitter(SplitterTests):
    """The rows are frames in folders of films, whose labels differ within a film."""

    @pytest.fixture
    def plugin(self) -> ByFilm:
        return ByFilm(valid=0.4)


class TestSplitterByColumn(SplitterTests):
    @pytest.fixture
    def plugin(self) -> ByFilm:
        return ByFilm(by="film")

    @pytest.fixture
    def rows(self) -> pd.DataFrame:
        ids = [f"{number:02d}" for number in range(20)]
        films = [number // 2 for number in range(20)]
        labels = ["a" if number < 8 else "b" for number in range(20)]
        return pd.DataFrame({"id": ids, "image": ids, "film": films, "label": labels})


def frames(films: dict[str, int], each: int = 3) -> pd.DataFrame:
    """Frames of so many films of each class."""
    images = [
        f"{label}/{film}/{frame}.jpg"
        for label, count in films.items()
        for film in range(count)
        for frame in range(each)
    ]
    labels = [image.partition("/")[0] for image in images]
    return pd.DataFrame({"id": images, "image": images, "label": labels})


@pytest.mark.parametrize("seed", range(8))
def test_no_film_is_on_both_sides_and_every_class_trains(seed: int, tmp_path: Path) -> None:
    rows = frames({"run": 10, "walk": 5, "sit": 1, "jump": 2})
    parts = ByFilm(valid=0.2, seed=seed).split(rows, ["label"], tmp_path)
    films = rows["image"].str.rpartition("/")[0]
    assert (parts.groupby(films).nunique() == 1).all()
    valid = films[parts == "valid"].unique()
    assert sorted(film.partition("/")[0] for film in valid) == ["run", "run", "walk"]


def test_few_films(tmp_path: Path) -> None:
    rows = frames({"run": 1, "walk": 1})
    parts = ByFilm().split(rows, ["label"], tmp_path)
    assert (parts == "valid").sum() == 3
    with pytest.raises(SplitError, match=r"two films or more.*run/0"):
        ByFilm().split(frames({"run": 1}), ["label"], tmp_path)
    with pytest.raises(SplitError, match="no column 'flim'"):
        ByFilm(by="flim").split(rows, ["label"], tmp_path)
