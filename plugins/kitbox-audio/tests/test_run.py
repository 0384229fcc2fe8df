"""From recordings to a submission."""

from __future__ import annotations

from pathlib import Path

import pytest

import kitbox


def test_a_run(
    raw: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KITBOX_CACHE", str(tmp_path / "cache"))
    # One broken recording to train on, and one to predict: the row gets a prediction.
    (raw / "train" / "004.wav").write_bytes(b"")
    (raw / "test" / "031.wav").write_bytes(b"RIFF")
    recipe = kitbox.make_recipe(
        {
            "source": {"use": "recordings", "path": str(raw), "rate": 8000},
            "labeler": {"use": "recordings", "labels": "what", "folder": "train"},
            "test": {"folder": "test"},
            "split": {"use": "group", "by": "who"},
            "task": "single-label",
            "backbone": {"use": "timm", "name": "test_resnet", "pretrained": False},
            "augmentation": {"use": "spectrogram", "time": 0.1, "frequency": 0.1},
            "fit": "squash",
            "size": [32, 48],
            "batch_size": 8,
            "stages": [{"epochs": 15}],
            "submission": {"sample": "sample_submission.csv"},
        }
    )
    done = kitbox.run(recipe, tmp_path / "run")
    said = capsys.readouterr().out
    assert "1 labelled picture left out: train/004.png" in said
    assert "1 test picture predicted as if blank: test/031.png" in said
    assert done.scores["error_rate"] <= 0.2
    assert done.submission is not None
    lines = done.submission.read_text().splitlines()
    assert lines[0] == "id,what"
    right = [line.endswith("up") == bool(int(line[:3]) % 2) for line in lines[1:]]
    assert sum(right) >= 8
