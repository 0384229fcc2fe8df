"""Several labels a picture, small pictures first."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from notebooks import shapes
from notebooks.conftest import Run


def test_planet(run: Run, given: Path, tmp_path: Path) -> None:
    archive = shapes.planet(given / "planet_sample.tgz")
    done = run(
        "planet",
        {
            "SOURCE": {"use": "untar", "url": str(archive)},
            "SIZE": 64,
            "LARGER": 96,
            "BATCH": 16,
            "EPOCHS_HEAD": 3,
            "EPOCHS_ALL": 1,
        },
    )
    assert "image_name" in done.text("fetch")
    # By chance a label's average precision is the share of the pictures that have it.
    table = pd.read_csv(next((tmp_path / "cache" / "untar").glob("*/*/labels.csv")))
    chance = table["tags"].str.get_dummies(" ").mean().mean()
    assert done.number(r"'mean_average_precision': ([\d.]+)", "larger-all") > chance + 0.2
    assert "threshold" in done.text("scores")
    for cell in ("batch", "rate", "curves", "thresholds", "worst"):
        assert done.pictures(cell) == 1, cell
    assert (tmp_path / "planet" / "model").is_dir()
    # Both sizes are in the recipe.
    text = (tmp_path / "planet" / "planet.yaml").read_text()
    assert "size: 64" in text
    assert text.count("96") >= 2
