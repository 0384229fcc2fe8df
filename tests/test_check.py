"""The plan of a recipe, without following it."""

from __future__ import annotations

import io
import re
from pathlib import Path
from unittest import mock

import pytest
from huggingface_hub import constants
from results import small

from kitbox.check import check
from kitbox.environment import CACHE
from kitbox.errors import SubmissionError, WeightsError
from kitbox.models import weights
from kitbox.progress import Progress
from kitbox.recipe import Recipe


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE, str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def look(recipe: Recipe) -> str:
    said = io.StringIO()
    check(recipe, Progress(said))
    return said.getvalue()


def test_nothing_is_fetched(place: Path) -> None:
    said = look(small())
    assert "a run fetches or unpacks it" in said
    assert "stage 1 of 1" in said
    assert list(place.iterdir()) == []


def test_the_plan_and_a_batch_per_stage(place: Path) -> None:
    recipe = small(stages=[{"epochs": 3, "freeze": True}, {"epochs": 5}])
    recipe.source.fetch(place / "cache")
    before = set(place.rglob("*"))
    said = look(recipe)
    assert "80 train, 20 validate, 20 to predict" in said
    assert "3 epochs" in said
    assert "5 epochs" in said
    assert said.count("gradients are finite") == 2
    assert said.rstrip().endswith("The recipe is sound.")
    assert set(place.rglob("*")) == before


def test_what_is_mixed_is_told(place: Path) -> None:
    small().source.fetch(place / "cache")
    assert "mix: " not in look(small())
    said = look(small(mix={"mixup": 0.4, "cutmix": 1, "share": 0.25}))
    assert "mix: mixup 0.4 or cutmix 1, of 25% of the batches; batch.png" in said


def test_a_picture_to_predict_that_is_not_there(place: Path) -> None:
    recipe = small()
    folder = recipe.source.fetch(place / "cache")
    assert "as if blank" not in look(recipe)
    gone = sorted((folder / "test").iterdir())[:2]
    for file in gone:
        file.unlink()
    said = look(recipe)
    told = ", ".join(f"{file.stem} (no test/{file.name})" for file in gone)
    assert "Note: 2 pictures to predict, of 20, are not there" in said
    assert f"predicted as if blank: {told}" in said


def test_a_task_s_notes(place: Path) -> None:
    recipe = small(task="regression", submission=None)
    recipe.source.fetch(place / "cache")
    assert re.search(r"Note: training pictures are cropped, down to 4\d% of", look(recipe))
    whole = {"use": "standard", "flip": 0.5, "area": [1, 1], "stretch": 1}
    said = look(small(task="regression", submission=None, augmentation=whole))
    assert "Note: training" not in said


def test_what_would_stop_the_run(place: Path) -> None:
    recipe = small()
    folder = recipe.source.fetch(place / "cache")
    (folder / "sample_submission.csv").write_text("id,cat,dog\n0100,0.5,0.5\n")
    with pytest.raises(SubmissionError, match="cat"):
        look(recipe)


@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "KAGGLE_KERNEL_RUN_TYPE"])
def test_weights_that_would_come_from_a_hub_that_does_not_answer(
    place: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A remark at home; a mistake where there will be no network."""
    for offline in ("HF_HUB_OFFLINE", "KAGGLE_KERNEL_RUN_TYPE", "KAGGLE_URL_BASE"):
        monkeypatch.delenv(offline, raising=False)
    monkeypatch.setattr(weights, "MOUNT", place / "no-mount")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(place / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(weights, "_ask", refuse := mock.Mock(side_effect=OSError("nobody there")))
    recipe = small(backbone={"use": "timm", "name": "test_resnet"})
    recipe.source.fetch(place / "cache")
    said = look(recipe)
    assert "would be downloaded; it does not answer from here (nobody there)" in said
    assert "attach a file called test_resnet.safetensors" in said
    assert said.rstrip().endswith("The recipe is sound, but for its weights.")
    monkeypatch.setenv(name, "1")
    with pytest.raises(WeightsError, match=r"cannot be had.*nobody there.*test_resnet.safetensors"):
        look(recipe)
    refuse.side_effect = None
    said = look(recipe)
    assert "from the hub, which answers (a run downloads them)" in said
    assert said.rstrip().endswith("The recipe is sound.")
