from __future__ import annotations

import threading
import time
from collections import Counter

import pytest

from kitbox.sources.replies import Again
from kitbox.sources.web.crew import Crew, Limits
from kitbox.sources.web.fetching import Failed, Moved, Unknown, Unreached
from kitbox.sources.web.guard import Refused
from kitbox.sources.web.journal import Record
from kitbox.sources.web.line import Job


class Hand:
    """Fetches nothing, and does with each address what its plan says, try by try."""

    def __init__(self, **plan):
        self.plan, self.tries, self.kept, self.lock = plan, Counter(), {}, threading.Lock()
        self.now, self.most = Counter(), Counter()

    def __call__(self, job, watch):
        address, site = job.address, job.site
        with self.lock:
            self.tries[address] += 1
            self.now[site] += 1
            self.most[site] = max(self.most[site], self.now[site])
            turn = self.tries[address] - 1
        try:
            steps = self.plan.get(address.partition("/")[2], self.plan.get(site, []))
            if turn < len(steps):
                time.sleep(0.005)
                raise steps[turn]
            return Record(address, "arrived", bytes=10)
        finally:
            with self.lock:
                self.now[site] -= 1

    def keep(self, record):
        with self.lock:
            assert record.address not in self.kept
            self.kept[record.address] = record

    def work(self, addresses, **limits):
        jobs = [Job(address, address.partition("/")[0]) for address in addresses]
        steps = []
        limits = Limits(**{"wait": 0.01, "threads": 8, **limits})
        why = Crew(jobs, self, self.keep, limits).work(steps.append)
        return why, sum(steps)


def test_tries_until_it_works_or_the_tries_are_used_up():
    again = [Again("busy")] * 9
    hand = Hand(once=again[:1], never=again, no=[Failed("404")], rule=[Refused("private")])
    addresses = [f"a/{name}" for name in ("fine", "once", "never", "no", "rule")]
    why, _ = hand.work(addresses, tries=3)
    assert why == ""
    found = {a[2:]: (r.status, r.reason, r.tries) for a, r in hand.kept.items()}
    assert found == {
        "fine": ("arrived", "", 1),
        "once": ("arrived", "", 2),
        "never": ("failed", "busy", 3),
        "no": ("failed", "404", 1),
        "rule": ("refused", "private", 1),
    }


def test_the_limit_per_host_holds():
    hand = Hand(a=[Again("busy")], b=[Again("busy")])
    hand.work([f"{site}/{n}" for site in "ab" for n in range(100)], per_site=3, threads=16)
    assert hand.most["a"] <= 3
    assert hand.most["b"] <= 3
    assert {r.status for r in hand.kept.values()} == {"arrived"}
    assert len(hand.kept) == 200


def test_a_pause_that_is_asked_for_is_kept():
    hand = Hand(once=[Again("429", wait=0.4)])
    began = time.monotonic()
    hand.work(["a/once", "a/fine"], threads=1)
    assert time.monotonic() - began > 0.35
    assert hand.kept["a/fine"].status == "arrived"


def test_too_long_a_pause_gives_the_host_up_and_no_other():
    hand = Hand(a=[Again("429", wait=3600)])
    hand.work([*(f"a/{n}" for n in range(20)), "b/1"], per_site=1)
    states = Counter(record.status for record in hand.kept.values())
    assert states == {"failed": 1, "not-asked": 19, "arrived": 1}
    assert "60 minutes" in hand.kept["a/0"].reason
    assert hand.tries.total() == 2


def test_a_host_where_nobody_answers_is_given_up():
    hand = Hand(a=[Unreached("no way")] * 9)
    hand.work([*(f"a/{n}" for n in range(500)), "b/1"], per_site=2)
    assert hand.tries.total() < 50
    assert len(hand.kept) == 501
    assert hand.kept["b/1"].status == "arrived"


def test_a_host_that_answered_once_is_not_given_up():
    hand = Hand(**{str(n): [Unreached("no way")] for n in range(1, 60)})
    hand.work([f"a/{n}" for n in range(60)], per_site=1)
    assert {record.status for record in hand.kept.values()} == {"arrived"}


@pytest.mark.parametrize("trouble", [Unreached, Unknown])
def test_without_internet_it_ends_soon(trouble):
    plan = {f"s{n}": [trouble("nobody")] * 9 for n in range(1000)}
    hand = Hand(**plan)
    why, _ = hand.work([f"s{n}/x" for n in range(1000)], tries=2)
    assert why == "no server could be reached"
    assert hand.tries.total() < 200


def test_refusals_say_nothing_of_the_internet():
    hand = Hand(**{f"s{n}": [Refused("private")] for n in range(100)})
    why, _ = hand.work([*(f"s{n}/x" for n in range(100)), "good/x"], threads=1)
    assert why == ""
    assert hand.kept["good/x"].status == "arrived"


def test_time_and_room_for_all():
    hand = Hand(a=[Again("busy", wait=200.0)])
    began = time.monotonic()
    why, _ = hand.work(["a/1"], seconds=0.3)
    assert "the time for all" in why
    assert time.monotonic() - began < 30
    assert hand.kept == {}
    hand = Hand()
    why, shown = hand.work([f"a/{n}" for n in range(1000)], most_bytes=100, threads=2)
    assert "the room for all" in why
    assert 11 <= len(hand.kept) <= 14
    assert shown <= len(hand.kept)


def test_an_error_of_our_own_ends_it_and_is_raised():
    hand = Hand(bad=[MemoryError("ours")])
    with pytest.raises(MemoryError, match="ours"):
        hand.work([*(f"a/{n}" for n in range(10)), "a/bad", *(f"b/{n}" for n in range(10))])


def test_nothing_to_do():
    assert Hand().work([]) == ("", 0)


class Mover(Hand):
    """As `Hand`, with addresses of the host `a` that redirect to `b`."""

    def __call__(self, job, watch):
        if job.site == "a":
            raise Moved(f"b/{job.address[2:]}", "b", job.hops + 1)
        return super().__call__(job, watch)


def test_hosts_that_redirects_name_have_the_limit_and_the_pause():
    hand = Mover(once=[Again("429", wait=0.4)])
    addresses = ["a/once", *(f"a/{n}" for n in range(40)), *(f"b/{n}" for n in range(40))]
    why, _ = hand.work(addresses, per_site=2, threads=16)
    assert why == ""
    assert {record.status for record in hand.kept.values()} == {"arrived"}
    assert hand.kept["a/once"].tries == 2
    assert hand.kept["a/7"].tries == 1
    assert hand.most["b"] <= 2


def test_a_host_that_redirects_name_is_given_up_and_not_the_one_that_they_are_of():
    hand = Mover(b=[Again("429", wait=3600)] * 9)
    hand.work([*(f"a/{n}" for n in range(50)), *(f"b/{n}" for n in range(50))], per_site=2)
    states = Counter(record.status for record in hand.kept.values())
    assert states.total() == 100
    assert states["not-asked"] >= 96
    assert hand.tries.total() <= 4
