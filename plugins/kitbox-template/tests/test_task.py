"""The task keeps its contract, and takes part in a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kitbox_template.task import TemplateTask

import kitbox
from kitbox.testing import TaskTests, labelled


class TestTask(TaskTests):
    @pytest.fixture
    def plugin(self) -> TemplateTask:
        return TemplateTask(positive="cat")

    @pytest.fixture
    def rows(self, folder: Path) -> pd.DataFrame:
        return labelled(folder, {"label": ["cat", "dog", "cow", "cat", "dog", "cat", "cow"]})


def test_higher_outputs_are_likelier() -> None:
    outputs = np.array([[-2.0], [0.0], [2.0]])
    made = TemplateTask(positive="cat").predictions(outputs, kitbox.Frames.whole((8, 8), 3))
    assert made.columns.tolist() == ["cat"]
    assert made["cat"].tolist() == pytest.approx([0.1192, 0.5, 0.8808], abs=1e-4)


def test_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITBOX_CACHE", str(tmp_path))
    recipe = kitbox.make_recipe(
        {
            "source": {"use": "digits", "pictures": 200},
            "labeler": {"use": "folder", "path": "train"},
            "test": {"folder": "test"},
            "task": {"use": "template", "positive": "3"},
            "backbone": {"use": "timm", "name": "test_resnet", "pretrained": False},
            "size": 16,
            "stages": [{"epochs": 1}],
            "submission": {},
        }
    )
    done = kitbox.run(recipe, tmp_path / "run")
    assert done.submission is not None
    assert done.submission.read_text().startswith("id,3\n")
