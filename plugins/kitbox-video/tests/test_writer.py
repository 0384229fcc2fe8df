"""The writer keeps its contract, and takes the mean of a film's frames."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from kitbox_video.writer import FilmRows

from kitbox.errors import SubmissionError
from kitbox.testing import WriterTests, write_picture

FILMS = ("b", "a", "c")


def laid(folder: Path) -> Path:
    for film in FILMS:
        for frame in (3, 9):
            write_picture(folder / "test" / film / f"{frame:06d}.jpg")
    return folder


@pytest.fixture
def predictions() -> pd.DataFrame:
    rows = [f"test/{film}/{frame:06d}.jpg" for film in FILMS for frame in (3, 9)]
    cat = [0.2, 0.4, 0.9, 0.7, 0.0, 0.2]
    return pd.DataFrame({"id": rows, "cat": cat, "dog": [1 - one for one in cat]})


class TestWriter(WriterTests):
    @pytest.fixture
    def plugin(self) -> FilmRows:
        return FilmRows()

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return laid(tmp_path)

    @pytest.fixture
    def predictions(self, predictions: pd.DataFrame) -> pd.DataFrame:
        return predictions

    @pytest.fixture
    def sample(self) -> pd.DataFrame:
        return pd.DataFrame({"film": ["a.mp4", "b.mp4", "c.mp4"], "what": "cat"}, dtype=str)


def test_means(predictions: pd.DataFrame, tmp_path: Path) -> None:
    folder = laid(tmp_path)
    sample = pd.DataFrame({"film": ["test/a", "c"], "dog": "0.1", "cat": "0.1"}, dtype=str)
    made = FilmRows().table(predictions, sample, folder)
    assert made["film"].tolist() == ["test/a", "c"]
    assert made["cat"].tolist() == pytest.approx([0.8, 0.1])
    best = sample[["film", "dog"]].rename(columns={"dog": "what"}).assign(what="cat")
    assert FilmRows().table(predictions, best, folder)["what"].tolist() == ["cat", "dog"]
    assert FilmRows().ids(best, folder)[:2] == ["test/a/000003.jpg", "test/a/000009.jpg"]


def test_films_that_are_not_there(predictions: pd.DataFrame, tmp_path: Path) -> None:
    folder = laid(tmp_path)
    sample = pd.DataFrame({"film": ["a", "z"], "what": "cat"}, dtype=str)
    with pytest.raises(SubmissionError, match=r"not there.*Found: z"):
        FilmRows().table(predictions, sample, folder)


def test_films_of_one_name(tmp_path: Path) -> None:
    """Told apart by their suffixes; by a number of a frame alone, nothing is."""
    for film in ("a.mp4", "a.avi"):
        write_picture(tmp_path / "test" / film / "000003.jpg")
    ids = ["test/a.avi/000003.jpg", "test/a.mp4/000003.jpg"]
    table = pd.DataFrame({"id": ids, "cat": [0.2, 0.9], "dog": [0.8, 0.1]})
    sample = pd.DataFrame({"film": ["a.mp4", "a.avi"], "what": "cat"}, dtype=str)
    assert FilmRows().table(table, sample, tmp_path)["what"].tolist() == ["cat", "dog"]
    with pytest.raises(SubmissionError, match=r"not clearly.*Found: a"):
        FilmRows().table(table, sample.assign(film=["a", "a.avi"]), tmp_path)
    with pytest.raises(SubmissionError, match="no frame below"):
        FilmRows().table(table.assign(id=["000003", "000003"]), None, tmp_path)
