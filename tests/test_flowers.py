"""The recipe of the flowers on the real pictures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "flowers17"
WEIGHTS = ROOT.parent / "shared" / "weights" / "mobilenetv2_100.safetensors"


@pytest.mark.slow
def test_flowers(tmp_path: Path) -> None:
    for needed in (DATA, WEIGHTS):
        if not needed.exists():
            pytest.skip(f"{needed} is not there")
    changes = ("stages.0.epochs=2", "stages.1.epochs=1", "size=96")
    done = subprocess.run(
        [sys.executable, "-c", "from kitbox.cli import main; main()"]
        + ["run", "recipes/flowers17.yaml", "--out", str(tmp_path / "run")]
        + [part for change in changes for part in ("--set", change)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "KITBOX_CACHE": str(tmp_path / "cache")},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    scores = json.loads((tmp_path / "run" / "run.json").read_text())["scores"]
    assert scores["error_rate"] < 0.35
    sample = pd.read_csv(DATA / "sample_submission.csv", dtype={"id": str})
    made = pd.read_csv(tmp_path / "run" / "submission.csv", dtype={"id": str})
    assert list(made.columns) == list(sample.columns)
    assert list(made["id"]) == list(sample["id"])
