"""What had better be left out of data."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

import kitbox
from kitbox.errors import StorageError
from kitbox.progress import Progress
from kitbox.testing.pictures import write_picture


def test_clean_names_what_to_leave_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITBOX_CACHE", str(tmp_path / "cache"))
    files = tmp_path / "files"
    for seed in range(10):
        write_picture(files / "abc"[seed % 2] / f"{seed}.png", 64, 64, seed)
    shutil.copy(files / "a/0.png", files / "a/copy.png")
    (files / "b/broken.png").write_bytes((files / "b/1.png").read_bytes()[:50])
    quiet = Progress(quiet=True)
    given = {"source": {"use": "folder", "path": str(files)}, "labeler": "folder"}
    data = kitbox.load(**given, task="single-label", progress=quiet)
    found = data.clean(tmp_path / "out.csv").set_index("image")
    assert found.loc["b/broken.png", "reason"] == "broken"
    doubled = found[found["reason"] != "broken"]
    assert len(doubled) == 1
    assert {doubled.index[0], doubled["of"].iloc[0]} == {"a/0.png", "a/copy.png"}
    kept = pd.read_csv(tmp_path / "out.csv", keep_default_na=False).set_index("image")
    pd.testing.assert_frame_equal(kept, found)

    again = kitbox.load(**given, task="single-label", exclude=tmp_path / "out.csv", progress=quiet)
    assert set(data.rows["image"]) - set(again.rows["image"]) == set(found.index)
    (tmp_path / "mine.csv").write_text("a letter to my aunt\n")
    with pytest.raises(StorageError):
        data.clean(tmp_path / "mine.csv")
