"""The labeler keeps its contract, and feeds a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitbox_template.labeler import TemplateLabeler

import kitbox
from kitbox.testing import LabelerTests, write_picture


class TestLabeler(LabelerTests):
    @pytest.fixture
    def plugin(self) -> TemplateLabeler:
        return TemplateLabeler(images="train")

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for number, name in enumerate(["cat_1", "cat_2", "dog_1"]):
            write_picture(tmp_path / "raw" / "train" / f"{name}.png", 40, 48 + number)
        return tmp_path / "raw"


def test_the_label(tmp_path: Path) -> None:
    write_picture(tmp_path / "a" / "cat_7_b.png")
    labels = TemplateLabeler().label(tmp_path)
    assert labels.rows["label"].tolist() == ["cat"]
    assert labels.rows["image"].tolist() == ["a/cat_7_b.png"]


def test_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITBOX_CACHE", str(tmp_path / "cache"))
    for number in range(20):
        name = "cat" if number % 2 else "dog"
        write_picture(tmp_path / "raw" / "train" / f"{name}_{number}.png", seed=number)
        write_picture(tmp_path / "raw" / "test" / f"{number}.png", seed=number)
    recipe = kitbox.make_recipe(
        {
            "source": {"use": "folder", "path": str(tmp_path / "raw")},
            "labeler": {"use": "template", "images": "train"},
            "test": {"folder": "test"},
            "task": "single-label",
            "backbone": {"use": "timm", "name": "test_resnet", "pretrained": False},
            "size": 32,
            "stages": [{"epochs": 1}],
            "submission": {},
        }
    )
    done = kitbox.run(recipe, tmp_path / "run")
    assert done.submission is not None
    assert done.submission.read_text().startswith("id,cat,dog\n")
