"""A code competition: the notebook runs on a dummy test set, then again on the hidden one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml
from results import SMALL

from kitbox import recipe as recipes
from kitbox.kaggle import mounts
from kitbox.progress import Progress
from kitbox.runner import run
from kitbox.sources.digits import Digits


def attach(root: Path, digits: Path, most: int) -> None:
    """A competition's mount with `most` test pictures, and a sample with a header only."""
    shutil.rmtree(root, ignore_errors=True)
    mount = root / "competitions/digits"
    shutil.copytree(digits / "train", mount / "train")
    (mount / "test").mkdir()
    for picture in sorted((digits / "test").iterdir())[:most]:
        shutil.copy(picture, mount / "test")
    (mount / "sample_submission.csv").write_text("id,label\n")


def test_rows_are_those_of_the_rerun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digits = Digits(pictures=120).fetch(tmp_path / "digits")
    monkeypatch.setenv(mounts.INPUT, str(tmp_path / "input"))
    # No network: whoever asks is sent to a port where nobody listens.
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    text = yaml.safe_dump({**SMALL, "source": {"use": "kaggle", "competition": "digits"}})

    def notebook(machine: str) -> pd.DataFrame:
        monkeypatch.setenv("KITBOX_CACHE", str(tmp_path / machine / "cache"))
        recipe = recipes.parse(text, tmp_path / "recipe.yaml")
        done = run(recipe, tmp_path / machine / "run", progress=Progress(quiet=True))
        assert done.submission is not None
        return pd.read_csv(done.submission, dtype={"id": str})

    attach(tmp_path / "input", digits, 3)
    public = notebook("first")
    attach(tmp_path / "input", digits, 20)
    monkeypatch.setenv("KAGGLE_IS_COMPETITION_RERUN", "1")
    hidden = notebook("rerun")
    names = [path.stem for path in sorted((digits / "test").iterdir())]
    assert list(public["id"]) == names[:3]
    assert list(hidden["id"]) == names
    assert len(names) == 20
    # The three that both saw got the same answer: the same recipe trained the same model.
    pd.testing.assert_frame_equal(public, hidden.head(3))
