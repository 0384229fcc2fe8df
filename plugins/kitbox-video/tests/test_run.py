"""From films to a submission with a row per film."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import kitbox


def test_a_run(raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITBOX_CACHE", str(tmp_path / "cache"))
    recipe = kitbox.make_recipe(
        {
            "source": {"use": "films", "path": str(raw), "frames": 5},
            "labeler": {"use": "folder", "path": "train"},
            "test": {"folder": "test"},
            "split": {"use": "films", "valid": 0.2},
            "task": "single-label",
            "backbone": {"use": "timm", "name": "test_resnet", "pretrained": False},
            "size": [32, 48],
            "batch_size": 8,
            "stages": [{"epochs": 6}],
            "submission": {"sample": "sample_submission.csv", "writer": "films"},
        }
    )
    done = kitbox.run(recipe, tmp_path / "run")
    table = pd.read_csv(done.folder / "table.csv")
    films = table["image"].str.rpartition("/")[0]
    assert (table["part"].groupby(films).nunique() == 1).all()
    assert set(table["part"]) == {"train", "valid", "test"}
    assert done.submission is not None
    text = done.submission.read_text()
    assert text == "film,what\nt0.avi,red\nt1.avi,blue\nt2.avi,red\nt3.avi,blue\n"
