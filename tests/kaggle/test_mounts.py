"""Mounts, in the new and the old layout."""

from __future__ import annotations

from pathlib import Path

import pytest

from kitbox.kaggle import mounts


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(mounts.INPUT, str(tmp_path))
    return tmp_path


def put(root: Path, place: str) -> Path:
    folder = root / place
    folder.mkdir(parents=True)
    (folder / "file").touch()
    return folder


def test_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(mounts.INPUT, raising=False)
    assert mounts.root() == Path("/kaggle/input")


def test_nothing_attached(root: Path) -> None:
    assert mounts.competition("dogs") is None
    (root / "competitions/dogs").mkdir(parents=True)  # empty: nothing was attached
    (root / "cats").write_text("a file")
    assert mounts.competition("dogs") is None
    assert mounts.competition("cats") is None
    assert mounts.model("a", "b", "c", "d", None) is None


def test_the_new_layout_goes_before_the_old(root: Path) -> None:
    old = put(root, "dogs")
    assert mounts.competition("dogs") == mounts.dataset("mona", "dogs") == old
    competition, dataset = put(root, "competitions/dogs"), put(root, "datasets/mona/dogs")
    assert mounts.competition("dogs") == competition
    assert mounts.dataset("mona", "dogs") == dataset
    assert mounts.dataset("lisa", "dogs") == old


def test_a_thing_called_like_a_folder_of_the_new_layout(root: Path) -> None:
    put(root, "datasets/mona/dogs")
    assert mounts.dataset("lisa", "datasets") is None
    assert mounts.competition("datasets") is None


@pytest.mark.parametrize("start", ["models/timm/", ""])
def test_a_models_version(root: Path, start: str) -> None:
    two, ten = (put(root, f"{start}resnet/pytorch/r34/{n}") for n in (2, 10))
    asked = ("timm", "resnet", "pyTorch", "r34")
    assert mounts.model(*asked, None) == ten
    assert mounts.model(*asked, 2) == two
    assert mounts.model(*asked, 3) is None
    assert mounts.model("timm", "resnet", "pyTorch", "r50", None) is None


def test_a_rerun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAGGLE_IS_COMPETITION_RERUN", raising=False)
    assert not mounts.is_rerun()
    monkeypatch.setenv("KAGGLE_IS_COMPETITION_RERUN", "1")
    assert mounts.is_rerun()
