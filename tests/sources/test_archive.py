from __future__ import annotations

import bz2
import gzip
import importlib.util
import io
import lzma
import os
import random
import tarfile
import zipfile
from functools import partial

import pytest

from kitbox.errors import SourceError, StorageError
from kitbox.sources.archive import unpack

# Without a time, so that the data is the same in every process.
zipped = partial(gzip.compress, mtime=0)

FILES = {
    "top/a.txt": b"a",
    "top/sub/b.bin": random.Random(0).randbytes(100_000),
    "top/empty": b"",
    "top/Ünï côdé.txt": "é".encode(),
    "top/CASE": b"upper",
    "top/case": b"lower",
}
PACK = {"": lambda data: data, "gz": zipped, "bz2": bz2.compress, "xz": lzma.compress}


def tar_of(files):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), 1_600_000_000
            tar.addfile(info, io.BytesIO(content))
    return data.getvalue()


def zip_of(files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return data.getvalue()


def tree(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


@pytest.fixture
def put(tmp_path):
    def put(data):
        path = tmp_path / "archive"
        path.write_bytes(data)
        return path

    return put


@pytest.fixture
def target(tmp_path):
    return tmp_path / "out" / "target"


def nothing_left(target):
    return not target.parent.exists() or [p for p in target.parent.iterdir() if p.is_dir()] == []


@pytest.mark.parametrize("kind", PACK)
def test_tars_by_content(put, target, kind):
    assert unpack(put(PACK[kind](tar_of(FILES))), target) == target
    assert tree(target) == FILES
    assert (target / "top/a.txt").stat().st_mtime == 1_600_000_000


def test_zip_by_content(put, target):
    unpack(put(zip_of(FILES)), target)
    assert tree(target) == FILES


def test_a_tar_that_ends_with_a_zip_is_a_tar(put, target):
    files = {"a": b"1", "last.zip": zip_of({"inner": b"2"})}
    unpack(put(tar_of(files)[: -(8 << 10)]), target)
    assert tree(target) == files


@pytest.mark.skipif(
    importlib.util.find_spec("zstandard") is not None
    or importlib.util.find_spec("compression") is not None,
    reason="zstd can be read here",
)
def test_zstd_without_a_reader_says_so(put, target):
    with pytest.raises(SourceError, match="pip install zstandard"):
        unpack(put(b"\x28\xb5\x2f\xfd" + bytes(50)), target)
    assert nothing_left(target)


def test_there_already(put, target):
    target.mkdir(parents=True)
    unpack(put(b"not even an archive"), target)
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_leavings_of_macos_are_skipped(put, target, pack):
    junk = {"__MACOSX/top/._a": b"", "top/._a": b"", "top/.DS_Store": b"", "top/a": b"1"}
    unpack(put(pack(junk)), target)
    assert tree(target) == {"top/a": b"1"}


@pytest.mark.parametrize("pack", [tar_of, zip_of])
@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/evil", "a/..", "x" * 300, "d/" * 1500 + "f"]
)
def test_names_that_lead_elsewhere(put, target, tmp_path, pack, name):
    with pytest.raises(SourceError, match="refused"):
        unpack(put(pack({"good": b"1", name: b"2"})), target)
    assert nothing_left(target)
    assert {p.name for p in tmp_path.iterdir()} <= {"archive", "out"}


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_too_many_bytes(put, target, pack):
    bomb = pack({f"f{n}": bytes(1_000_000) for n in range(5)})
    archive = put(zipped(bomb) if pack is tar_of else bomb)
    assert archive.stat().st_size < 50_000
    with pytest.raises(SourceError, match="max_gb"):
        unpack(archive, target, max_bytes=4_999_999)
    assert nothing_left(target)
    unpack(archive, target, max_bytes=5_000_000)


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_too_many_files(put, target, pack):
    archive = put(pack({f"d{n}/f": b"" for n in range(10)}))
    with pytest.raises(SourceError, match="max_files"):
        unpack(archive, target, max_files=19)
    assert nothing_left(target)
    unpack(archive, target, max_files=20)


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_a_file_where_a_folder_is(put, target, pack):
    for files in ({"a": b"", "a/b": b""}, {"a/b": b"", "a": b""}):
        with pytest.raises(SourceError, match="same name"):
            unpack(put(pack(files)), target)
        assert nothing_left(target)


@pytest.mark.parametrize("kind", PACK)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_truncated_tars(put, target, kind, share):
    data = PACK[kind](tar_of({f"f{n}": random.Random(n).randbytes(9_000) for n in range(9)}))
    archive = put(data[: int(len(data) * share)])
    with pytest.raises(SourceError, match=r"broken.*rm '"):
        unpack(archive, target)
    assert nothing_left(target)


@pytest.mark.parametrize("kind", ["gz", "xz", "bz2"])
def test_damaged_bytes(put, target, kind):
    data = bytearray(PACK[kind](tar_of(FILES)))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(SourceError, match="broken"):
        unpack(put(bytes(data)), target)
    assert nothing_left(target)


def test_a_wrong_sum_after_the_last_file(put, target):
    data = bytearray(zipped(tar_of(FILES)))
    data[-6] ^= 0xFF  # in the CRC
    with pytest.raises(SourceError, match="broken"):
        unpack(put(bytes(data)), target)
    assert nothing_left(target)


def test_truncated_zip_and_damaged_zip(put, target):
    data = bytearray(zip_of(FILES))
    for broken in (data[:-30], data[: len(data) // 2]):
        with pytest.raises(SourceError, match="broken"):
            unpack(put(bytes(broken)), target)
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(SourceError, match="broken"):
        unpack(put(bytes(data)), target)
    assert nothing_left(target)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "empty file"),
        (b"\n<!DOCTYPE html><html>log in</html>", "web page"),
        (b"\xff\xd8\xff\xe0 a photograph" * 100, "no archive"),
        (zipped(b"a,b\n1,2\n"), "no archive"),
        (b"PK\x03\x04", "broken"),
        (b"BZh91AY&SY" + b"x" * 99, "broken"),
        (bytes(10240), "no file in it"),
        (tar_of({}), "no file in it"),
        (zip_of({}), "no file in it"),
        (zip_of({"only/folders/": b""}), "no file in it"),
    ],
)
def test_what_is_no_archive(put, target, data, match):
    with pytest.raises(SourceError, match=match):
        unpack(put(data), target)
    assert nothing_left(target)


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_random_damage_never_gets_out(put, target, tmp_path, pack):
    good = pack({"a/b": b"1" * 3000, "c": b"2"})
    chance = random.Random(3)
    for _ in range(150):
        data = bytearray(good)
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        place = target.with_name(f"t{chance.random()}")
        try:
            unpack(put(bytes(data)), place, max_bytes=10**6)
        except SourceError:
            assert not place.exists()
    assert {p.name for p in tmp_path.iterdir()} == {"archive", "out"}


def test_a_full_disk_is_no_broken_archive(put, target, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "utime", full)
    with pytest.raises(StorageError, match="full"):
        unpack(put(tar_of(FILES)), target)
    assert nothing_left(target)


def test_reports_how_far_it_is(put, target):
    archive = put(zipped(tar_of(FILES)))
    seen = []
    unpack(archive, target, report=lambda *a: seen.append(a))
    assert seen[-1] == (archive.stat().st_size,) * 2
    assert len(seen) == len(FILES)
