"""A point on each picture."""

from __future__ import annotations

from pathlib import Path

from notebooks import shapes
from notebooks.conftest import Run


def test_biwi(run: Run, given: Path, tmp_path: Path) -> None:
    archive = shapes.biwi(given / "biwi_head_pose.tgz")
    done = run(
        "biwi",
        {
            "SOURCE": {"use": "untar", "url": str(archive)},
            "VALID": "03",
            "SIZE": (60, 80),
            "BATCH": 10,
            "EPOCHS_HEAD": 4,
            "EPOCHS_ALL": 6,
        },
    )
    assert "132 train, 12 validate" in done.text("load")
    chance = done.number(r"always the mean place: ([\d.]+)", "chance")
    assert done.number(r"the network: ([\d.]+)", "chance") < chance / 2
    for cell in ("batch", "rate", "curves", "worst", "errors"):
        assert done.pictures(cell) == 1, cell
    assert (tmp_path / "biwi" / "biwi_head.py").is_file()
    assert "middle_x" in done.text("export")
