"""Threads that fetch many addresses: retries, limits in all, and a quick end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from kitbox.progress import Step
from kitbox.sources import replies
from kitbox.sources.replies import Again
from kitbox.sources.web.fetching import Failed, Moved, Unknown, Unreached
from kitbox.sources.web.guard import Refused
from kitbox.sources.web.journal import Record
from kitbox.sources.web.line import Job, Line
from kitbox.sources.web.watch import Watch

_DEAF = 8  # times in a row that nobody answers at a host that never has
_OFFLINE = (50, 8)  # so many tries at so many hosts, and never an answer: there is no internet
_LONGEST = 60.0  # seconds between two tries that the server did not ask for
_GRACE = 3.0  # seconds for threads to end


@dataclass(frozen=True)
class Limits:
    """How hard to try, and when to stop.

    Attributes:
        threads: addresses at once.
        per_site: addresses at once of one host.
        tries: for one address.
        wait: seconds before the second try; doubled for each later one.
        seconds: in all.
        most_bytes: in all.
    """

    threads: int = 16
    per_site: int = 4
    tries: int = 4
    wait: float = 1.0
    seconds: float = 7200.0
    most_bytes: int = 50 * 10**9


class Crew:
    """Works through jobs; each ends in a record, or is left when time or room runs out."""

    def __init__(
        self,
        jobs: Sequence[Job],
        bring: Callable[[Job, Watch], Record],
        keep: Callable[[Record], None],
        limits: Limits,
    ) -> None:
        """
        Args:
            jobs: what to fetch.
            bring: fetches one address; raises Refused, Failed, Again or Moved.
            keep: told every record, by several threads.
            limits: how hard to try.
        """
        self._bring, self._keep, self._limits = bring, keep, limits
        self._jobs = len(jobs)
        self._line = Line(jobs, per_site=limits.per_site)
        self._watch = Watch()
        self._lock = threading.Lock()
        self._bytes = 0
        self._ended = 0
        self._reached: set[str] = set()
        self._deaf: dict[str, int] = {}
        self._unheard = 0
        self._given_up: dict[str, str] = {}
        self._why = ""
        self._error: BaseException | None = None

    def work(self, step: Step) -> str:
        """Fetch until all is done; why it stopped before that, or ''.

        Ctrl-C ends the connections and is raised at once; what was kept is kept.
        """
        until = time.monotonic() + self._limits.seconds
        threads = [
            threading.Thread(target=self._work, name=f"kitbox-fetch-{n}", daemon=True)
            for n in range(min(self._limits.threads, self._jobs))
        ]
        with self._watch:
            try:
                for thread in threads:
                    thread.start()
                self._look_on(threads, until, step)
            finally:
                self._line.close()
                self._watch.stop()
                end = time.monotonic() + _GRACE
                for thread in threads:
                    thread.join(max(0.0, end - time.monotonic()))
        if self._error is not None:
            raise self._error
        return self._why

    def _look_on(self, threads: list[threading.Thread], until: float, step: Step) -> None:
        shown = 0
        while any(thread.is_alive() for thread in threads) and self._error is None:
            alive = next((thread for thread in threads if thread.is_alive()), threads[0])
            alive.join(0.1)
            ended, shown = self._ended - shown, self._ended
            step(ended)
            if time.monotonic() > until:
                self._stop(f"the time for all ({self._limits.seconds / 60:g} minutes) was up")
                return

    def _stop(self, why: str) -> None:
        with self._lock:
            self._why = self._why or why
        self._line.close()

    def _work(self) -> None:
        try:
            while (job := self._line.take()) is not None:
                self._one(job)
        except BaseException as error:  # noqa: BLE001  raised by `work`
            self._error = error
            self._line.close()

    def _one(self, job: Job) -> None:
        job.tries += not job.hops  # after a redirect the try goes on
        try:
            record = self._bring(job, self._watch)
        except Moved as elsewhere:
            self._hear(job, answered=True)
            self._move(job, elsewhere)
        except Refused as reason:
            self._end(job, Record(job.address, "refused", str(reason)))
        except Failed as reason:
            if not self._watch.stopped:  # else it ended because we did
                self._hear(job, answered=not isinstance(reason, Unknown))
                self._end(job, Record(job.address, "failed", str(reason)))
        except Again as trouble:
            if not self._watch.stopped:
                self._hear(job, answered=not isinstance(trouble, Unreached))
                self._again(job, trouble)
        else:
            self._hear(job, answered=True)
            self._end(job, record)

    def _move(self, job: Job, elsewhere: Moved) -> None:
        """Go on at the host that a redirect names, unless that was given up."""
        with self._lock:
            why = self._given_up.get(elsewhere.site)
        if why is not None:
            self._end(job, Record(job.address, "not-asked", why))
            return
        self._line.move(job, elsewhere.site, elsewhere.address, elsewhere.hops)

    def _again(self, job: Job, trouble: Again) -> None:
        """Try once more later, or give up the address, or its host."""
        with self._lock:
            deaf = self._deaf.get(job.site, 0) >= _DEAF
        asked = trouble.wait
        too_long = asked is not None and asked > replies.LONGEST
        if deaf or too_long or job.tries >= self._limits.tries:
            more = f" and asks to wait {asked / 60:.0f} minutes" if asked and too_long else ""
            if deaf or too_long:
                reason = f"given up with its host: {trouble}{more}"
                with self._lock:
                    self._given_up[job.site] = reason
                for other in self._line.give_up(job.site):
                    self._count(Record(other.address, "not-asked", reason), other)
            self._end(job, Record(job.address, "failed", f"{trouble}{more}"))
            return
        wait = min(self._limits.wait * 2 ** (job.tries - 1), _LONGEST)
        self._line.again(job, wait if asked is None else asked, all_of_site=asked is not None)

    def _hear(self, job: Job, *, answered: bool) -> None:
        """Keep in mind which hosts are there at all."""
        with self._lock:
            if answered:
                self._reached.add(job.site)
                self._deaf.pop(job.site, None)
            elif job.site not in self._reached:
                self._deaf[job.site] = self._deaf.get(job.site, 0) + 1
                self._unheard += 1
            tries, hosts = _OFFLINE
            offline = self._unheard >= tries and len(self._deaf) >= hosts and not self._reached
        if offline:
            self._stop("no server could be reached")

    def _end(self, job: Job, record: Record) -> None:
        self._count(record, job)
        self._line.done(job)
        with self._lock:
            full = self._bytes > self._limits.most_bytes
        if full:
            self._stop(f"the room for all ({self._limits.most_bytes / 1e9:g} GB) was used up")

    def _count(self, record: Record, job: Job) -> None:
        self._keep(replace(record, tries=job.tries))
        with self._lock:
            self._ended += 1
            self._bytes += record.bytes
