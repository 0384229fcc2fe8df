"""Names as people have them: formulas, underscores, tags, long ones, letters that no font has."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from interpretation.made import recipe, seen_by
from kitbox.interpretation import writing
from kitbox.interpretation.interpretation import Interpretation
from kitbox.tasks.multi_label import MultiLabel
from kitbox.tasks.points import Points
from kitbox.tasks.regression import Regression
from kitbox.tasks.segmentation import Segmentation
from kitbox.tasks.single_label import SingleLabel
from kitbox.testing import labelled

NASTY = ["5_$", "up_$9_$", "_x", "<b>&", "long and " * 40, "x" * 300, "猫\n犬", "\\frac{$"]
BYTES = os.fsdecode(b"caf\xe9")
NAMES = [*NASTY, BYTES]


def classes(folder: Path) -> Interpretation:
    rows = labelled(folder, {"label": [NAMES[(n - n // 3) % len(NAMES)] for n in range(54)]})
    return seen_by(folder, SingleLabel(), rows, ["label"], recipe=recipe())


def tags(folder: Path) -> Interpretation:
    count = len(NAMES)
    cells = [(NAMES[(n - n // 3) % count], NAMES[(n * 5 + 1) % count]) for n in range(54)]
    rows = labelled(folder, {"tags": [tuple(dict.fromkeys(one)) for one in cells]})
    task, given = MultiLabel(unlearnable="keep"), recipe(task="multi-label")
    return seen_by(folder, task, rows, ["tags"], recipe=given)


def areas(folder: Path) -> Interpretation:
    rows = labelled(folder, {"mask": [""] * 9})
    (folder / "masks").mkdir()
    for number, image in enumerate(rows["image"]):
        with Image.open(folder / image) as picture:
            width, height = picture.size
        mask = (np.arange(height)[:, None] // 5 + np.arange(width) // 9 + number) % len(NAMES)
        Image.fromarray(mask.astype(np.uint8)).save(folder / f"masks/{number}.png")
        rows.loc[number, "mask"] = f"masks/{number}.png"
    task = Segmentation(codes=tuple(NAMES))
    return seen_by(folder, task, rows, ["mask"], recipe=recipe(task="segmentation"))


def numbers(folder: Path) -> Interpretation:
    values = np.random.default_rng(0).random((18, len(NAMES)))
    rows = labelled(folder, {name: values[:, k].tolist() for k, name in enumerate(NAMES)})
    return seen_by(folder, Regression(), rows, NAMES, recipe=recipe(task="regression"))


def points(folder: Path) -> Interpretation:
    columns = [f"{name}{axis}" for name in NASTY for axis in "xy"]
    values = np.random.default_rng(0).integers(8, 32, (18, len(columns))).astype(float)
    rows = labelled(folder, {name: values[:, k].tolist() for k, name in enumerate(columns)})
    given = [(f"{name}x", f"{name}y") for name in NASTY]
    task = Points(columns=tuple(given))
    return seen_by(folder, task, rows, columns, recipe=recipe(task="points"))


@pytest.mark.parametrize("make", [classes, tags, areas, numbers, points])
def test_all_of_it_is_drawn_and_written(
    make: Callable[[Path], Interpretation], tmp_path: Path
) -> None:
    seen = make(tmp_path)
    sections = seen.sections()
    plots = {name: plot for one in sections for name, plot in one.plots.items()}
    if make is classes:
        plots["of pairs"] = seen.plot_most_confused(1)  # type: ignore[attr-defined]
        plots["titled"] = seen.plot_pictures(
            [0, 1], title=" ".join(NAMES), rows=["up_$, taken for down_$: 3"], columns=2
        )
    for name, plot in plots.items():
        assert plot.png(), name
        height, width = plot.get_size_inches()
        assert max(height, width) < 30, name
    files = writing.save(sections, seen.advice(), tmp_path / "written").files
    tables = [path for path in files if path.suffix == ".csv"]
    assert tables
    for path in tables:
        pd.read_csv(path, encoding_errors="surrogateescape")
    assert seen.headlines()


def test_no_class_is_missing_in_the_legend(tmp_path: Path) -> None:
    """matplotlib leaves out labels that begin with an underscore."""
    plot = areas(tmp_path).plot_masks([0, 1, 2])  # type: ignore[attr-defined]
    (legend,) = plot.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert len(names) == len(NAMES)
    assert "_x" in names
    assert r"caf\udce9" in names
    plot.png()
    inside = plot.bbox
    for text in legend.get_texts():
        if text.get_text().isascii():  # of others the font has no letters, and warns
            box = text.get_window_extent()
            assert inside.x0 <= box.x0, text.get_text()
            assert box.x1 <= inside.x1, text.get_text()
