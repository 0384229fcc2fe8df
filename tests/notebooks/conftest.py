"""What every executed notebook needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from notebooks import shapes
from notebooks.executing import Executed, execute

Run = Callable[..., Executed]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a notebook with a cache of its own, on real pictures; skips where they are not here."""
    if gone := shapes.missing():
        pytest.skip(f"{gone[0]} is not there")

    def run(
        name: str, parameters: Mapping[str, Any], place: str = "", but: str = "", **env: str
    ) -> Executed:
        variables = {
            "KITBOX_CACHE": str(tmp_path / f"cache{place}"),
            "KITBOX_WEIGHTS": str(shapes.WEIGHTS),
            "HF_HUB_OFFLINE": "1",
            **env,
        }
        parameters = {"BACKBONE": shapes.BACKBONE, **parameters}
        (tmp_path / "input").mkdir(exist_ok=True)
        done = execute(
            name,
            tmp_path / f"{name}{place}",
            parameters,
            read_only=tmp_path / "input",
            env=variables,
            but=but,
        )
        done.check()
        return done

    return run


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """A folder for what a notebook is given; nothing in it may be changed."""
    folder = tmp_path / "input"
    folder.mkdir()
    return folder
