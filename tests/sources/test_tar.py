from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile

import pytest

from kitbox.errors import SourceError
from kitbox.sources.archive import unpack


def entry(name, kind=tarfile.REGTYPE, link="", content=b"", mode=0o644):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size, info.mode = kind, link, len(content), mode
    return info, content


def file(name, content=b"x", mode=0o644):
    return entry(name, content=content, mode=mode)


def link(name, to):
    return entry(name, tarfile.SYMTYPE, to)


def hard(name, to):
    return entry(name, tarfile.LNKTYPE, to)


@pytest.fixture
def run(tmp_path):
    """Unpack a tar of these entries; the folder outside must stay as it is."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    number = iter(range(100))

    def run(*entries, **limits):
        archive = tmp_path / "a.tar"
        with tarfile.open(archive, "w", format=tarfile.GNU_FORMAT) as tar:
            for info, content in entries:
                tar.addfile(info, io.BytesIO(content))
        target = tmp_path / f"out{next(number)}" / "t"
        try:
            return unpack(archive, target, **limits)
        finally:
            assert [p.name for p in outside.iterdir()] == ["secret"]
            assert (outside / "secret").read_bytes() == b"secret"
            assert {p.name for p in target.parent.iterdir()} <= {".t.lock", "t"}

    return run


HOSTILE = {
    "link outside": [link("l", "../../outside")],
    "link outside, absolute": [link("l", "/etc")],
    "file through a link outside": [link("l", "../../outside"), file("l/evil")],
    "file through a link inside": [file("d/a"), link("l", "d"), file("l/evil")],
    "file in the place of a link": [file("a"), link("l", "a"), file("l", b"evil")],
    "folder in the place of a link": [file("d/a"), link("l", "d"), entry("l", tarfile.DIRTYPE)],
    "link in the place of a file": [file("a"), file("l"), link("l", "a")],
    "link in the place of a folder": [file("d/a"), link("d", "../../outside")],
    "two links of one name": [file("a"), file("b"), link("l", "a"), link("l", "b")],
    "a link that leaves through a link": [
        file("d/e/f"),
        link("l", "d/e"),
        link("m", "l/../../../../outside"),
    ],
    "a link that leaves through a deep link": [
        file("d/e/f"),
        file("x/y/z"),
        link("x/y/up", "../../d/.."),
        link("x/y/m", "up/../../outside/secret"),
    ],
    "hard link outside": [hard("h", "../../outside/secret")],
    "hard link outside, absolute": [hard("h", "/etc/passwd")],
    "hard link to a link": [file("a"), link("l", "a"), hard("h", "l")],
    "hard link through a link": [file("d/a"), link("l", "d"), hard("h", "l/a")],
    "hard link to nothing": [file("a"), hard("h", "b")],
    "hard link to a folder": [file("d/a"), hard("h", "d")],
    "character device": [entry("c", tarfile.CHRTYPE)],
    "block device": [entry("b", tarfile.BLKTYPE)],
    "a kind nobody knows": [entry("z", b"Z")],
    "pipe": [entry("p", tarfile.FIFOTYPE)],
    "link to nothing at all": [link("l", "")],
    "link to a name that is too long": [link("l", "x/" * 2000)],
}


@pytest.fixture(params=["with tarfile's filters", "without"])
def filters(request, monkeypatch):
    """Python 3.11.0 to 3.11.3 has no filters of tarfile's."""
    if request.param == "without":
        monkeypatch.delattr(tarfile, "data_filter")
        monkeypatch.delattr(tarfile, "FilterError")


@pytest.mark.usefixtures("filters")
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile(run, name):
    with pytest.raises(SourceError, match="refused"):
        run(file("good"), *HOSTILE[name])


@pytest.mark.usefixtures("filters")
def test_good_links_stay(run):
    target = run(
        file("d/a", b"1"),
        link("before", "later"),
        file("later", b"2"),
        link("d/up", "../later"),
        link("folder", "d"),
        hard("d/h", "d/a"),
    )
    assert (target / "before").read_bytes() == b"2"
    assert (target / "d/up").read_bytes() == b"2"
    assert (target / "folder/a").read_bytes() == b"1"
    assert (target / "d/h").samefile(target / "d/a")


