"""One file from the network: resumed, retried, checked, and whole when it appears."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kitbox import storage as files
from kitbox.errors import SourceError, storage
from kitbox.sources import replies
from kitbox.sources.checks import Checks
from kitbox.sources.whole import alone

if TYPE_CHECKING:
    import requests

log = logging.getLogger("kitbox")

Report = Callable[[int, int | None], None]
"""Told how far it is: bytes so far, and bytes in all where that is known."""

_CHUNK = 1 << 20
_TIMEOUT = (15.0, 60.0)  # seconds: to connect, and between two pieces


def download(
    address: str,
    target: Path,
    *,
    checks: Checks | None = None,
    identity: str | None = None,
    report: Report | None = None,
    tries: int = 5,
    sleep: Callable[[float], object] = time.sleep,
) -> Path:
    """Bring the file at `address` to `target`, unless it is there and passes the checks.

    It grows as `<target>.part`, which a later call continues when the server
    says that the file is still the same. `target` appears whole and checked.

    Args:
        address: http or https.
        target: the file; its folder is made.
        checks: what is known of the file.
        identity: what tells the file from others, where its address does not: one that
            is signed anew for each request. By default the address.
        report: called with the bytes so far and in all.
        tries: how often in a row to try without getting any further.
        sleep: waits some seconds between tries.

    Returns:
        `target`.

    Raises:
        SourceError: when the file cannot be had or is not the right one.
        StorageError: when the disk is full or the folder cannot be written.
    """
    checks = checks or Checks()
    with alone(target):
        if target.is_file() and checks.wrong(target) is None:
            return target
        part = _Part(address, target, checks, report, identity or address)
        _get(part, tries, sleep)
        wrong = checks.wrong(part.path)
        if wrong and part.resumed:
            # The two halves may be of different files that the server calls the same.
            log.info("%s does not fit (%s); starting over", part.path.name, wrong)
            part.forget()
            _get(part, tries, sleep)
            wrong = checks.wrong(part.path)
        if wrong:
            part.forget()
            raise SourceError(
                f"{shown(address)} is not the file it should be",
                found=wrong,
                do="Try again later, or correct the expected size or sum if the file has changed",
            )
        part.finish()
    return target


def shown(address: str) -> str:
    """The address as messages may show it: without password and query, which may be keys.

    >>> shown("https://me:secret@example.org/a.zip?token=1")
    'https://example.org/a.zip?...'
    """
    try:
        split = urlsplit(address)
    except ValueError:
        return "The address"
    host = split.netloc.rpartition("@")[2]
    return split._replace(netloc=host, query="", fragment="").geturl() + (
        "?..." if split.query else ""
    )


@dataclass(frozen=True)
class _Note:
    """What the server said of the file that a `.part` is a piece of."""

    address: str  # or the identity that was given in its place
    etag: str = ""
    modified: str = ""

    @property
    def validator(self) -> str:
        # RFC 9110: a weak tag does not promise the same bytes, so it cannot guard a range.
        return self.modified if self.etag.startswith("W/") else self.etag or self.modified


class _Part:
    """The growing file beside the target, and the note that says what it is a piece of."""

    def __init__(
        self, address: str, target: Path, checks: Checks, report: Report | None, identity: str
    ) -> None:
        self.address, self.target, self.checks, self.report = address, target, checks, report
        self.identity = identity
        self.path = target.with_name(f"{target.name}.part")
        self.side = target.with_name(f"{target.name}.part.json")
        self.resumed = False

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def note(self) -> _Note | None:
        """The note, if there is one of this very file that can guard a range."""
        try:
            note = _Note(**json.loads(self.side.read_text(encoding="utf-8")))
            return note if note.address == self.identity and note.validator else None
        except (OSError, ValueError, TypeError, AttributeError):
            return None

    def headers(self) -> dict[str, str]:
        """What to ask for: the rest of the piece that is here, or all of it."""
        # Only identity keeps the bytes, their number and the ranges those of the file.
        asked = {"Accept-Encoding": "identity", "User-Agent": "kitbox"}
        note = self.note()
        if note and self.size:
            asked |= {"Range": f"bytes={self.size}-", "If-Range": note.validator}
        return asked

    def forget(self) -> None:
        """Drop the piece, so that the next try starts afresh."""
        with storage(self.path, "removing"):
            self.path.unlink(missing_ok=True)
            self.side.unlink(missing_ok=True)
        self.resumed = False

    def fits(self, reply: requests.Response) -> bool:
        """Whether the reply (a 206) goes on where the piece ends, with the same file."""
        note, tag = self.note(), reply.headers.get("ETag")
        same = note is None or not tag or not note.etag or tag == note.etag
        return replies.start(reply) == self.size and same

    def begin(self, reply: requests.Response) -> None:
        """Make the piece, and its note, one that the reply's bytes may follow."""
        if reply.status_code == 206:
            self.resumed = True
            return
        self.forget()
        note = _Note(
            self.identity, reply.headers.get("ETag", ""), reply.headers.get("Last-Modified", "")
        )
        self.path.write_bytes(b"")
        # Empty piece first, note second: a kill between the two leaves nothing to mix up.
        files.write(self.side, json.dumps(asdict(note)))

    def finish(self) -> None:
        """Flush the piece and make it the target."""
        with storage(self.target, "writing"):
            with self.path.open("rb") as file:
                os.fsync(file.fileno())
            self.path.replace(self.target)
        with storage(self.side, "removing"):
            self.side.unlink(missing_ok=True)


