"""The recipes of counts and points on the real pictures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from kitbox import recipe as recipes

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "data", "sample", "metric", "most"),
    [
        ("bccd", "bccd", "sample_submission.csv", "rmse_n_rbc", 4.6),
        ("faces68", "faces68", "sample_submission.csv", "mean_error", 12.0),
    ],
)
def test_recipe(
    tmp_path: Path, name: str, data: str, sample: str, metric: str, most: float
) -> None:
    for needed in (SHARED / "data" / data, SHARED / "weights"):
        if not needed.exists():
            pytest.skip(f"{needed} is not there")
    command = [sys.executable, "-c", "from kitbox.cli import main; main()"]
    command += ["run", f"recipes/{name}.yaml", "--out", str(tmp_path / "run")]
    command += ["--set", "stages.0.epochs=1", "--set", "stages.1.epochs=2"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "KITBOX_CACHE": str(tmp_path / "cache")},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    scores = json.loads((tmp_path / "run" / "run.json").read_text())["scores"]
    assert scores[metric] < most  # the training mean: 4.8 cells, 14.5 pixels
    asked = pd.read_csv(SHARED / "data" / data / sample, dtype={"image": str})
    made = pd.read_csv(tmp_path / "run" / "submission.csv", dtype={"image": str})
    assert list(made.columns) == list(asked.columns)
    assert list(made["image"]) == list(asked["image"])


def test_the_recipe_of_the_course_is_read() -> None:
    biwi = recipes.read(ROOT / "recipes" / "biwi.yaml")
    assert biwi.hw == (240, 320)
