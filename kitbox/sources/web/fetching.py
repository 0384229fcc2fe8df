"""One address to one file: redirects followed, every limit kept, every trouble named."""

from __future__ import annotations

import functools
import http.client
import os
import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kitbox.errors import storage
from kitbox.sources import replies
from kitbox.sources.replies import Again
from kitbox.sources.web import guard
from kitbox.sources.web.guard import Network, Refused
from kitbox.sources.web.places import Place, follow, take_apart
from kitbox.sources.web.watch import Held, Watch
from kitbox.storage import filling

ACCEPTED = "image/jpeg,image/png,image/webp,image/gif,image/bmp,image/tiff,image/*;q=0.5"

_REDIRECTS = {301, 302, 303, 307, 308}
_MOST_REDIRECTS = 5
_SILENCE = 20.0  # seconds without a byte
_PIECE = 1 << 16
_NOBODY = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
_NO = ("noai", "noimageai")
_NAMED = re.compile(r"([^\s:]+)\s*:\s*(.*)")  # a robot's name and its rule, or a directive's value
_VALUED = ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview")


class Failed(Exception):  # noqa: N818 - reported in the manifest, not raised to a person
    """A trouble that another try would not mend; the text names it."""


class Moved(Exception):  # noqa: N818 - an answer, not an error
    """A redirect to another host, which is to be asked in its turn.

    Attributes:
        address: where it leads.
        site: host and port of that.
        hops: redirects so far.
    """

    def __init__(self, address: str, site: str, hops: int) -> None:
        self.address, self.site, self.hops = address, site, hops
        super().__init__(site)


class Unknown(Failed):
    """The host has no address."""


class Unreached(Again):
    """Nobody answered; the address itself may be sound."""


@dataclass(frozen=True)
class Rules:
    """What is let pass.

    Attributes:
        allowed: networks that are let pass although they are not public.
        robots: whether `X-Robots-Tag: noai` and `noimageai` are honoured.
        seconds: most seconds for one address and one try, on one host.
        most_bytes: most bytes of one file.
        agent: what kitbox calls itself.
    """

    allowed: tuple[Network, ...] = ()
    robots: bool = True
    seconds: float = 60.0
    most_bytes: int = 20_000_000
    agent: str = "kitbox"


def fetch(address: str, target: Path, rules: Rules, watch: Watch, hops: int = 0) -> int:
    """Stream what is at an address to the file `target`; how many bytes it has.

    The connection is made by kitbox itself: proxies, cookies and passwords that
    the environment holds are not used.

    Args:
        hops: redirects that led to this address.

    Raises:
        Moved: when it is at another host.
        Refused: when a rule forbids it, here or after a redirect.
        Failed: when another try would bring the same.
        Again: when another try may help.
        StorageError: when the disk is full or the file cannot be written.
    """
    until = time.monotonic() + rules.seconds
    place = take_apart(address)
    while hops <= _MOST_REDIRECTS:
        with _asked(place, rules, watch, until) as reply:
            location = reply.headers.get("Location") if reply.status in _REDIRECTS else None
            if not location:
                _check(reply, rules)
                return _copy(reply, target, rules)
        address, hops, here = follow(address, location), hops + 1, place.site
        place = take_apart(address)
        if place.site != here:
            raise Moved(address, place.site, hops)
    raise Failed(f"more than {_MOST_REDIRECTS} redirects")


@contextmanager
def _asked(
    place: Place, rules: Rules, watch: Watch, until: float
) -> Iterator[http.client.HTTPResponse]:
    """The reply to one request, on a connection of its own."""
    held: Held | None = None
    try:
        left = until - time.monotonic()
        plug = guard.connect(place.host, place.port, seconds=left, allowed=rules.allowed)
        try:
            if place.secure:
                # The handshake keeps to one time-out as a whole.
                plug.settimeout(max(0.1, min(_SILENCE, until - time.monotonic())))
                plug = _tls().wrap_socket(plug, server_hostname=place.host)
            plug.settimeout(_SILENCE)
            connection = http.client.HTTPConnection(place.host, place.port)
            connection.sock = plug
            with watch.over(plug, until) as held:
                connection.putrequest(
                    "GET", place.target, skip_host=True, skip_accept_encoding=True
                )
                for name, value in _headers(place, rules):
                    connection.putheader(name, value)
                connection.endheaders()
                with connection.getresponse() as reply:
                    yield reply
        finally:
            plug.close()
    except (Again, OSError, http.client.HTTPException, ValueError) as error:
        if held is not None and held.ended:
            raise _late(rules) from error
        raise _meaning(error, reached=held is not None) from error
    if held.ended:  # to the reader the end of the connection may look like that of the file
        raise _late(rules)


