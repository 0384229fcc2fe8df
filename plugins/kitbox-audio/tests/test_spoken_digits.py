"""Real recordings, where they are: spoken digits, learned in four epochs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import kitbox

ROOT = Path(__file__).resolve().parents[3]
RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "spoken_digits.yaml"
DATA = ROOT.parent / "shared" / "data" / "spoken_digits"


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/spoken_digits is not here")
def test_spoken_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("KITBOX_CACHE", str(tmp_path / "cache"))
    recipe = kitbox.read_recipe(RECIPE, ["stages.1.epochs=4"])
    done = kitbox.run(recipe, tmp_path / "run")
    assert done.scores["error_rate"] < 0.08
    assert done.submission is not None
    lines = done.submission.read_text().splitlines()
    assert lines[0] == "id,digit"
    assert len(lines) == 301
    assert all(re.fullmatch(r"\d{4},\d", line) for line in lines[1:])
