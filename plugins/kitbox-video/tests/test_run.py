"""From films to a submission with a row per film."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import kitbox


def test_a_run(
    raw: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KITBOX_CACHE", str(tmp_path / "cache"))
    # One broken film to train on, and one to predict: its row gets a prediction.
    (raw / "train" / "red" / "f4.avi").write_bytes(b"no film")
    (raw / "test" / "t1.avi").write_bytes(b"")
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
    said = capsys.readouterr().out
    assert "1 labelled picture left out: train/red/f4/000000.jpg" in said
    assert "1 test picture predicted as if blank: test/t1/000000.jpg" in said
    table = pd.read_csv(done.folder / "table.csv")
    table = table[table["part"] != "broken"]
    films = table["image"].str.rpartition("/")[0]
    assert (table["part"].groupby(films).nunique() == 1).all()
    assert set(table["part"]) == {"train", "valid", "test"}
    assert done.submission is not None
    lines = done.submission.read_text().splitlines()
    assert [line for line in lines if "t1" not in line] == [
        *("film,what", "t0.avi,red", "t2.avi,red", "t3.avi,blue")
    ]
    assert lines[2] in ("t1.avi,red", "t1.avi,blue")
