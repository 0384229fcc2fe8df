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
