"""The documentation builds without a warning, and what it says a recipe takes, a recipe takes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import kitbox

ROOT = Path(__file__).resolve().parent.parent
CHANGES = re.findall(r"^\|[^|]+\|[^|]+\| `([^`]+)`", (ROOT / "docs/better.md").read_text(), re.M)


def test_it_builds_without_a_warning(tmp_path: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "docs", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    page = (tmp_path / "reference" / "api.html").read_text()
    for name in kitbox.__all__:
        if name not in ("contracts", "errors", "KitboxError"):  # have pages of their own
            assert f'id="kitbox.{name}"' in page, name
    plugins = (tmp_path / "reference" / "plugins.html").read_text()
    assert "task: single-label" in plugins


def test_there_are_changes_to_test() -> None:
    assert len(CHANGES) > 10


@pytest.mark.parametrize("change", CHANGES)
def test_a_recipe_takes_each_change(change: str) -> None:
    kitbox.read_recipe(ROOT / "recipes" / "flowers17.yaml", [change])


def test_stages_and_splits_of_the_pages_are_read() -> None:
    text = (ROOT / "docs/better.md").read_text()
    recipe = yaml.safe_load((ROOT / "recipes" / "flowers17.yaml").read_text())
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.S)
    assert blocks
    for block in blocks:
        kitbox.make_recipe({**recipe, **yaml.safe_load(block)})
    for key, value in re.findall(r"`(split): (\{[^`]+\})`", text):
        kitbox.make_recipe({**recipe, key: yaml.safe_load(value)})
