"""The backbone keeps its contract, and takes part in a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from kitbox_template.backbone import TemplateBackbone

import kitbox
from kitbox.testing import BackboneTests


class TestBackbone(BackboneTests):
    maps = False

    @pytest.fixture
    def plugin(self) -> TemplateBackbone:
        return TemplateBackbone(width=8)


def test_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITBOX_CACHE", str(tmp_path))
    recipe = kitbox.make_recipe(
        {
            "source": {"use": "digits", "pictures": 200},
            "labeler": {"use": "folder", "path": "train"},
            "test": {"folder": "test"},
            "task": "single-label",
            "backbone": {"use": "template", "width": 8},
            "size": 16,
            "stages": [{"epochs": 1}],
            "submission": {},
        }
    )
    done = kitbox.run(recipe, tmp_path / "run")
    assert done.submission is not None
    assert done.submission.read_text().startswith("id,0,1,")
