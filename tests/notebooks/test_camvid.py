"""A class for every pixel."""

from __future__ import annotations

from pathlib import Path

from notebooks import shapes
from notebooks.conftest import Run


def test_camvid(run: Run, given: Path, tmp_path: Path) -> None:
    archive = shapes.camvid(given / "camvid.tgz")
    done = run(
        "camvid",
        {
            "SOURCE": {"use": "untar", "url": str(archive)},
            "VOID": "unlabelled",
            "SIZE": (48, 64),
            "LARGER": (72, 96),
            "BATCH": 4,
            "BATCH_LARGER": 3,
            "EPOCHS_HEAD": 2,
            "EPOCHS_ALL": 1,
        },
    )
    assert "48 pictures" in done.text("fetch")
    # The largest class alone, everywhere, is right in about a third of the pixels.
    assert done.number(r"'pixel_accuracy': ([\d.]+)", "larger-all") > 0.6
    for cell in ("batch", "rate", "curves", "worst", "scores", "confusion", "after"):
        assert done.pictures(cell) == 1, cell
    assert (tmp_path / "camvid" / "model").is_dir()
