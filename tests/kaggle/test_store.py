"""Versions in the cache."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from kaggle_server import zipped

from kitbox.errors import SourceError
from kitbox.kaggle import store as stores
from kitbox.kaggle.address import Address
from kitbox.kaggle.store import Store
from kitbox.kaggle.things import Competition, Version
from kitbox.sources.checks import Checks
from kitbox.sources.room import Limits


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(
        Competition, "address", lambda *args: Address("http://localhost/x", Checks())
    )
    return Store(tmp_path / "cache", Competition("dogs"), Limits(10**6, 1000))


def bring(monkeypatch: pytest.MonkeyPatch, content: bytes) -> list[Path]:
    """Let downloads bring these bytes; where to is noted."""
    targets: list[Path] = []

    def download(address: str, target: Path, **options: object) -> Path:
        targets.append(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return target

    monkeypatch.setattr(stores, "download", download)
    return targets


def test_each_version_beside_the_other(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert store.find() is None
    targets = bring(monkeypatch, zipped({"a.csv": b"1"}))
    one = store.fetch(None, Version("v1"))  # type: ignore[arg-type]
    bring(monkeypatch, zipped({"a.csv": b"2"}))
    two = store.fetch(None, Version("v2"))  # type: ignore[arg-type]
    assert store.find() == two
    assert store.find(Version("v1")) == one
    assert store.fetch(None, Version("v1")) == one == store.find()  # type: ignore[arg-type]
    assert ((one / "a.csv").read_text(), (two / "a.csv").read_text()) == ("1", "2")
    assert len(targets) == 1
    assert not targets[0].exists()


@pytest.mark.parametrize(
    "content", [b"<html>log in</html>", b"", zipped({"train.zip": zipped({"/a.jpg": b""})})]
)
def test_what_cannot_be_unpacked_leaves_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    bring(monkeypatch, content)
    with pytest.raises(SourceError):
        store.fetch(None, Version("v1"))  # type: ignore[arg-type]
    assert store.find() is None
    assert store.find(Version("v1")) is None
    assert [p for p in (tmp_path / "cache/kaggle/competitions").rglob("*") if p.is_file()] == [
        tmp_path / "cache/kaggle/competitions/dogs/.v1.lock"
    ]


def test_files_that_differ_from_the_list_are_told(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    inner = zipped({"a.jpg": b"x"})
    bring(monkeypatch, zipped({"a.csv": b"123", "b.csv": b"1", "train.zip": inner}))
    listed = {"a.csv": 3, "b.csv": 7, "c.csv": 1, "b.csv.zip": 1, "train.zip": len(inner)}
    with caplog.at_level(logging.WARNING, "kitbox"):
        store.fetch(None, Version("v1", listed))  # type: ignore[arg-type]
    assert [record.getMessage() for record in caplog.records] == [
        "Kaggle lists files of the competition 'dogs' that did not come: c.csv",
        "Files of the competition 'dogs' have another size than listed: b.csv",
    ]


def test_a_pointer_to_what_is_gone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    bring(monkeypatch, zipped({"a.csv": b"1"}))
    folder = store.fetch(None, Version("v1"))  # type: ignore[arg-type]
    shutil.rmtree(folder.parent)
    assert store.find() is None
    assert store.fetch(None, Version("v1")).is_dir()  # type: ignore[arg-type]
