from __future__ import annotations

import pytest
from pydantic import ValidationError

from kitbox.errors import SourceError
from kitbox.sources.folder import Folder


def test_finds_and_fetches_without_writing(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for path in (tmp_path / "data", "data", "./data", "~/data"):
        source = Folder(path=path)
        assert source.find(tmp_path / "cache") == tmp_path / "data"
        assert source.fetch(tmp_path / "cache") == tmp_path / "data"
    assert [p.name for p in tmp_path.iterdir()] == ["data"]


def test_missing_says_where_and_what_lies_beside(tmp_path, monkeypatch):
    (tmp_path / "flowers17").mkdir()
    monkeypatch.chdir(tmp_path)
    source = Folder(path="flower17")
    for ask in (source.find, source.fetch):
        with pytest.raises(SourceError, match="Did you mean 'flowers17'") as caught:
            ask(tmp_path)
    assert str(tmp_path / "flower17") in str(caught.value)


def test_missing_further_up_describes_the_deepest_folder_there_is(tmp_path):
    (tmp_path / "input").mkdir()
    with pytest.raises(SourceError, match="Did you mean 'input'"):
        Folder(path=tmp_path / "inputs" / "a" / "b").fetch(tmp_path)


def test_a_file_is_not_a_folder(tmp_path):
    (tmp_path / "a.zip").write_text("")
    with pytest.raises(SourceError, match=r"not a folder.*untar"):
        Folder(path=tmp_path / "a.zip").fetch(tmp_path)


@pytest.mark.parametrize("path", ["a" * 5000, "~nobody-by-this-name/data"])
def test_paths_that_cannot_be(tmp_path, path):
    with pytest.raises(SourceError):
        Folder(path=path).fetch(tmp_path)


def test_unknown_options_are_refused():
    with pytest.raises(ValidationError):
        Folder(path=".", paht=".")
