from __future__ import annotations

import threading
import time
from collections import Counter

from kitbox.sources.web.line import Job, Line


def jobs(**sites):
    return [Job(f"{site}{n}", site) for site, count in sites.items() for n in range(count)]


def test_hosts_take_turns_and_each_has_its_limit():
    line = Line(jobs(a=5, b=2, c=1), per_site=2)
    taken = [line.take() for _ in range(5)]
    assert [job.address for job in taken] == ["a0", "b0", "c0", "a1", "b1"]
    got = []
    thread = threading.Thread(target=lambda: got.append(line.take()))
    thread.start()
    time.sleep(0.1)
    assert got == []  # only `a` has jobs left, and two of them are under way
    line.done(taken[0])
    thread.join(2)
    assert got[0].address == "a2"


def test_every_job_is_handed_out_once_whatever_the_threads_do():
    many = [Job(f"{n}", f"site{n % 7}") for n in range(2000)]
    line, seen, lock, now, most = Line(many, per_site=3), Counter(), threading.Lock(), Counter(), {}

    def work():
        while (job := line.take()) is not None:
            job.tries += 1
            with lock:
                now[job.site] += 1
                most[job.site] = max(most.get(job.site, 0), now[job.site])
            with lock:
                now[job.site] -= 1
            if job.tries == 1 and int(job.address) % 5 == 0:
                line.again(job, 0.01)
            else:
                with lock:
                    seen[job.address] += 1
                line.done(job)

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert seen == Counter(job.address for job in many)
    assert max(most.values()) <= 3


def test_a_pause_holds_one_job_or_all_of_its_host():
    line = Line(jobs(a=3, b=1), per_site=3)
    first, other = line.take(), line.take()
    began = time.monotonic()
    line.done(other)
    line.again(first, 3)
    second = line.take()
    assert second.address == "a1"
    assert time.monotonic() - began < 2.5
    line.again(second, 0.4, all_of_site=True)
    # `a2` was not asked for yet, and waits with its host.
    assert line.take().address == "a2"
    assert time.monotonic() - began > 0.35
    assert [line.take().address for _ in range(2)] == ["a1", "a0"]


def test_giving_up_a_host_and_closing():
    line = Line(jobs(a=4, b=2), per_site=1)
    one = line.take()
    assert [job.address for job in line.give_up("a")] == ["a1", "a2", "a3"]
    line.done(one)
    last = line.take()
    assert last.address == "b0"
    line.close()
    assert line.take() is None
    assert Line([], per_site=1).take() is None


def test_the_last_job_ends_the_wait_of_the_others():
    line = Line(jobs(a=1), per_site=1)
    job, got = line.take(), []
    thread = threading.Thread(target=lambda: got.append(line.take()))
    thread.start()
    line.done(job)
    thread.join(2)
    assert got == [None]


def test_many_hosts_cost_little():
    line = Line([Job(str(n), str(n)) for n in range(50_000)], per_site=4)
    asked = 0  # a cost that grew with the square of the hosts would take minutes
    while (job := line.take()) is not None:
        line.done(job)
        asked += 1
    assert asked == 50_000


def test_a_redirect_waits_its_turn_at_the_host_that_it_names():
    line = Line(jobs(a=2, b=3), per_site=1)
    a, b = line.take(), line.take()
    line.move(a, "b", "b/x", 1)
    assert line.take().address == "a1"  # `a` is free again, `b` is not
    line.done(b)
    moved = line.take()
    assert (moved.address, moved.at, moved.hops) == ("a0", "b/x", 1)  # before b1, b2
    line.again(moved, 0.3, all_of_site=True)  # `b` asks for a pause
    assert (moved.site, moved.at, moved.hops) == ("a", "", 0)
    began = time.monotonic()
    assert line.take().address == "b1"
    assert time.monotonic() - began > 0.25


def test_only_so_many_wait_elsewhere_and_all_come_to_their_end():
    line = Line(jobs(a=20, b=20), per_site=1)
    taken = line.take(), line.take()
    assert [job.site for job in taken] == ["a", "b"]
    for _ in range(3):
        line.move(taken[0], "b", "b/x", 1)
        taken = line.take(), taken[1]
    line.move(taken[0], "b", "b/x", 1)
    got = []
    thread = threading.Thread(target=lambda: got.append(line.take()))
    thread.start()
    time.sleep(0.1)
    assert got == []  # four of `a` wait at `b`, which is busy
    line.done(taken[1])
    thread.join(2)
    assert got[0].home == "a"
    assert line.take().site == "a"


def test_hosts_that_send_each_other_their_jobs_do_not_stick():
    other = {"a": "b", "b": "c", "c": "a"}
    line, ended, lock = Line(jobs(a=300, b=300, c=300), per_site=2), Counter(), threading.Lock()

    def work():
        while (job := line.take()) is not None:
            if job.hops < 3:
                line.move(job, other[job.site], "x", job.hops + 1)
            elif job.tries == 0:
                job.tries = 1
                line.again(job, 0.001)
            else:
                with lock:
                    ended[job.address] += 1
                line.done(job)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(ended) == 900
    assert set(ended.values()) == {1}


def test_giving_up_a_host_takes_what_others_sent():
    line = Line(jobs(a=6), per_site=1)
    for _ in range(4):
        line.move(line.take(), "b", "b/x", 1)
        assert len(line.give_up("b")) == 1
    line.done(line.take())
    line.done(line.take())
    assert line.take() is None
