"""Zips inside a competition."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from kaggle_server import zipped

from kitbox.errors import SourceError
from kitbox.kaggle import inner


def put(folder: Path, name: str, files: dict[str, bytes]) -> Path:
    path = folder / name
    path.write_bytes(zipped(files))
    return path


def opened(folder: Path, name: str, files: dict[str, bytes]) -> list[str]:
    inner.open_up(put(folder, name, files), folder, max_bytes=10**6, max_files=100)
    (folder / name).unlink()
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize(
    ("name", "files", "expected"),
    [
        ("train.zip", ["a.jpg", "b.jpg"], ["train/a.jpg", "train/b.jpg"]),
        ("train.zip", ["train/a.jpg", "train/b.jpg"], ["train/a.jpg", "train/b.jpg"]),
        ("train.zip", ["train/a.jpg", "__MACOSX/._a.jpg"], ["train/a.jpg"]),
        (
            "train.zip",
            ["images/a.jpg", "images/b.jpg"],
            ["train/images/a.jpg", "train/images/b.jpg"],
        ),
        ("train.zip", ["train/a.jpg", "b.jpg"], ["train/b.jpg", "train/train/a.jpg"]),
        ("train.zip", ["only.jpg"], ["only.jpg"]),
        ("t.csv.zip", ["t.csv"], ["t.csv"]),
        ("T.CSV.ZIP", ["other.csv"], ["other.csv"]),
    ],
)
def test_where_the_files_go(
    tmp_path: Path, name: str, files: list[str], expected: list[str]
) -> None:
    assert opened(tmp_path, name, dict.fromkeys(files, b"x")) == expected


def test_which_zips(tmp_path: Path) -> None:
    for name in ("a.zip", "b.ZIP", "done.zip"):
        put(tmp_path, name, {"x.JPG": b""})
    (tmp_path / "done").mkdir()
    put(tmp_path, "table.zip", {"x.csv": b""})
    put(tmp_path, "code.zip", {"x.py": b""})
    put(tmp_path, "empty.zip", {})
    put(tmp_path, "pictures.dat", {"x.jpg": b""})
    (tmp_path / "none.zip").write_bytes(b"nonsense")
    (tmp_path / "folder.zip").mkdir()
    locked = put(tmp_path, "locked.zip", {"x.jpg": b"y"})
    with zipfile.ZipFile(locked) as archive:
        central = archive.start_dir
    content = bytearray(locked.read_bytes())
    content[6] |= 1  # the flag of a password, in both headers
    content[central + 8] |= 1
    locked.write_bytes(content)
    assert [path.name for path in inner.packed(tmp_path)] == ["a.zip", "b.ZIP", "table.zip"]


def test_limits_and_hostile_names(tmp_path: Path) -> None:
    big = put(tmp_path, "big.zip", {"a.jpg": bytes(2000)})
    with pytest.raises(SourceError, match="max_gb"):
        inner.open_up(big, tmp_path, max_bytes=1000, max_files=10)
    evil = put(tmp_path, "evil.zip", {"../a.jpg": b""})
    with pytest.raises(SourceError, match="leads outside"):
        inner.open_up(evil, tmp_path, max_bytes=1000, max_files=10)
    assert not (tmp_path / "big").exists()
    assert not (tmp_path / "evil").exists()
