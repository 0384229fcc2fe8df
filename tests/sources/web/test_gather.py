"""What a second fetch does, after edits, kills and Ctrl-C; the whole way is in test_urls."""

from __future__ import annotations

import csv
import ipaddress
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import pytest

from kitbox.errors import SourceError, StorageError
from kitbox.sources.web import gather as module
from kitbox.sources.web.crew import Limits
from kitbox.sources.web.fetching import Rules
from kitbox.sources.web.gather import Settings, gather, is_settled
from kitbox.sources.web.lists import Wanted
from kitbox.sources.web.places import name
from sources.web.serving import serve

SETTINGS = Settings(
    rules=Rules(allowed=(ipaddress.ip_network("127.0.0.1/32"),), seconds=5, most_bytes=10**6),
    limits=Limits(threads=8, per_site=8, tries=2, wait=0.01, seconds=60, most_bytes=10**9),
    most_pixels=10**6,
    min_side=8,
    drop="near",
    least=0.1,
    again=True,
)
SCRIPT = """
import ipaddress, sys
from pathlib import Path
from dataclasses import replace
sys.path.insert(0, {tests!r})
from sources.web.test_gather import SETTINGS
from kitbox.sources.web.gather import gather
from kitbox.sources.web.lists import Wanted
settings = replace(SETTINGS, rules=replace(SETTINGS.rules, seconds=60))
gather(Path({folder!r}), [Wanted(a, "x") for a in sys.stdin.read().split()], settings)
"""


def wanted(web, *paths, label="x"):
    return [Wanted(f"{web.base}/{path}.jpg", label) for path in paths]


def rows(folder):
    with (folder / "manifest.csv").open(newline="") as file:
        return {row["address"].split("/", 3)[3]: row for row in csv.DictReader(file)}


def shown(folder):
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.jpg")
        if not path.relative_to(folder).parts[0].startswith(".")
    )


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "f"


def test_a_second_fetch_asks_nobody(web, folder):
    lists = wanted(web, "ok/1", "ok/2", "noai/3", "same/0", "same/3")
    assert not is_settled(folder, lists, SETTINGS)
    gather(folder, lists, SETTINGS)
    assert is_settled(folder, lists, SETTINGS)
    assert not is_settled(folder, lists[:1], SETTINGS)
    assert not is_settled(folder, lists, replace(SETTINGS, drop="none"))
    asked, first = web.total(), shown(folder)
    gather(folder, lists, SETTINGS)
    assert (web.total(), shown(folder)) == (asked, first)


def test_edited_lists_fetch_what_is_new_and_move_what_changed_class(web, folder):
    gather(folder, wanted(web, "ok/1", "ok/2", "ok/3"), SETTINGS)
    web.asked.clear()
    lists = [*wanted(web, "ok/2", label="y"), *wanted(web, "ok/3", "ok/4")]
    gather(folder, lists, SETTINGS)
    assert web.asked == Counter({"/ok/4.jpg": 1})
    expected = [f"{one.label}/{name(one.address)}.jpg" for one in lists]
    assert shown(folder) == sorted(expected)
    gather(folder, wanted(web, "ok/1", "ok/2", "ok/3"), SETTINGS)  # back again: nothing was lost
    assert web.asked == Counter({"/ok/4.jpg": 1})


def test_files_that_are_gone_or_cut_are_fetched_again(web, folder):
    lists = wanted(web, "ok/1", "ok/2", "ok/3")
    gather(folder, lists, SETTINGS)
    web.asked.clear()
    (folder / "x" / f"{name(lists[0].address)}.jpg").unlink()
    cut = folder / "x" / f"{name(lists[1].address)}.jpg"
    cut.write_bytes(cut.read_bytes()[:100])
    gather(folder, lists, SETTINGS)
    assert set(web.asked) == {"/ok/1.jpg", "/ok/2.jpg"}
    assert {row["status"] for row in rows(folder).values()} == {"ok"}


def test_what_a_killed_fetch_left_of_other_lists_is_removed(web, folder):
    stale = folder / ".arriving" / "0123456789abcdef0123.part"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"half a picture")
    gather(folder, wanted(web, "ok/1"), SETTINGS)
    assert not stale.exists()


def test_refusals_stand_until_the_rules_change(web, folder):
    lists = wanted(web, "ok/1", "noai/2", "huge/3", "bomb/4", "tiny/5")
    gather(folder, lists, SETTINGS)
    assert Counter(row["status"] for row in rows(folder).values()) == {"ok": 1, "refused": 4}
    web.asked.clear()
    gather(folder, lists, replace(SETTINGS, rules=replace(SETTINGS.rules, robots=False)))
    assert set(web.asked) == {"/noai/2.jpg", "/huge/3.jpg", "/bomb/4.jpg", "/tiny/5.jpg"}
    assert rows(folder)["noai/2.jpg"]["status"] == "ok"


def test_failures_may_be_left_alone(web, folder):
    lists = wanted(web, "ok/1", "down/2")
    gather(folder, lists, replace(SETTINGS, again=False))
    assert rows(folder)["down/2.jpg"]["tries"] == "2"
    web.asked.clear()
    web.healed = True
    gather(folder, lists, replace(SETTINGS, again=False))
    assert not web.asked
    gather(folder, lists, SETTINGS)
    assert rows(folder)["down/2.jpg"]["status"] == "ok"


def test_copies_come_back_when_they_are_wanted(web, folder):
    lists = wanted(web, "same/0", "same/3", "ok/5", "near/5")
    gather(folder, lists, SETTINGS)
    assert len(shown(folder)) == 2
    asked = web.total()
    gather(folder, lists, replace(SETTINGS, drop="exact"))
    assert len(shown(folder)) == 3
    gather(folder, lists, replace(SETTINGS, drop="none"))
    assert len(shown(folder)) == 4
    states = [row["status"] for row in rows(folder).values()]
    assert states == ["ok", "duplicate", "ok", "near-duplicate"]
    assert web.total() == asked


