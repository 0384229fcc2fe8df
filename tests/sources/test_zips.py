from __future__ import annotations

import os
import stat
import struct
import zipfile

import pytest

from kitbox.errors import SourceError
from kitbox.sources.archive import unpack


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "a.zip"


def special(name, kind):
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (kind | 0o777) << 16
    return info


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(archive, tmp_path, kind):
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("good", "1")
        file.writestr(special("l", kind), "/etc/passwd")
    with pytest.raises(SourceError, match="special file"):
        unpack(archive, tmp_path / "t")
    assert not (tmp_path / "t").exists()


def test_a_bomb_is_small_and_refused(archive, tmp_path):
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(20):
            file.writestr(f"f{number}", bytes(10_000_000))
    assert archive.stat().st_size < 300_000
    with pytest.raises(SourceError, match="max_gb"):
        unpack(archive, tmp_path / "t", max_bytes=50_000_000)
    assert {p.name for p in tmp_path.iterdir() if p.is_dir()} == set()


def test_a_bomb_that_lies_about_its_size(archive, tmp_path):
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("f", bytes(10_000_000))
    data = archive.read_bytes()
    archive.write_bytes(data.replace(struct.pack("<L", 10_000_000), struct.pack("<L", 1000)))
    with pytest.raises(SourceError, match="broken"):
        unpack(archive, tmp_path / "t", max_bytes=5_000)
    assert not (tmp_path / "t").exists()


def test_backslashes_are_folders_and_no_way_out(archive, tmp_path):
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("d\\sub\\a", "1")
    unpack(archive, tmp_path / "t")
    assert (tmp_path / "t/d/sub/a").read_text() == "1"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("..\\..\\a", "1")
    with pytest.raises(SourceError, match="leads outside"):
        unpack(archive, tmp_path / "u")


def test_a_password(archive, tmp_path):
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a", "1")
    data = bytearray(archive.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(bytes(data))
    with pytest.raises(SourceError, match="password"):
        unpack(archive, tmp_path / "t")


def test_a_packing_that_python_does_not_know(archive, tmp_path):
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a", "1")
    data = bytearray(archive.read_bytes())
    data[8] = 97
    data[data.index(b"PK\x01\x02") + 10] = 97
    archive.write_bytes(bytes(data))
    with pytest.raises(SourceError, match="no archive that can be read"):
        unpack(archive, tmp_path / "t")


def test_times_and_permissions(archive, tmp_path):
    info = special("a", stat.S_IFREG | stat.S_ISUID)
    info.date_time = (2020, 9, 13, 12, 26, 40)
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(info, "1")
    unpack(archive, tmp_path / "t")
    found = os.stat(tmp_path / "t/a")
    assert found.st_mtime == 1_600_000_000
    assert stat.S_IMODE(found.st_mode) & 0o7111 == 0


def directory(archive, count, *, claimed, name=b"a", zip64=False):
    """A zip whose directory names one empty file `count` times."""
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 33, 0, 0, 0, len(name), 0) + name
    fields = (20, 20, 0, 0, 0, 33, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0)
    entries = (struct.pack("<4s6H3I5H2I", b"PK\1\2", *fields) + name) * count
    start, length = len(local), len(entries)
    end = (claimed, claimed, length, start)
    more = b""
    if zip64:
        more = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, *end)
        more += struct.pack("<4sIQI", b"PK\6\7", 0, start + length, 1)
        end = (0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    last = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, *end, 0)
    archive.write_bytes(local + entries + more + last)


@pytest.mark.parametrize(
    ("count", "claimed", "name", "zip64"),
    [
        (300, 300, b"a", False),
        (300, 1, b"a", False),
        (30_000, 30_000, b"a", True),
        (30_000, 1, b"a", True),
        (30, 30, b"a" * 60_000, False),  # few, and long
    ],
)
def test_a_directory_of_too_many_entries_is_not_read(
    archive, tmp_path, monkeypatch, count, claimed, name, zip64
):
    directory(archive, count, claimed=claimed, name=name, zip64=zip64)
    with zipfile.ZipFile(archive) as file:
        assert len(file.infolist()) == count  # Python's own reader takes it
    monkeypatch.setattr(zipfile.ZipInfo, "__init__", lambda *_: pytest.fail("an entry was read"))
    with pytest.raises(SourceError, match=r"more than 10 files.*max_files"):
        unpack(archive, tmp_path / "t", max_files=10)
    assert not (tmp_path / "t").exists()


def test_the_leavings_of_macos_count_for_little(archive, tmp_path):
    with zipfile.ZipFile(archive, "w") as file:
        for number in range(10):
            file.writestr(f"f{number}", "1")
            file.writestr(f"__MACOSX/._f{number}", "1")
    unpack(archive, tmp_path / "t", max_files=10)
    assert len(os.listdir(tmp_path / "t")) == 10


def test_a_zip64(archive, tmp_path):
    directory(archive, 1, claimed=1, zip64=True)
    unpack(archive, tmp_path / "t", max_files=10)
    assert os.listdir(tmp_path / "t") == ["a"]


def test_a_file_that_looks_like_a_directory(archive, tmp_path):
    entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", *[0] * 16)
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a", entry * 1000)
    unpack(archive, tmp_path / "t", max_files=10)
    assert (tmp_path / "t/a").read_bytes() == entry * 1000
