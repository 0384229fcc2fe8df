"""The first lesson: single labels."""

from __future__ import annotations

from pathlib import Path

from notebooks import shapes
from notebooks.conftest import Run


def test_pets(run: Run, given: Path, tmp_path: Path) -> None:
    archive = shapes.pets(given / "oxford-iiit-pet.tgz")
    done = run(
        "pets",
        {
            "SOURCE": {"use": "untar", "url": str(archive)},
            "SIZE": 64,
            "LARGER": 96,
            "BATCH": 12,
            "EPOCHS_HEAD": 3,
            "EPOCHS_ALL": 1,
        },
    )
    assert "120 pictures" in done.text("fetch")
    assert "lily_valley" in done.text("load")
    # Of five classes chance errs in 0.8 of them.
    error = done.number(r"'error_rate': ([\d.]+)", "larger")
    assert error < 0.4
    for cell in ("batch", "one", "rate", "curves", "worst", "confusion", "predict"):
        assert done.pictures(cell) == 1, cell
    assert "is predicted to be" in done.text("predict")
    folder = tmp_path / "pets"
    assert (folder / "model").is_dir()
    assert "stages:" in (folder / "pets.yaml").read_text()
