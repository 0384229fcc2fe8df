"""The built-in tasks keep what strangers' must."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kitbox.tasks.multi_label import MultiLabel
from kitbox.tasks.points import Points
from kitbox.tasks.regression import Regression
from kitbox.tasks.segmentation import Segmentation
from kitbox.tasks.single_label import SingleLabel
from kitbox.testing import TaskTests, labelled


class TestSingleLabel(TaskTests):
    @pytest.fixture
    def plugin(self) -> SingleLabel:
        return SingleLabel(class_weights="balanced", hidden=6)

    @pytest.fixture
    def rows(self, folder: Path) -> pd.DataFrame:
        return labelled(folder, {"label": ["cat", "dog", "cow"] * 4}, valid=4)


class TestMultiLabel(TaskTests):
    @pytest.fixture
    def plugin(self) -> MultiLabel:
        return MultiLabel(threshold="tune-each")

    @pytest.fixture
    def rows(self, folder: Path) -> pd.DataFrame:
        tags = [("sun",), ("rain", "wind"), (), ("sun", "wind")] * 3
        return labelled(folder, {"tags": tags}, valid=3)


class TestRegression(TaskTests):
    @pytest.fixture
    def plugin(self) -> Regression:
        return Regression(bounds=(0, 100))

    @pytest.fixture
    def rows(self, folder: Path) -> pd.DataFrame:
        count = np.arange(12)
        return labelled(folder, {"red": count * 3.5, "white": (count * 7) % 12})


class TestPoints(TaskTests):
    @pytest.fixture
    def plugin(self) -> Points:
        return Points(pairs=[("0", "1")])

    @pytest.fixture
    def rows(self, folder: Path) -> pd.DataFrame:
        rng = np.random.default_rng(0)
        return labelled(
            folder, {f"{axis}{p}": rng.uniform(4, 36, 9) for p in (0, 1) for axis in "xy"}
        )


class TestSegmentation(TaskTests):
    @pytest.fixture
    def plugin(self) -> Segmentation:
        return Segmentation(codes=["sky", "road", "void"], void="void")

    @pytest.fixture
    def rows(self, folder: Path) -> pd.DataFrame:
        rows = labelled(folder, {"mask": [f"masks/{n}.png" for n in range(9)]})
        (folder / "masks").mkdir()
        for number, (image, mask) in enumerate(zip(rows["image"], rows["mask"], strict=True)):
            with Image.open(folder / image) as file:
                width, height = file.size
            codes = np.zeros((height, width), np.uint8)
            codes[height // 2 + number :] = 1
            codes[:2] = 2
            Image.fromarray(codes).save(folder / mask)
        return rows