def _late(rules: Rules) -> Failed:
    return Failed(f"it took longer than {rules.seconds:g} s")


def _headers(place: Place, rules: Rules) -> list[tuple[str, str]]:
    host = f"[{place.host}]" if ":" in place.host else place.host
    usual = place.port == (443 if place.secure else 80)
    return [
        ("Host", host if usual else f"{host}:{place.port}"),
        ("User-Agent", rules.agent),
        ("Accept", ACCEPTED),
        # Only identity keeps the number of bytes that of the file.
        ("Accept-Encoding", "identity"),
        ("Connection", "close"),
    ]


def _check(reply: http.client.HTTPResponse, rules: Rules) -> None:
    """Let pass only a reply that brings a file of a fitting size."""
    said = f"the server answered {reply.status} {reply.reason or ''}".strip()
    if reply.status in replies.LATER:
        raise Again(said, wait=replies.pause(reply.headers.get("Retry-After", "")))
    if reply.status != 200:
        raise Failed(said)
    if rules.robots and (word := forbids(reply.headers.get_all("X-Robots-Tag", []))):
        raise Refused(f"the server says X-Robots-Tag: {word}")
    if reply.length is not None and reply.length > rules.most_bytes:
        raise Refused(f"{reply.length} bytes are more than {rules.most_bytes}")
    encoding = reply.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise Failed(f"the server packs its files ({encoding}) unasked")


def forbids(headers: list[str]) -> str | None:
    """What a `X-Robots-Tag` says against learning from the picture, if anything.

    A rule that names other robots does not count. A name counts for all that follows
    it in its header, up to the next name; a directive with a value is no name.

    >>> forbids(["noindex, NoAI"]), forbids(["otherbot: noai"]), forbids(["kitbox: noimageai"])
    ('noai', None, 'noimageai')
    >>> forbids(["max-snippet: -1, noai"])
    'noai'
    """
    for header in headers:
        ours = True
        for part in header.lower().split(","):
            rule = part.strip()
            while (found := _NAMED.match(rule)) and found[1] not in _VALUED:
                ours = found[1] in ("kitbox", "*")
                rule = found[2]
            if ours and rule in _NO:
                return rule
    return None


def _copy(reply: http.client.HTTPResponse, target: Path, rules: Rules) -> int:
    expected, done = reply.length, 0
    with filling(target, "wb", "downloading to") as file:
        while piece := reply.read(_PIECE):
            done += len(piece)
            if done > rules.most_bytes:
                raise Refused(f"it has more than {rules.most_bytes} bytes")
            with storage(target, "downloading to"):
                file.write(piece)
    if expected is not None and done < expected:
        raise Again(f"the connection ended after {done} of {expected} bytes")
    return done


def _meaning(error: Exception, *, reached: bool) -> Exception:  # noqa: PLR0911 - one a kind
    """What an exception of the network means for this address. The text holds no address."""
    match error:
        case Again():
            return error
        case socket.gaierror():
            if error.errno in _NOBODY:
                return Unknown("the host's name is not known")
            return Unreached("the host's name cannot be looked up")
        case ssl.SSLCertVerificationError():
            return Failed(f"its certificate does not hold ({error.verify_message})")
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError() if reached:
            return Again("the connection broke off")
        case ssl.SSLError():
            return Failed(f"no secure connection ({error.reason or 'TLS failed'})")
        case TimeoutError():
            return Again("the server fell silent") if reached else Unreached("nobody answers")
        case http.client.IncompleteRead():
            return Again("the connection ended too early")
        case http.client.HTTPException() | ValueError():
            return Again(f"the server's answer makes no sense ({type(error).__name__})")
    why = error.strerror if isinstance(error, OSError) else None
    why = why or type(error).__name__
    return Again(f"the connection broke off ({why})") if reached else Unreached(f"no way ({why})")


@functools.cache
def _tls() -> ssl.SSLContext:
    """Certificates are checked against the file that requests would use."""
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    named = (os.environ.get(name) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"))
    bundle = next((path for path in named if path and os.path.isfile(path)), None)
    return ssl.create_default_context(cafile=bundle or DEFAULT_CA_BUNDLE_PATH)
