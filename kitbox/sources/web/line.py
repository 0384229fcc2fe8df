"""Who is asked next: hosts in turn, only so many requests at once to one, none before its time."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

_AWAY = 4  # times the jobs at once: so many of a host may wait at others, before more are asked
_FIRST = -1.0  # before all that a host was given by itself


@dataclass
class Job:
    """An address to fetch.

    Attributes:
        address: the address.
        site: the host and port that is asked next: the address's own, or one that a
            redirect named.
        tries: how often it was tried.
        at: where redirects have led; '' at the beginning of a try.
        hops: how many redirects that were.
    """

    address: str
    site: str
    tries: int = 0
    at: str = ""
    hops: int = 0

    def __post_init__(self) -> None:
        self.home = self.site


@dataclass
class _Site:
    waiting: list[tuple[float, int, Job]] = field(default_factory=list)  # a heap
    active: int = 0
    away: int = 0  # its jobs that wait for their turn at another host
    pause: float = 0.0  # nobody before this time
    ticket: int = 0  # the offer that counts; older ones are void


class Line:
    """Jobs, handed to threads. Every job taken is given back by `done`, `again` or `move`."""

    def __init__(self, jobs: Iterable[Job], *, per_site: int) -> None:
        self._changed = threading.Condition()
        self._per_site = per_site
        self._count = itertools.count()
        self._sites: dict[str, _Site] = {}
        self._offers: list[tuple[float, int, int, _Site]] = []  # a heap
        self._left = 0
        self._closed = False
        for job in jobs:
            site = self._sites.setdefault(job.site, _Site())
            heapq.heappush(site.waiting, (0.0, next(self._count), job))
            self._left += 1
        for site in self._sites.values():
            self._offer(site)

    def take(self) -> Job | None:
        """The next job, as soon as there is one; None when no more will come."""
        with self._changed:
            while self._left and not self._closed:
                while self._offers and self._offers[0][2] != self._offers[0][3].ticket:
                    heapq.heappop(self._offers)
                wait = self._offers[0][0] - time.monotonic() if self._offers else None
                if wait is not None and wait <= 0:
                    site = heapq.heappop(self._offers)[3]
                    site.active += 1
                    job = heapq.heappop(site.waiting)[2]
                    self._offer(site)
                    self._arrive(job)
                    return job
                self._changed.wait(wait)
            return None

    def done(self, job: Job) -> None:
        """The job came to its end."""
        with self._changed:
            self._left -= 1
            self._free(job)

    def again(self, job: Job, wait: float, *, all_of_site: bool = False) -> None:
        """The job is to be tried again after `wait` seconds, from its beginning.

        Args:
            job: the job.
            wait: seconds.
            all_of_site: the host that was asked wants the pause, so it counts for all of
                its jobs.
        """
        with self._changed:
            asked = self._sites[job.site]
            when = time.monotonic() + wait
            if all_of_site:
                asked.pause = max(asked.pause, when)
            self._free(job)
            job.site, job.at, job.hops = job.home, "", 0
            self._wait(job, when)

    def move(self, job: Job, site: str, at: str, hops: int) -> None:
        """The job goes on at another host, before those that have not begun.

        Where redirects lead is often an address that expires.
        """
        with self._changed:
            self._sites[job.home].away += 1
            self._free(job)
            job.site, job.at, job.hops = site, at, hops
            self._wait(job, _FIRST)

    def give_up(self, site: str) -> list[Job]:
        """Take all waiting jobs of a host out of the line and return them."""
        with self._changed:
            one = self._sites[site]
            jobs = [job for _, _, job in sorted(one.waiting, key=lambda entry: entry[1])]
            one.waiting.clear()
            one.ticket += 1
            self._left -= len(jobs)
            for job in jobs:
                self._arrive(job)
            self._changed.notify_all()
            return jobs

    def close(self) -> None:
        """Hand out nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _arrive(self, job: Job) -> None:
        """A job that a redirect sent waits no more; its own host may be asked for another."""
        if job.hops:
            home = self._sites[job.home]
            home.away -= 1
            self._offer(home)
            self._changed.notify_all()

    def _wait(self, job: Job, when: float) -> None:
        site = self._sites.setdefault(job.site, _Site())
        heapq.heappush(site.waiting, (when, next(self._count), job))
        self._offer(site)
        self._changed.notify_all()

    def _free(self, job: Job) -> None:
        site = self._sites[job.site]
        site.active -= 1
        self._offer(site)
        self._changed.notify_all()

    def _offer(self, site: _Site) -> None:
        """Put the host in the line, if it has a job that may be taken, now or later."""
        site.ticket += 1
        if not site.waiting or site.active >= self._per_site:
            return
        begun = site.waiting[0][2].hops
        if begun or site.away < _AWAY * self._per_site:
            when = max(site.pause, site.waiting[0][0])
            heapq.heappush(self._offers, (when, next(self._count), site.ticket, site))
