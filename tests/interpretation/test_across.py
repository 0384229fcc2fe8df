"""Copies: which pairs are found, where the advice speaks, and where it is silent."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from interpretation.made import recipe
from kitbox.data import pixels
from kitbox.errors import KitboxError
from kitbox.interpretation import across
from kitbox.interpretation.across import Pair
from kitbox.testing import picture

NAMES = [f"{n}.png" for n in range(6)]


def write(folder: Path, side: int) -> None:
    for number, name in enumerate(NAMES):
        Image.fromarray(picture(side, side + 8, number)).save(folder / name)


def scene(folder: Path) -> Any:
    """Of six pictures, train and valid in turn."""
    rows = pd.DataFrame({"image": NAMES, "part": ["train", "valid"] * 3})
    read = pixels.load(folder, NAMES, side=128, channels=3, cache=None, workers=1)
    return SimpleNamespace(
        table=rows,
        labelled=rows,
        files=folder,
        run=Path("runs/x"),
        loader=SimpleNamespace(pixels=read),
        size=(64, 64),
    )


def test_pictures_of_their_own_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path, 96)
    assert across.of(scene(tmp_path)) == []


@pytest.mark.parametrize("side", [96, 16])
def test_the_same_file_on_both_sides(tmp_path: Path, side: int) -> None:
    write(tmp_path, side)
    shutil.copy(tmp_path / "0.png", tmp_path / "3.png")
    (advice,) = across.of(scene(tmp_path))
    assert "1 validation picture has a copy" in advice.seen
    assert "0.png and 3.png" in advice.seen
    assert advice.first == ("kitbox clean runs/x/recipe.yaml --out exclude.csv",)
    assert str(advice.apply(recipe()).exclude) == "exclude.csv"


@pytest.mark.parametrize(("side", "count"), [(96, 1), (16, 0)])
def test_nearly_the_same_counts_where_pictures_are_large(
    tmp_path: Path, side: int, count: int
) -> None:
    write(tmp_path, side)
    with Image.open(tmp_path / "0.png") as one:
        Image.fromarray(np.asarray(one) // 4 * 4).save(tmp_path / "3.png")
    assert len(across.of(scene(tmp_path))) == count


def test_copies_within_a_part_are_found_and_need_no_advice(tmp_path: Path) -> None:
    write(tmp_path, 96)
    shutil.copy(tmp_path / "0.png", tmp_path / "2.png")
    made = scene(tmp_path)
    assert across.find(made) == [Pair(("2.png", "0.png"), ("train", "train"))]
    assert across.of(made) == []


def test_each_is_found_once_and_broken_ones_are_left_out(tmp_path: Path) -> None:
    """Of a copy in both parts the validation picture is the one that the other is a copy of."""
    write(tmp_path, 96)
    for copy in ("3.png", "4.png"):
        shutil.copy(tmp_path / "0.png", tmp_path / copy)
    for broken in ("1.png", "2.png"):
        (tmp_path / broken).write_bytes(b"no picture")
    told: list[int] = []
    found = across.find(scene(tmp_path), step=lambda n=1, note="": told.append(n))
    assert found == [
        Pair(("0.png", "3.png"), ("train", "valid")),
        Pair(("4.png", "3.png"), ("train", "valid")),
    ]
    assert across.across(found) == [("0.png", "3.png"), ("4.png", "3.png")]
    assert sum(told) == 6


def test_no_more_than_a_person_waits_for(tmp_path: Path) -> None:
    write(tmp_path, 96)
    shutil.copy(tmp_path / "3.png", tmp_path / "4.png")
    made = scene(tmp_path)
    assert len(across.find(made)) == 1
    assert across.find(made, 5) == []  # 4.png comes last


def test_training_pictures_that_were_not_read(tmp_path: Path) -> None:
    write(tmp_path, 96)
    made = scene(tmp_path)
    made.table = made.table[made.table["part"] == "valid"]
    with pytest.raises(KitboxError, match="whole=True"):
        across.of(made)
