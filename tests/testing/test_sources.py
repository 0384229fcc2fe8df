"""The built-in sources keep what strangers' must."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sources.web.serving import serve

from kitbox.sources.digits import Digits
from kitbox.sources.folder import Folder
from kitbox.sources.kaggle import Kaggle
from kitbox.sources.untar import Untar
from kitbox.sources.urls import Urls
from kitbox.testing import SourceTests, write_picture


class TestDigits(SourceTests):
    @pytest.fixture
    def plugin(self) -> Digits:
        return Digits(pictures=100)


class TestFolder(SourceTests):
    @pytest.fixture
    def plugin(self, tmp_path: Path) -> Folder:
        write_picture(tmp_path / "raw" / "cat" / "a.png")
        return Folder(path=tmp_path / "raw")

    @pytest.fixture
    def hopeless(self, tmp_path: Path) -> Folder:
        return Folder(path=tmp_path / "nowhere")


class TestUntar(SourceTests):
    @pytest.fixture
    def plugin(self, tmp_path: Path) -> Untar:
        file = tmp_path / "pictures.zip"
        with zipfile.ZipFile(file, "w") as archive:
            for name in ("cat", "dog"):
                write_picture(tmp_path / f"{name}.png")
                archive.write(tmp_path / f"{name}.png", f"{name}/0.png")
        return Untar(url=str(file))

    @pytest.fixture
    def hopeless(self, tmp_path: Path) -> Untar:
        return Untar(url=str(tmp_path / "nowhere.zip"))


class TestKaggle(SourceTests):
    @pytest.fixture
    def plugin(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kaggle:
        write_picture(tmp_path / "input" / "competitions" / "dogs" / "train" / "a.png")
        monkeypatch.setenv("KITBOX_KAGGLE_INPUT", str(tmp_path / "input"))
        return Kaggle(competition="dogs")


class TestUrls(SourceTests):
    network = True

    @pytest.fixture
    def plugin(self, tmp_path: Path) -> Iterator[Urls]:
        with serve() as web:
            for name, numbers in {"cat": (1, 2), "dog": (3, 4)}.items():
                lines = "\n".join(f"{web.base}/ok/{n}.jpg" for n in numbers)
                (tmp_path / f"{name}.txt").write_text(lines)
            lists = {name: tmp_path / f"{name}.txt" for name in ("cat", "dog")}
            yield Urls.model_validate({"lists": lists, "allow_private": ["127.0.0.0/8"]})
