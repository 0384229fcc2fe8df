"""The source keeps its contract, and feeds a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitbox_template.source import TemplateSource

import kitbox
from kitbox.testing import SourceTests


class TestSource(SourceTests):
    @pytest.fixture
    def plugin(self) -> TemplateSource:
        return TemplateSource(pictures=20)


def test_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITBOX_CACHE", str(tmp_path))
    recipe = kitbox.make_recipe(
        {
            "source": {"use": "template", "pictures": 60},
            "labeler": {"use": "filename", "images": "train", "pattern": "^(.+)_"},
            "task": "single-label",
            "backbone": {"use": "timm", "name": "test_resnet", "pretrained": False},
            "size": 32,
            "stages": [{"epochs": 2}],
            "submission": {"sample": "sample_submission.csv"},
        }
    )
    done = kitbox.run(recipe, tmp_path / "run")
    assert done.submission is not None
    assert done.submission.read_text().startswith("id,colour\n")
