"""`compile: true`: the same training by a compiled network, or a clear error."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd

RUN = """
import sys
from pathlib import Path
import kitbox
from kitbox.testing import Tiny
kitbox.register("backbone", "tiny")(Tiny)
values = {
    "source": "digits",
    "labeler": {"use": "folder", "path": "train"},
    "task": "single-label",
    "backbone": Tiny(),
    "augmentation": "none",
    "size": 32,
    "batch_size": 64,
    "stages": [{"epochs": 2, "lr": 3e-3}],
    "compile": sys.argv[2] == "compiled",
}
try:
    kitbox.run(kitbox.make_recipe(values), sys.argv[1])
except kitbox.KitboxError as error:
    sys.exit(f"refused: {error}")
"""


def run(out: Path, how: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", RUN, str(out), how]
    return subprocess.run(
        command, check=False, env={**os.environ, **variables}, capture_output=True, text=True
    )


def test_a_compiled_network_trains_as_the_plain_one(tmp_path: Path) -> None:
    for how in ("plain", "compiled"):
        done = run(tmp_path / how, how)
        assert done.returncode == 0, done.stderr
    plain, other = (pd.read_csv(tmp_path / how / "log.csv") for how in ("plain", "compiled"))
    assert abs(plain.train_loss - other.train_loss).max() < 0.02
    assert abs(plain.valid_loss - other.valid_loss).max() < 0.02


def test_without_a_compiler_it_says_so_before_it_trains(tmp_path: Path) -> None:
    there = {"CXX": "/nowhere/g++", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache")}
    done = run(tmp_path / "run", "compiled", **there)
    assert "refused:" in done.stderr
    assert "nothing can be compiled here" in re.sub(r"\s+", " ", done.stderr)
    assert not (tmp_path / "run" / "log.csv").exists()
