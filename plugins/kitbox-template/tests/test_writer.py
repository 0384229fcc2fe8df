"""The writer keeps its contract, and takes part in a run."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from kitbox_template.writer import TemplateWriter

import kitbox
from kitbox.testing import WriterTests


class TestWriter(WriterTests):
    @pytest.fixture
    def plugin(self) -> TemplateWriter:
        return TemplateWriter()

    @pytest.fixture
    def predictions(self) -> pd.DataFrame:
        return pd.DataFrame({"id": ["b", "a", "c"], "cat": [0.2, 0.9, 0.4], "dog": [0.8, 0.1, 0.6]})

    @pytest.fixture
    def sample(self) -> pd.DataFrame:
        return pd.DataFrame({"image": ["a", "b", "c"], "what": "cat"}, dtype=str)


def test_the_best_is_written(tmp_path: Path) -> None:
    predictions = pd.DataFrame({"id": ["b", "a"], "cat": [0.2, 0.9], "dog": [0.8, 0.1]})
    made = TemplateWriter().table(predictions, None, tmp_path)
    assert made.to_dict("list") == {"id": ["b", "a"], "best": ["dog", "cat"]}


def test_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITBOX_CACHE", str(tmp_path))
    recipe = kitbox.make_recipe(
        {
            "source": {"use": "digits", "pictures": 200},
            "labeler": {"use": "folder", "path": "train"},
            "test": {"folder": "test"},
            "task": "single-label",
            "backbone": {"use": "timm", "name": "test_resnet", "pretrained": False},
            "size": 16,
            "stages": [{"epochs": 1}],
            "submission": {"sample": "sample_submission.csv", "writer": {"use": "template"}},
        }
    )
    done = kitbox.run(recipe, tmp_path / "run")
    assert done.submission is not None
    assert done.submission.read_text().startswith("id,label\n")
