from __future__ import annotations

import errno
import io
import os
import unicodedata

import pytest

from kitbox.sources.room import Limits, Refused, Room


@pytest.fixture
def room(tmp_path):
    folder = tmp_path / "room"
    folder.mkdir()
    return Room(folder, Limits(bytes=100, files=10))


def test_place(room):
    assert room.place("./a//b/") == ("a", "b")
    assert room.place("./") is None
    assert room.place("a/._b") is None
    assert room.place("a..b") == ("a..b",)
    for name in ("/a", "..", "a/../b", "a\0b", "é" * 128):
        with pytest.raises(Refused):
            room.place(name)


def test_a_file_that_ends_early(room):
    with pytest.raises(EOFError, match="lacks 3 of 5"):
        room.add_file(("a",), io.BytesIO(b"12"), 5, 0)


def test_a_file_that_goes_on_is_cut(room):
    room.add_file(("a",), io.BytesIO(b"12345"), 2, 0)
    assert (room.folder / "a").read_bytes() == b"12"


@pytest.mark.parametrize("time", [-1.0, float("nan"), float("inf"), 1e30])
def test_times_that_make_no_sense_are_dropped(room, time):
    room.add_file(("a",), io.BytesIO(b""), 0, time)
    assert (room.folder / "a").stat().st_mtime > 1_600_000_000


def test_hard_links_where_the_drive_has_none(room, monkeypatch):
    def none(*_):
        raise OSError(errno.EPERM, "no")

    monkeypatch.setattr(os, "link", none)
    room.add_file(("a",), io.BytesIO(b"12"), 2, 0)
    room.add_hard_link(("b",), ("a",))
    assert (room.folder / "b").read_bytes() == b"12"


def test_no_link_exists_before_the_end(room):
    room.add_file(("a",), io.BytesIO(b""), 0, 0)
    room.add_link(("l",), "a")
    assert os.listdir(room.folder) == ["a"]
    room.finish()
    assert sorted(os.listdir(room.folder)) == ["a", "l"]


@pytest.mark.parametrize("to", ["/etc", "..", "../x", "b/../../x"])
def test_links_outside_are_refused_by_their_words(room, to):
    room.add_link(("a", "fine"), "../x")
    with pytest.raises(Refused, match="leads outside"):
        room.add_link(("l",), to)


def test_an_empty_room_is_refused(room):
    room.add_folder(("a",))
    with pytest.raises(Refused, match="no file"):
        room.finish()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("A.jpg",), ("a.jpg",)),
        (("caf\u00e9.jpg",), ("cafe\u0301.jpg",)),
        (("Top", "1.jpg"), ("top", "2.jpg")),
    ],
)
def test_names_that_some_disks_take_for_one(room, monkeypatch, first, second):
    """Both are kept where the disk tells them apart; else neither replaces the other."""
    room.add_file(first, io.BytesIO(b"1"), 1, 0)
    room.add_file(second, io.BytesIO(b"2"), 1, 0)
    assert room.folder.joinpath(*first).read_bytes() == b"1"
    assert room.folder.joinpath(*second).read_bytes() == b"2"

    other = room.folder / "other"
    other.mkdir()
    careless = Room(other, Limits(bytes=100, files=10))

    def path(self, steps):  # as on the disks of macOS and Windows
        return other.joinpath(*unicodedata.normalize("NFC", "/".join(steps)).lower().split("/"))

    monkeypatch.setattr(Room, "_path", path)
    careless.add_file(first, io.BytesIO(b"1"), 1, 0)
    careless.add_file(first, io.BytesIO(b"1"), 1, 0)  # the same name once more replaces
    with pytest.raises(Refused, match="two names that are one on this disk"):
        careless.add_file(second, io.BytesIO(b"2"), 1, 0)
    assert path(careless, first).read_bytes() == b"1"