def test_too_few_is_an_error_and_loses_nothing(web, folder):
    lists = wanted(web, "ok/1", "missing/2", "missing/3")
    with pytest.raises(SourceError, match=r"1 of 3 .*404 Not Found \(2\).*manifest\.csv"):
        gather(folder, lists, replace(SETTINGS, least=0.5))
    assert len(shown(folder)) == 1
    assert not is_settled(folder, lists, replace(SETTINGS, least=0.5))
    gather(folder, lists, SETTINGS)
    assert web.asked["/ok/1.jpg"] == 1


def test_the_time_for_all_is_kept(web, folder):
    paths = [*(f"ok/{n}" for n in range(5)), *(f"drip/{n}" for n in range(20))]
    limits = replace(SETTINGS.limits, seconds=1.0, threads=6)
    began = time.monotonic()
    gather(folder, wanted(web, *paths), replace(SETTINGS, limits=limits))
    assert time.monotonic() - began < 30
    states = Counter(row["status"] for row in rows(folder).values())
    assert states == {"ok": 5, "not-asked": 20}
    assert "the time for all" in rows(folder)["drip/19.jpg"]["reason"]


def test_one_host_gets_no_more_at_once_than_it_should(web, folder):
    limits = replace(SETTINGS.limits, per_site=2, threads=16)
    gather(folder, wanted(web, *(f"slow/{n}" for n in range(8))), replace(SETTINGS, limits=limits))
    assert web.most_at_once <= 2


def test_the_limit_of_a_host_counts_what_redirects_bring(web, folder):
    limits = replace(SETTINGS.limits, per_site=2, threads=16)
    with serve() as first, serve() as second:
        first.other = second.other = web.base
        lists = [
            *wanted(first, *(f"away/slow/{n}" for n in range(6))),
            *wanted(second, *(f"away/slow/{n}" for n in range(6, 12))),
            *wanted(web, *(f"slow/{n}" for n in range(12, 16))),
        ]
        gather(folder, lists, replace(SETTINGS, limits=limits))
        assert first.total() == second.total() == 6
    assert web.total() == 16
    assert web.most_at_once <= 2
    assert len(shown(folder)) == 16


def test_a_full_disk_stops_it_and_what_came_is_kept(web, folder, monkeypatch):
    whole, count = os.replace, Counter()

    def replace_some(one, other):
        count["calls"] += 1
        if count["calls"] > 3:
            raise OSError(28, "No space left on device")
        whole(one, other)

    monkeypatch.setattr(module, "os", SimpleNamespace(replace=replace_some))
    lists = wanted(web, *(f"ok/{n}" for n in range(20)))
    with pytest.raises(StorageError, match="disk is full"):
        gather(folder, lists, SETTINGS)
    monkeypatch.undo()
    assert Counter(row["status"] for row in rows(folder).values()) == {"ok": 3, "not-asked": 17}
    gather(folder, lists, SETTINGS)
    assert len(shown(folder)) == 20


def start(folder, lists, before=""):
    tests = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    process = subprocess.Popen(
        [sys.executable, "-c", before + SCRIPT.format(tests=tests, folder=str(folder))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdin.write("\n".join(one.address for one in lists))
    process.stdin.close()
    process.stdin = None
    return process


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("after", [1, 9, 30])
def test_a_killed_fetch_goes_on_where_it_was(web, folder, after):
    lists = wanted(web, *(f"slow/{n}" for n in range(40)))
    process = start(folder, lists)
    wait_for(lambda: web.total() >= after)
    process.kill()
    process.communicate()
    time.sleep(0.3)  # what it had asked for when it was killed is counted late
    journal = folder / ".journal.jsonl"
    kept = journal.read_bytes().count(b'"arrived"') if journal.exists() else 0
    web.asked.clear()
    gather(folder, lists, SETTINGS)
    assert web.total() == 40 - kept
    assert len(shown(folder)) == 40
    assert not list((folder / ".arriving").iterdir())
    assert {row["status"] for row in rows(folder).values()} == {"ok"}


# As in a run: its handler lets the first signal pass (while it trains), the next interrupts.
RUNNING = """
from kitbox.stopping import Stop
stop = Stop().__enter__()
stop.asked = True
"""


@pytest.mark.parametrize(
    ("before", "number"),
    [("", signal.SIGINT), (RUNNING, signal.SIGINT), (RUNNING, signal.SIGTERM)],
    ids=["alone", "in a run", "SIGTERM in a run"],
)
def test_ctrl_c_ends_it_soon_and_loses_nothing(web, folder, before, number):
    lists = wanted(web, *(f"ok/{n}" for n in range(10)), *(f"drip/{n}" for n in range(30)))
    process = start(folder, lists, before)
    wait_for(lambda: sum("drip" in path for path in web.asked) >= 8)
    time.sleep(0.3)
    began = time.monotonic()
    process.send_signal(number)
    _, said = process.communicate(timeout=55)
    assert time.monotonic() - began < 40
    assert said.rstrip().endswith("KeyboardInterrupt")
    states = Counter(row["status"] for row in rows(folder).values())
    assert states == {"ok": 10, "not-asked": 30}
    assert len(shown(folder)) == 10
    web.asked.clear()
    arrived = wanted(web, *(f"ok/{n}" for n in range(10)))
    gather(folder, arrived, SETTINGS)
    assert not web.asked
    assert len(shown(folder)) == 10
