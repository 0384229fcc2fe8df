"""The fixtures of tests that talk to Kaggle's stand-in, and a pack that several tests look at."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from index import needs_index, once
from kaggle_client import at_kaggle
from results import SMALL

from kitbox.kaggle import pack
from kitbox.progress import Progress

__all__ = ["at_kaggle", "packed"]


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of a small recipe, to be copied by whoever changes it: made once for all processes."""
    needs_index()

    def make(folder: Path) -> None:
        (folder / "recipe.yaml").write_text("# a comment\n" + yaml.safe_dump(SMALL))
        pack.pack(folder / "recipe.yaml", folder / "out", Progress(quiet=True))

    return once(tmp_path_factory, "packed", make) / "out"
