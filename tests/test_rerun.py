"""A code competition: the notebook runs on a dummy test set, then again on the hidden one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import closed
import pandas as pd
import pytest
import yaml
from independent_check import read
from results import SMALL

from kitbox import recipe as recipes
from kitbox.errors import RecipeError
from kitbox.kaggle import mounts
from kitbox.progress import Progress
from kitbox.rerun import rerun
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


NOTEBOOK = """
import kitbox.rerun

kitbox.rerun.rerun("{attached}", "submission.csv")
"""


def state(root: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(root)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(root.rglob("*"))
    }


def test_the_same_notebook_with_the_public_pictures_and_the_hidden_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trained at home; attached, without network, to a read-only competition: 3, then 200."""
    digits = Digits(pictures=1230).fetch(tmp_path / "digits")
    root, hidden = tmp_path / "input", sorted((digits / "test").iterdir())[:200]
    assert len(hidden) == 200
    attach(root, digits, 3)
    for place, name in enumerate(sorted((root / "competitions/digits/train").glob("*/*"))):
        if place % 8:
            name.unlink()
    monkeypatch.setenv(mounts.INPUT, str(root))
    monkeypatch.setenv("KITBOX_CACHE", str(tmp_path / "home"))
    text = yaml.safe_dump({**SMALL, "source": {"use": "kaggle", "competition": "digits"}})
    trained = run(
        recipes.parse(text, tmp_path / "recipe.yaml"),
        root / "datasets/me/digits-run",
        progress=Progress(quiet=True),
    )
    script = tmp_path / "notebook.py"
    script.write_text(NOTEBOOK.format(attached=trained.folder))

    def commit(name: str, **more: str) -> tuple[list[str], list[list[str]]]:
        """What the platform does with the notebook: a fresh machine, a working folder, a run."""
        before = state(root)
        working = tmp_path / name
        working.mkdir()
        done = subprocess.run(
            [sys.executable, closed.__file__, str(root), str(script)],
            cwd=working,
            env={**os.environ, "KITBOX_CACHE": str(tmp_path / f"{name}-cache"), **more},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert state(root) == before
        assert [path.name for path in working.iterdir()] == ["submission.csv"]
        return read(working / "submission.csv")

    header, rows = commit("public")
    assert header == ["id", "label"]
    assert [row[0] for row in rows] == [path.stem for path in hidden[:3]]
    # What the run itself wrote for the same three pictures.
    assert trained.submission is not None
    assert (header, rows) == read(trained.submission)

    for path in hidden:
        shutil.copy(path, root / "competitions/digits/test")
    again, more = commit("rerun", KAGGLE_IS_COMPETITION_RERUN="1")
    assert again == header
    assert [row[0] for row in more] == [path.stem for path in hidden]
    assert {row[1] for row in more} <= {*"0123456789"}
    assert more[:3] == rows
    assert len({row[1] for row in more}) > 1


def test_a_sample_with_rows_a_broken_picture_and_no_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digits = Digits(pictures=120).fetch(tmp_path / "digits")
    monkeypatch.setenv("KITBOX_CACHE", str(tmp_path / "cache"))
    recipe = recipes.make({**SMALL, "source": {"use": "folder", "path": str(digits)}})
    trained = run(recipe, tmp_path / "run", progress=Progress(quiet=True))
    assert trained.submission is not None
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(digits, elsewhere)
    out = rerun(trained.folder, tmp_path / "a.csv", files=elsewhere, progress=Progress(quiet=True))
    assert out.read_bytes() == trained.submission.read_bytes()

    pictures = sorted((elsewhere / "test").iterdir())
    pictures[0].write_bytes(pictures[0].read_bytes()[:60])
    pictures[1].unlink()
    rerun(trained.folder, tmp_path / "b.csv", files=elsewhere, progress=Progress(quiet=True))
    _header, rows = read(tmp_path / "b.csv")
    assert [row[0] for row in rows] == [row[0] for row in read(trained.submission)[1]]
    assert rows[0][1] == rows[1][1]  # both as if blank
    assert rows[2:] == read(trained.submission)[1][2:]

    (elsewhere / "sample_submission.csv").write_text("id,label\n")
    for path in pictures[2:]:
        path.rename(path.with_suffix(".txt"))
    (elsewhere / "test" / "x.png").write_bytes(pictures[0].read_bytes())
    pictures[0].unlink()
    rerun(trained.folder, tmp_path / "c.csv", files=elsewhere, progress=Progress(quiet=True))
    assert [row[0] for row in read(tmp_path / "c.csv")[1]] == ["x"]


def test_a_run_without_a_submission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "recipe.yaml").write_text("source: digits\nlabeler: folder\ntask: single-label\n")
    with pytest.raises(RecipeError, match="asks for no submission"):
        rerun(tmp_path)
