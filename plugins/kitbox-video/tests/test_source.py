"""The source keeps its contract, and takes the frames that it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import film
from kitbox_video.source import BROKEN, FRAMES, Films
from PIL import Image

from kitbox.errors import RecipeError, SourceError
from kitbox.testing import SourceTests


class TestSource(SourceTests):
    @pytest.fixture
    def plugin(self, raw: Path) -> Films:
        return Films(path=raw, frames=3)

    @pytest.fixture
    def hopeless(self, tmp_path: Path) -> Films:
        return Films(path=tmp_path / "nowhere")


def numbers(folder: Path) -> list[int]:
    return sorted(int(path.stem) for path in folder.glob("*.jpg"))


def seen(path: Path) -> float:
    """How far the bright square has come, in frames."""
    with Image.open(path) as file:
        bright = np.asarray(file.convert("L"))[20:28] > 200
    return (np.nonzero(bright.any(axis=0))[0].mean() - 3.5) / 4


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"frames": 3}, [2, 6, 10]),
        ({"frames": 1}, [6]),
        ({"frames": 50}, list(range(12))),
        ({}, [0, 2, 3, 5, 6, 8, 9, 11]),
        ({"every": 0.5}, [0, 3, 6, 9]),
        ({"every": 100}, [0]),
    ],
)
def test_frames(options: dict[str, float], expected: list[int], tmp_path: Path) -> None:
    film(tmp_path / "raw" / "a.avi", 0, True)
    source = Films.model_validate({"path": tmp_path / "raw", **options})
    folder = source.fetch(tmp_path / "cache")
    assert numbers(folder / "a") == expected
    for number in expected:
        assert seen(folder / "a" / f"{number:06d}.jpg") == pytest.approx(number, abs=0.3)
    table = pd.read_csv(folder / FRAMES)
    assert table["image"].tolist() == [f"a/{number:06d}.jpg" for number in expected]
    assert np.allclose(table["second"], np.array(expected) / 6, atol=0.001)
    assert set(table["film"]) == {"a.avi"}


def test_one_of_two_options() -> None:
    import kitbox

    source = {"use": "films", "path": "x", "frames": 3, "every": 1.0}
    with pytest.raises(RecipeError, match="`frames` and `every`, expected one"):
        kitbox.make_recipe({"source": source, "labeler": "folder", "task": "single-label"})


def test_large_frames_are_scaled(tmp_path: Path) -> None:
    film(tmp_path / "raw" / "a.avi", 0, True)
    folder = Films(path=tmp_path / "raw", frames=1, side=32).fetch(tmp_path / "cache")
    with Image.open(folder / "a" / "000006.jpg") as file:
        assert file.size == (32, 24)


def test_broken_films_are_listed(raw: Path, tmp_path: Path) -> None:
    (raw / "train" / "red" / "f0.avi").write_bytes(b"no film")
    folder = Films(path=raw, frames=2).fetch(tmp_path / "cache")
    assert "train/red/f0.avi" in (folder / BROKEN).read_text()
    assert (folder / "train" / "red" / "f0" / "000000.jpg").read_bytes() == b""
    assert not pd.read_csv(folder / FRAMES)["image"].str.contains("f0/").any()
    assert (folder / "sample_submission.csv").is_file()
    for path in (raw / "train" / "red").iterdir():
        path.write_bytes(b"no film")
    with pytest.raises(SourceError, match="no films that can be read"):
        Films(path=raw / "train" / "red").fetch(tmp_path / "cache")


def test_films_of_one_name_have_a_folder_each(tmp_path: Path) -> None:
    """In two folders, with two suffixes, beside a folder or a file of the user's."""
    raw = tmp_path / "raw"
    blue = {"a/x.avi": True, "b/x.avi": False, "c/x.avi": True, "c/x.AVI": False}
    blue |= {"d/x.avi": True, "e/x.avi": False}
    for number, (name, colour) in enumerate(blue.items()):
        film(raw / name, number, colour)
    (raw / "d" / "x").mkdir()
    (raw / "d" / "x" / "000006.jpg").write_text("mine")
    (raw / "e" / "x").write_text("mine")
    (raw / "frames.csv").write_text("film,label\n")
    folder = Films(path=raw, frames=1).fetch(tmp_path / "cache")
    made = {"a/x.avi": "a/x", "b/x.avi": "b/x"}
    made |= {name: name for name in ("c/x.avi", "c/x.AVI", "d/x.avi", "e/x.avi")}
    for name, place in made.items():
        with Image.open(folder / place / "000006.jpg") as file:
            red, _, blueness = file.convert("RGB").resize((1, 1)).getpixel((0, 0))
        assert (blueness > red) == blue[name], name
    assert (folder / "d" / "x" / "000006.jpg").read_text() == "mine"
    assert (folder / "e" / "x").read_text() == "mine"
    assert (folder / "frames.csv").read_text() == "film,label\n"
    table = pd.read_csv(folder / FRAMES)
    assert dict(zip(table["film"], table["image"].str.rpartition("/")[0], strict=True)) == made


@pytest.mark.parametrize("name", [FRAMES, BROKEN])
def test_files_of_the_user_s_are_not_overwritten(name: str, raw: Path, tmp_path: Path) -> None:
    (raw / name).write_text("mine")
    with pytest.raises(SourceError, match="names that this source gives") as caught:
        Films(path=raw).fetch(tmp_path / "cache")
    assert name in str(caught.value)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_film_that_does_not_say_how_fast_it_is(
    rate: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cv2

    class Film:
        """As OpenCV's, of a container without a rate."""

        def __init__(self, path: str) -> None:
            self.film = plain(path)

        def get(self, what: int) -> float:
            return rate if what == cv2.CAP_PROP_FPS else self.film.get(what)

        def __getattr__(self, name: str) -> object:
            return getattr(self.film, name)

    plain = cv2.VideoCapture
    film(tmp_path / "raw" / "a.avi", 0, True)
    monkeypatch.setattr(cv2, "VideoCapture", Film)
    folder = Films(path=tmp_path / "raw", every=0.2).fetch(tmp_path / "cache")
    assert numbers(folder / "a") == [0, 5, 10]
    assert pd.read_csv(folder / FRAMES)["second"].tolist() == [0, 0.2, 0.4]
