"""kitbox clean, from outside, and a run that leaves out what it found."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from results import SMALL, follow
from sources.web.serving import HTML, picture

from kitbox import recipe as recipes
from kitbox.errors import LabelError
from kitbox.progress import Progress
from kitbox.recipe import Recipe
from kitbox.runner import gather

MAIN = "from kitbox.cli import main; main()"


def kitbox(place: Path, *args: object) -> subprocess.CompletedProcess[str]:
    cache = {"KITBOX_CACHE": str(place / "cache"), "COLUMNS": "300"}
    return subprocess.run(
        [sys.executable, "-c", MAIN, *map(str, args)],
        capture_output=True,
        text=True,
        cwd=place,
        env={**os.environ, **cache},
        check=False,
    )


def read(path: Path) -> dict[str, tuple[str, str]]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(list(row) == ["image", "reason", "of", "detail"] for row in rows)
    return {row["image"]: (row["reason"], row["of"]) for row in rows}


def made(folder: Path) -> Path:
    """Two classes for training, test pictures, and something wrong of every kind."""
    number = 0
    for label in ("ant", "bee"):
        (folder / "train" / label).mkdir(parents=True)
        for n in range(15):
            number += 1
            (folder / "train" / label / f"{n:02d}.jpg").write_bytes(picture(number))
    (folder / "test").mkdir()
    for n in range(4):
        (folder / "test" / f"{n}.jpg").write_bytes(picture(900 + n))
    shutil.copy(folder / "train/ant/00.jpg", folder / "train/bee/90.jpg")
    (folder / "train/ant/91.jpg").write_bytes(picture(901, 60, 80))  # near test/1.jpg
    (folder / "train/ant/92.jpg").write_bytes(HTML)
    (folder / "test/4.jpg").write_bytes(HTML)
    shutil.copy(folder / "test/2.jpg", folder / "test/5.jpg")
    return folder


def assembled(recipe: Recipe, folder: Path) -> tuple[pd.DataFrame, str]:
    """The table of a run, and what was said."""
    said = io.StringIO()
    return gather(recipe, folder, Progress(said)).rows, said.getvalue()


FOUND = {
    "train/bee/90.jpg": ("duplicate", "train/ant/00.jpg"),
    "train/ant/91.jpg": ("cross-split", "test/1.jpg"),
    "train/ant/92.jpg": ("broken", ""),
    "test/4.jpg": ("broken", ""),
    "test/5.jpg": ("duplicate", "test/2.jpg"),
}


def values(folder: Path, **more: object) -> dict[str, object]:
    values = {
        **SMALL,
        "source": {"use": "folder", "path": str(folder)},
        "broken": 1.0,
        "stages": [{"epochs": 1}],
        **more,
    }
    del values["submission"]
    return values


def test_a_folder(tmp_path: Path) -> None:
    folder = made(tmp_path / "data")
    done = kitbox(tmp_path, "clean", "data", "--out", "out.csv")
    assert done.returncode == 0, done.stderr
    assert read(tmp_path / "out.csv") == FOUND
    assert "39 pictures: 2 broken, 1 cross-split, 2 duplicate" in done.stdout
    assert "2 of them are test pictures" in done.stdout
    kitbox(tmp_path, "clean", folder, "--no-near")
    exact = {k: v for k, v in FOUND.items() if k != "train/ant/91.jpg"}
    assert read(tmp_path / "exclude.csv") == exact


def test_a_recipe_and_its_table_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(tmp_path / "data")
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(values(folder, exclude="exclude.csv")))
    done = kitbox(tmp_path, "clean", "mine.yaml")  # although exclude.csv is not there yet
    assert done.returncode == 0, done.stderr
    found = read(tmp_path / "exclude.csv")
    train = {k: v for k, v in found.items() if k.startswith("train")}
    assert set(train) == {"train/ant/91.jpg", "train/ant/92.jpg"} | (
        set(train) & {"train/ant/00.jpg", "train/bee/90.jpg"}
    )
    assert len(train) == 3
    monkeypatch.chdir(tmp_path)
    table, said = assembled(recipes.read(file), folder)
    assert "3 of 33 labelled pictures left out by exclude.csv" in said
    assert not set(table["image"]) & set(train)
    assert sorted(table.loc[table["part"] == "test", "image"]) == sorted(
        f"test/{n}.jpg" for n in range(6)
    )


def test_excluded_pictures_are_not_predicted_as_test_pictures(tmp_path: Path) -> None:
    folder = made(tmp_path / "data")
    (tmp_path / "x.csv").write_text("image\ntrain/ant/03.jpg\n")
    recipe = recipes.make(
        {
            **values(folder, exclude=str(tmp_path / "x.csv"), test=None),
            "submission": {"sample": "sample.csv"},
        }
    )
    ids = [f"test/{n}.jpg" for n in range(6)]
    (folder / "sample.csv").write_text("id,label\n" + "".join(f"{one},ant\n" for one in ids))
    table, _ = assembled(recipe, folder)
    assert list(table.loc[table["part"] == "test", "image"]) == ids
    assert "train/ant/03.jpg" not in set(table["image"])


def test_an_exclude_that_is_not_there_stops_a_run(tmp_path: Path) -> None:
    folder = made(tmp_path / "data")
    recipe = recipes.make(values(folder, exclude=str(tmp_path / "none.csv")))
    with pytest.raises(LabelError, match=r"does not exist.*none\.csv"):
        follow(recipe, tmp_path / "run", tmp_path / "cache")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("what", "words"), [("none.yaml", "There is no recipe"), ("empty", "no pictures below")]
)
def test_nothing_to_clean(tmp_path: Path, what: str, words: str) -> None:
    (tmp_path / "empty").mkdir()
    done = kitbox(tmp_path, "clean", what)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "exclude.csv").exists()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    made(tmp_path / "data")
    (tmp_path / "file").touch()
    done = kitbox(tmp_path, "clean", "data", "--out", "file/out.csv")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_what_was_found_in_other_pictures_is_not_written_over(tmp_path: Path) -> None:
    out = tmp_path / "exclude.csv"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        for number in range(3):
            (tmp_path / name / f"{name}{number}.png").write_bytes(b"no picture")
    for again in (1, 2):
        done = kitbox(tmp_path, "clean", tmp_path / "one", "--out", out)
        assert done.returncode == 0, (again, done.stderr)
    before = out.read_text()
    done = kitbox(tmp_path, "clean", tmp_path / "two", "--out", out)
    assert done.returncode == 2
    assert "leaves out pictures that are not among these" in done.stderr
    assert out.read_text() == before
    (tmp_path / "one" / "one0.png").unlink()  # as the file advised
    assert kitbox(tmp_path, "clean", tmp_path / "one", "--out", out).returncode == 0
    assert "one0" not in out.read_text()
