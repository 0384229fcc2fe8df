"""The splitter keeps its contract, and takes part in a run."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from kitbox_template.splitter import TemplateSplitter

import kitbox
from kitbox.testing import SplitterTests


class TestSplitter(SplitterTests):
    @pytest.fixture
    def plugin(self) -> TemplateSplitter:
        return TemplateSplitter(every=3)


def test_every_third(tmp_path: Path) -> None:
    rows = pd.DataFrame({"id": ["d", "b", "c", "a"], "label": 1})
    parts = TemplateSplitter(every=3).split(rows, ["label"], tmp_path)
    assert dict(zip(rows["id"], parts, strict=True))["c"] == "valid"
    assert (parts == "valid").sum() == 1


def test_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITBOX_CACHE", str(tmp_path))
    recipe = kitbox.make_recipe(
        {
            "source": {"use": "digits", "pictures": 200},
            "labeler": {"use": "folder", "path": "train"},
            "test": {"folder": "test"},
            "split": {"use": "template", "every": 4},
            "task": "single-label",
            "backbone": {"use": "timm", "name": "test_resnet", "pretrained": False},
            "size": 16,
            "stages": [{"epochs": 1}],
            "submission": {},
        }
    )
    done = kitbox.run(recipe, tmp_path / "run")
    assert done.submission is not None
    assert done.submission.read_text().startswith("id,0,1,")
