from __future__ import annotations

import hashlib
import io
import os
import random
import tarfile
import zipfile

import pytest
from pydantic import ValidationError

from kitbox import progress
from kitbox.errors import SourceError
from kitbox.sources import untar
from kitbox.sources.known import Known
from kitbox.sources.untar import Untar


def archive_of(*names, content=b"data"):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return data.getvalue()


PETS = archive_of("oxford/images/a.jpg", "oxford/images/b.jpg", "oxford/._x", ".DS_Store")
TWO = archive_of("train/a.jpg", "labels.csv")


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def test_from_the_network_once(site, cache):
    site.serve(PETS)
    source = Untar(url=site.address.replace("file.bin", "oxford-iiit.tar.gz?key=secret"))
    assert source.find(cache) is None
    assert not cache.exists()
    folder = source.fetch(cache)
    assert folder.name == "oxford"
    assert folder.parent.name.startswith("oxford-iiit-")
    assert folder.parent.parent == cache / "untar"
    assert sorted(p.name for p in folder.rglob("*.jpg")) == ["a.jpg", "b.jpg"]
    assert Untar(**source.model_dump()).fetch(cache) == source.find(cache) == folder
    assert len(site.asked) == 1
    assert not list(cache.rglob("*secret*"))


def test_both_steps_show_how_far_they_are(site, cache, monkeypatch, capsys):
    monkeypatch.setattr(progress, "LOG_EVERY", -1.0)
    site.serve(archive_of(*"abcd", content=random.Random(0).randbytes(1_100_000)))
    Untar(url=site.address).fetch(cache)
    said = capsys.readouterr().out
    assert "downloading file.bin, MB: 1 of 5" in said
    assert "file.bin, MB: 2 of 5" in said.partition("unpacking")[2]


def test_several_things_at_the_top_stay_together(site, cache):
    site.serve(TWO)
    folder = Untar(url=site.address).fetch(cache)
    assert sorted(p.name for p in folder.iterdir()) == ["labels.csv", "train"]
    assert folder.parent == cache / "untar"


def test_two_addresses_with_one_file_name_are_two_archives(site, cache):
    site.serve(PETS)
    first = Untar(url=site.address).fetch(cache)
    site.serve(TWO)
    second = Untar(url=site.address.replace("/file", "/other/file")).fetch(cache)
    assert first.name == "oxford"
    assert (second / "labels.csv").exists()


def test_a_known_name_is_checked_against_its_row(site, cache, monkeypatch):
    site.serve(PETS)
    row = Known(site.address, len(PETS), hashlib.md5(PETS).hexdigest())
    monkeypatch.setitem(untar.KNOWN, "PETS", row)
    assert Untar(url="PETS").fetch(cache).name == "oxford"
    monkeypatch.setitem(untar.KNOWN, "PETS", Known(site.address, len(PETS), "0" * 32))
    with pytest.raises(SourceError, match="first MiB"):
        Untar(url="PETS").fetch(cache.with_name("other"))


@pytest.mark.parametrize("form", ["{}", "file://{}", "file://localhost{}"])
def test_local_archives(tmp_path, cache, form):
    archive = tmp_path / "my pets.tgz"
    archive.write_bytes(PETS)
    sha = hashlib.sha256(PETS).hexdigest().upper()
    address = form.format(str(archive) if form == "{}" else str(archive).replace(" ", "%20"))
    source = Untar(url=address, sha256=sha, size=len(PETS), md5=hashlib.md5(PETS).hexdigest())
    folder = source.fetch(cache)
    assert folder.name == "oxford"
    assert folder.parent.name.startswith("my_pets-")
    assert archive.read_bytes() == PETS
    assert not (cache / "archives").exists()


