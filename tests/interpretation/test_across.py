"""Copies across the split: where the advice speaks, and where it is silent."""

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
from kitbox.interpretation import across
from kitbox.testing import picture


def scene(folder: Path, side: int) -> Any:
    for number in range(6):
        Image.fromarray(picture(side, side + 8, number)).save(folder / f"{number}.png")
    rows = pd.DataFrame({"image": [f"{n}.png" for n in range(6)], "part": ["train", "valid"] * 3})
    sizes = np.tile([side, side + 8], (6, 1))
    pixels = SimpleNamespace(sizes=sizes)
    loader = SimpleNamespace(pixels=pixels)
    return SimpleNamespace(
        labelled=rows, files=folder, run=Path("runs/x"), loader=loader, size=(64, 64)
    )


def test_pictures_of_their_own_are_left_alone(tmp_path: Path) -> None:
    assert across.of(scene(tmp_path, 96)) == []


@pytest.mark.parametrize("side", [96, 16])
def test_the_same_file_on_both_sides(tmp_path: Path, side: int) -> None:
    made = scene(tmp_path, side)
    shutil.copy(tmp_path / "0.png", tmp_path / "3.png")
    (advice,) = across.of(made)
    assert "1 validation picture has a copy" in advice.seen
    assert "0.png and 3.png" in advice.seen
    assert advice.first == ("kitbox clean runs/x/recipe.yaml --out exclude.csv",)
    assert str(advice.apply(recipe()).exclude) == "exclude.csv"


@pytest.mark.parametrize(("side", "count"), [(96, 1), (16, 0)])
def test_nearly_the_same_counts_where_pictures_are_large(
    tmp_path: Path, side: int, count: int
) -> None:
    made = scene(tmp_path, side)
    with Image.open(tmp_path / "0.png") as one:
        one.save(tmp_path / "3.png", compress_level=1)
        Image.fromarray(np.asarray(one) // 4 * 4).save(tmp_path / "3.png")
    assert len(across.of(made)) == count


def test_copies_within_a_part_do_not_count(tmp_path: Path) -> None:
    made = scene(tmp_path, 96)
    shutil.copy(tmp_path / "0.png", tmp_path / "2.png")
    assert across.of(made) == []
