"""The built-in labelers keep what strangers' must."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from kitbox.labelers.coco import CocoLabels
from kitbox.labelers.filename import FilenameLabels
from kitbox.labelers.folder import FolderLabels
from kitbox.labelers.function import FunctionLabels
from kitbox.labelers.lists import ListLabels
from kitbox.labelers.masks import MaskLabels
from kitbox.labelers.points import PointLabels
from kitbox.labelers.table import TableLabels
from kitbox.testing import LabelerTests, write_picture

NAMES = ("cat/0.png", "cat/1.jpg", "dog/0.png", "dog/3.png")


def raw(folder: Path, names: tuple[str, ...] = NAMES) -> Path:
    """Pictures in folders of classes, a csv and a json of their labels, points and masks."""
    kinds = ["cat", "dog"]
    held: dict[str, list[dict[str, object]]] = {
        "categories": [{"id": number, "name": kind} for number, kind in enumerate(kinds)],
        "images": [],
        "annotations": [],
    }
    lines = ["image,label,x0,y0"]
    for number, name in enumerate(names):
        write_picture(folder / "images" / name, 40 + 8 * number, 48, number)
        lines.append(f"{name},{name.partition('/')[0]},{number}.5,{number + 2}")
        label = kinds.index(name.partition("/")[0])
        held["images"].append({"id": number, "file_name": name})
        held["annotations"].append({"id": number, "image_id": number, "category_id": label})
        mask = (folder / "masks" / name).with_suffix(".png")
        write_picture(mask, 40 + 8 * number, 48)
    (folder / "train.csv").write_text("\n".join(lines) + "\n")
    (folder / "train.json").write_text(json.dumps(held))
    return folder


class Laid(LabelerTests):
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return raw(tmp_path / "raw")

    @pytest.fixture
    def single(self, tmp_path: Path) -> Path:
        return raw(tmp_path / "single", NAMES[:1])


class TestFolder(Laid):
    @pytest.fixture
    def plugin(self) -> FolderLabels:
        return FolderLabels(path="images")


class TestFilename(Laid):
    @pytest.fixture
    def plugin(self) -> FilenameLabels:
        return FilenameLabels(images="images", pattern="^(.+)/")


class TestTable(Laid):
    @pytest.fixture
    def plugin(self) -> TableLabels:
        return TableLabels(csv="train.csv", id="image", labels="label", folder="images")


class TestCoco(Laid):
    @pytest.fixture
    def plugin(self) -> CocoLabels:
        return CocoLabels(file="train.json", folder="images", classes="names")


class TestPoints(Laid):
    @pytest.fixture
    def plugin(self) -> PointLabels:
        return PointLabels(csv="train.csv", id="image", folder="images")


class TestMasks(Laid):
    @pytest.fixture
    def plugin(self) -> MaskLabels:
        return MaskLabels(images="images", path="masks/{folder}/{stem}.png")


class TestFunction(Laid):
    @pytest.fixture
    def plugin(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FunctionLabels:
        (tmp_path / "labels_of_mine.py").write_text("def of(path):\n    return path.parent.name\n")
        monkeypatch.syspath_prepend(tmp_path)
        sys.modules.pop("labels_of_mine", None)
        return FunctionLabels(function="labels_of_mine:of", images="images")


class TestLists(LabelerTests):
    @pytest.fixture
    def plugin(self) -> ListLabels:
        paths = [f"images/{name}" for name in NAMES]
        return ListLabels(paths=paths, labels=[name.partition("/")[0] for name in NAMES])

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return raw(tmp_path / "raw")