def test_a_relative_path_and_a_home(tmp_path, cache, monkeypatch):
    (tmp_path / "a.tgz").write_bytes(PETS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Untar(url="a.tgz").fetch(cache) == Untar(url="~/a.tgz").fetch(cache)


def test_a_local_archive_that_changes_is_unpacked_again(tmp_path, cache):
    archive = tmp_path / "a.tgz"
    archive.write_bytes(PETS)
    source = Untar(url=str(archive))
    first = source.fetch(cache)
    archive.write_bytes(TWO)
    os.utime(archive, (1, 1))
    assert source.find(cache) is None
    assert source.fetch(cache) != first


def test_a_sum_that_is_given_later_is_checked(tmp_path, cache):
    archive = tmp_path / "a.tgz"
    archive.write_bytes(PETS)
    Untar(url=str(archive)).fetch(cache)
    with pytest.raises(SourceError, match="sha256"):
        Untar(url=str(archive), sha256="0" * 64).fetch(cache)


def test_a_missing_archive_says_what_lies_beside(tmp_path, cache):
    (tmp_path / "pets.tgz").write_bytes(PETS)
    source = Untar(url=str(tmp_path / "pet.tgz"))
    for ask in (source.find, source.fetch):
        with pytest.raises(SourceError, match=r"Did you mean 'pets\.tgz'"):
            ask(cache)
    with pytest.raises(SourceError, match="use: folder"):
        Untar(url=str(tmp_path)).fetch(cache)


def test_limits_reach_the_unpacking(tmp_path, cache):
    (tmp_path / "a.tgz").write_bytes(PETS)
    with pytest.raises(SourceError, match="max_gb"):
        Untar(url=str(tmp_path / "a.tgz"), max_gb=7e-9).fetch(cache)
    with pytest.raises(SourceError, match="max_files"):
        Untar(url=str(tmp_path / "a.tgz"), max_files=3).fetch(cache)
    Untar(url=str(tmp_path / "a.tgz"), max_gb=8e-9, max_files=4).fetch(cache)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"url": "PET"}, "Did you mean 'PETS'"),
        ({"url": "pets"}, "Did you mean 'PETS'"),
        ({"url": "xyzzy"}, "Known: .*PETS.*"),
        ({"url": ""}, "expected a known name"),
        ({"url": "s3://bucket/a.tgz"}, "'s3', expected http"),
        ({"url": "http:///a.tgz"}, "host"),
        ({"url": "http://[::1/a.tgz"}, "makes no sense"),
        ({"url": "file://server/a.tgz"}, "server"),
        ({"url": "PETS", "sha256": "abc"}, "64 hex"),
        ({"url": "PETS", "md5": "z" * 32}, "32 hex"),
        ({"url": "PETS", "size": 0}, "greater"),
        ({"url": "PETS", "max_gb": 0}, "greater"),
        ({"url": "PETS", "max_gb": "inf"}, "finite"),
        ({"url": "PETS", "max_files": 0}, "greater"),
        ({"url": "PETS", "sha": "a"}, "Extra"),
    ],
)
def test_mistakes_are_found_before_anything_is_fetched(options, match):
    with pytest.raises(ValidationError, match=match):
        Untar(**options)


def test_a_local_archive_is_looked_at_before_it_is_unpacked(tmp_path, cache):
    """A zip's directory is at its end, a tar's first entry at its beginning."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for n in range(5):
            archive.writestr(f"train/{n}.jpg", random.Random(n).randbytes(1000))
    path = tmp_path / "data.zip"
    path.write_bytes(whole.getvalue())
    source = Untar(url=str(path))
    assert source.find(cache) is None
    path.write_bytes(whole.getvalue()[:-200])
    with pytest.raises(SourceError, match=r"data\.zip.*end too early or make no sense"):
        source.find(cache)
    path.write_bytes(whole.getvalue())
    with pytest.raises(SourceError, match="refused"):
        Untar(url=str(path), max_files=1).find(cache)
    tar = tmp_path / "data.tgz"
    tar.write_bytes(TWO)
    assert Untar(url=str(tar)).find(cache) is None
    for broken in (b"", TWO[:20], b"<html>please log in</html>", b"x" * 2000):
        tar.write_bytes(broken)
        with pytest.raises(SourceError, match=r"data\.tgz"):
            Untar(url=str(tar)).find(cache)
    assert not cache.exists()
    path.write_bytes(whole.getvalue())
    assert len(list(source.fetch(cache).iterdir())) == 5
