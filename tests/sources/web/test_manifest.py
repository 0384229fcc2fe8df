from __future__ import annotations

import csv
import random

import pytest

from kitbox.data.looks import look
from kitbox.sources.web import manifest
from kitbox.sources.web.journal import Record
from kitbox.sources.web.lists import Wanted
from kitbox.sources.web.places import name
from sources.web.serving import picture


@pytest.fixture
def folder(tmp_path):
    (tmp_path / manifest.ARRIVED).mkdir()
    return tmp_path


def arrive(folder, address, content):
    """A picture that has just arrived, and its record."""
    file = f"{name(address)}.jpg"
    path = folder / manifest.ARRIVED / file
    path.write_bytes(content)
    return Record(address, "arrived", file=file, bytes=len(content), tries=1, look=look(path))


def pictures(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.jpg") if path.is_file()}


def scene(folder):
    records = [
        arrive(folder, "http://a/1", picture(1)),
        arrive(folder, "http://a/2", picture(2)),
        arrive(folder, "http://a/1copy", picture(1)),
        arrive(folder, "http://a/1near", picture(1, 50, 80)),
        arrive(folder, "http://a/1nearcopy", picture(1, 50, 80)),
        Record("http://a/none", "failed", "404", tries=3),
    ]
    labels = ("x", "x", "x", "y", "y", "y")
    wanted = [Wanted(record.address, label) for record, label in zip(records, labels, strict=True)]
    wanted += [Wanted("http://a/1", "y"), Wanted("http://a/none", "x"), Wanted("http://a/new", "x")]
    return wanted, {record.address: record for record in records}


@pytest.mark.parametrize(("drop", "aside"), [("near", (2, 3, 4)), ("exact", (2, 4)), ("none", ())])
def test_every_address_has_a_row_and_every_file_its_place(folder, drop, aside):
    wanted, records = scene(folder)
    rows = manifest.judge(wanted, records, drop=drop, why="time was up")
    assert [row.address for row in rows] == [one.address for one in wanted]
    assert [row.label for row in rows] == [one.label for one in wanted]
    states = ["ok", "ok", "duplicate", "near-duplicate", "duplicate", "failed"]
    assert [row.status for row in rows] == [*states, "duplicate", "failed", "not-asked"]
    assert [n for n, row in enumerate(rows) if row.is_aside] == list(aside)
    assert [n for n, row in enumerate(rows) if row.clash] == [3, 6]
    assert rows[2].reason == f"of {rows[0].file}"
    assert rows[4].reason == f"of {rows[3].file}"
    assert rows[6].file == rows[0].file
    assert (rows[5].reason, rows[7].reason, rows[8].reason) == ("404", "404", "time was up")
    manifest.place(folder, rows)
    assert pictures(folder) == {row.file for row in rows if row.file}
    shown = {f"x/{name('http://a/1')}.jpg", f"x/{name('http://a/2')}.jpg"}
    shown |= {
        wanted[n].label + "/" + name(wanted[n].address) + ".jpg"
        for n in (2, 3, 4)
        if n not in aside
    }
    assert {path for path in pictures(folder) if path[0] != "."} == shown


def test_the_order_of_arrival_does_not_matter(folder):
    wanted, records = scene(folder)
    rows = manifest.judge(wanted, records, drop="near")
    for seed in range(5):
        mixed = list(records.items())
        random.Random(seed).shuffle(mixed)
        assert manifest.judge(wanted, dict(mixed), drop="near") == rows


def test_files_follow_edited_lists_and_nothing_is_lost(folder):
    wanted, records = scene(folder)
    manifest.place(folder, manifest.judge(wanted, records, drop="near"))
    before = {path.rpartition("/")[2] for path in pictures(folder)}
    (folder / "x" / "mine.txt").write_text("a person's own")
    fewer = [Wanted("http://a/2", "z"), Wanted("http://a/1near", "x")]
    manifest.place(folder, manifest.judge(fewer, records, drop="near"))
    seen = {path for path in pictures(folder) if path[0] != "."}
    assert seen == {f"z/{name('http://a/2')}.jpg", f"x/{name('http://a/1near')}.jpg"}
    assert {path.rpartition("/")[2] for path in pictures(folder)} == before
    assert (folder / "x" / "mine.txt").exists()
    assert not (folder / "y").exists()
    assert set(manifest.present(folder)) == before


def test_a_list_without_classes_lies_at_the_top(folder):
    records = {"http://a/1": arrive(folder, "http://a/1", picture(1))}
    rows = manifest.judge([Wanted("http://a/1", "")], records, drop="near")
    manifest.place(folder, rows)
    assert pictures(folder) == {f"{name('http://a/1')}.jpg"}


def test_the_manifest_is_read_back(folder):
    odd = Wanted('http://a/"1",\n2', 'a "b", c')
    manifest.write(folder, manifest.judge([odd], {}, drop="near", why="é\n"))
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["address"], row["class"], row["reason"]) == (odd.address, odd.label, "é\n")
    assert ",".join(row) == "address,class,file,status,reason,bytes,width,height,tries"
