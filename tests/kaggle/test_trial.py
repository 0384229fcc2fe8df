"""A pack tried in an environment that has nothing but it, without network."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from index import needs_index
from results import SMALL

from kitbox.errors import SourceError
from kitbox.kaggle import pack, trial
from kitbox.progress import Progress


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs_index()
    folder = tmp_path_factory.mktemp("pack")
    (folder / "recipe.yaml").write_text(yaml.safe_dump(SMALL))
    return pack.pack(folder / "recipe.yaml", folder / "out", Progress(quiet=True))


def test_a_pack_is_enough(packed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trial.trial(packed)
    told = capsys.readouterr().out
    assert "from the pack; no network" in told
    assert "is enough for its recipe, without any network" in told


def test_what_lacks_a_wheel_is_not(packed: Path) -> None:
    (wheel,) = (packed / "wheels").glob("segmentation_models_pytorch-*")
    data = wheel.read_bytes()
    wheel.unlink()
    try:
        with pytest.raises(SourceError, match=r"cannot be installed.*segmentation"):
            trial.trial(packed, Progress(quiet=True))
    finally:
        wheel.write_bytes(data)


def test_what_reaches_for_the_network_is_not(packed: Path) -> None:
    """Weights that are not in the pack would have to come from the hub."""
    kept = (packed / "recipe.yaml").read_text()
    lacking = {**SMALL, "backbone": {"use": "timm", "name": "resnet34"}}
    (packed / "recipe.yaml").write_text(yaml.safe_dump(lacking))
    try:
        with pytest.raises(SourceError, match=r"not enough for its recipe.*weights are not in"):
            trial.trial(packed, Progress(quiet=True))
    finally:
        (packed / "recipe.yaml").write_text(kept)


def test_what_is_no_pack(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is no pack"):
        trial.trial(tmp_path)