def _get(part: _Part, tries: int, sleep: Callable[[float], object]) -> None:
    """Try until the piece is all of the file, or trying does not help."""
    import requests

    most, failures = part.size, 0
    with requests.Session() as session:
        while True:
            try:
                _try(part, session)
                return
            except replies.Again as trouble:
                again = trouble
            # A try that got further than ever before shows that the next one may help.
            failures = 0 if part.size > most else failures + 1
            most = max(most, part.size)
            if failures >= tries:
                raise replies.unreachable(shown(part.address), again, tries) from again
            wait = (
                again.wait if again.wait is not None else float(min(2 ** max(failures - 1, 0), 60))
            )
            log.info("%s: %s; again in %.0f s", shown(part.address), again, wait)
            sleep(wait)


def _try(part: _Part, session: requests.Session) -> None:
    """One request and all that it brings.

    Raises:
        replies.Again: when another try may help.
    """
    with replies.translated(shown(part.address)):
        reply = session.get(part.address, headers=part.headers(), stream=True, timeout=_TIMEOUT)
    with reply:
        here = part.size
        if reply.status_code == 416 and replies.total(reply) == here > 0:
            part.resumed = True
            return  # The piece was whole already when an earlier process died.
        if reply.status_code == 416 or (reply.status_code == 206 and not part.fits(reply)):
            part.forget()
            raise replies.Again("the server sent another range than was asked for", wait=0.0)
        replies.check(reply, shown(part.address))
        total = replies.total(reply)
        part.checks.expect_size(total, shown(part.address))
        with storage(part.path, "downloading to"):
            _make_sure_of_space(part, total)
            part.begin(reply)
        _copy(part, reply, total)


def _copy(part: _Part, reply: Any, total: int | None) -> None:
    with files.filling(part.path, "ab", "downloading to") as file:
        done = file.seek(0, 2)
        # The raw stream: an encoding that the server adds unasked would change the file.
        pieces = reply.raw.stream(_CHUNK, decode_content=False)
        while True:
            with replies.translated(shown(part.address)):
                piece = next(pieces, b"")
            if not piece:
                break
            with storage(part.path, "downloading to"):
                file.write(piece)
            done += len(piece)
            if part.report:
                part.report(done, total)
    if total is not None and done < total:
        raise replies.Again(f"the connection ended after {done} of {total} bytes")


def _make_sure_of_space(part: _Part, total: int | None) -> None:
    free = shutil.disk_usage(part.path.parent).free
    if total is not None and total - part.size > free:
        raise OSError(errno.ENOSPC, f"{total - part.size} bytes are needed, {free} are free")