def test_links_that_lead_nowhere_are_left_out(run, caplog):
    target = run(file("a"), link("gone", "b"), link("loop", "loop"), link("chain", "gone"))
    assert os.listdir(target) == ["a"]
    assert "gone" in caplog.text


def test_a_later_file_replaces_and_leaves_second_names_alone(run):
    target = run(file("a", b"old"), hard("h", "a"), file("a", b"new"))
    assert (target / "a").read_bytes() == b"new"
    assert (target / "h").read_bytes() == b"old"


def test_a_hard_link_to_itself(run):
    assert (run(file("a", b"1"), hard("a", "a")) / "a").read_bytes() == b"1"


def test_hard_links_count_as_bytes(run):
    entries = [file("a", bytes(1000)), *(hard(f"h{n}", "a") for n in range(9))]
    run(*entries, max_bytes=10_000)
    with pytest.raises(SourceError, match="max_gb"):
        run(*entries, max_bytes=9_999)


def test_permissions_are_not_the_archives(run):
    target = run(
        entry("d", tarfile.DIRTYPE, mode=0o000), file("d/a", mode=0o6755), file("b", mode=0o000)
    )
    assert stat.S_IMODE((target / "d").stat().st_mode) & 0o700 == 0o700
    for name in ("d/a", "b"):
        mode = stat.S_IMODE((target / name).stat().st_mode)
        assert mode & 0o600 == 0o600
        assert mode & 0o7111 == 0


def header(kind, size, name="x"):
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_fills_the_memory(tmp_path, kind):
    size = 200 << 20
    with gzip.open(tmp_path / "a", "wb", compresslevel=1) as archive:
        archive.write(header(kind, size))
        for _ in range(200):
            archive.write(b"0" * (1 << 20))
    with pytest.raises(SourceError, match="a header of"):
        unpack(tmp_path / "a", tmp_path / "t")


def test_a_negative_size(tmp_path):
    (tmp_path / "a").write_bytes(header(tarfile.REGTYPE, -512) * 3 + bytes(1024))
    with pytest.raises(SourceError, match="broken"):
        unpack(tmp_path / "a", tmp_path / "t")


def test_a_size_that_is_a_lie(tmp_path):
    (tmp_path / "a").write_bytes(header(tarfile.REGTYPE, 10**15) + bytes(1024))
    with pytest.raises(SourceError, match="max_gb"):
        unpack(tmp_path / "a", tmp_path / "t")
    (tmp_path / "a").write_bytes(header(tarfile.REGTYPE, 10**6) + bytes(1024))
    with pytest.raises(SourceError, match="broken"):
        unpack(tmp_path / "a", tmp_path / "t")


def test_a_broken_header_in_the_middle_is_not_the_end(tmp_path):
    good = header(tarfile.REGTYPE, 0, "a")
    (tmp_path / "a").write_bytes(good + b"garbage".ljust(512, b"!") + good + bytes(1024))
    with pytest.raises(SourceError, match="no entry at byte 512"):
        unpack(tmp_path / "a", tmp_path / "t")


def test_an_end_without_its_mark_is_an_end(tmp_path):
    (tmp_path / "a").write_bytes(header(tarfile.REGTYPE, 0, "a"))
    unpack(tmp_path / "a", tmp_path / "t")
    assert os.listdir(tmp_path / "t") == ["a"]


def test_zeros_after_the_end_are_counted(tmp_path):
    with gzip.open(tmp_path / "a", "wb", compresslevel=1) as archive:
        archive.write(header(tarfile.REGTYPE, 0, "a") + bytes(1024))
        for _ in range(40):
            archive.write(bytes(1 << 20))
    with pytest.raises(SourceError, match="more bytes between"):
        unpack(tmp_path / "a", tmp_path / "t", max_bytes=1 << 20, max_files=10)


def test_members_are_not_kept(tmp_path, monkeypatch):
    with tarfile.open(tmp_path / "a", "w") as tar:
        for number in range(50):
            info, content = file(f"f{number}")
            tar.addfile(info, io.BytesIO(content))
    most = []
    original = tarfile.TarFile.next

    def watched(self):
        member = original(self)
        most.append(len(self.members))
        return member

    monkeypatch.setattr(tarfile.TarFile, "next", watched)
    unpack(tmp_path / "a", tmp_path / "t")
    assert len(os.listdir(tmp_path / "t")) == 50
    assert max(most) == 1
