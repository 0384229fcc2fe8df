"""Web addresses, taken apart and checked before anybody is asked."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from kitbox.sources.web.guard import Refused

_PORTS = {"http": 80, "https": 443}
_LONGEST = 8192  # characters; servers accept no more


@dataclass(frozen=True)
class Place:
    """Where a request goes.

    Attributes:
        secure: whether TLS is used.
        host: the name or address in ASCII, without brackets.
        port: the port.
        target: path and query, as in the address but for characters that no
            request may hold.
    """

    secure: bool
    host: str
    port: int
    target: str

    @property
    def site(self) -> str:
        """Host and port: what the limit per host counts by."""
        return f"{self.host}:{self.port}"


def take_apart(address: str) -> Place:
    """The parts of an address.

    The query is kept as it is: a signature counts every character.

    Raises:
        Refused: when it is no http or https address of a host.
    """
    if len(address) > _LONGEST:
        raise Refused(f"the address has more than {_LONGEST} characters")
    try:
        split = urlsplit(address)
        port = split.port
    except ValueError as error:
        raise Refused(f"the address makes no sense ({error})") from error
    if split.scheme not in _PORTS:
        kind = f"of the kind '{split.scheme[:20]}'" if split.scheme else "without http(s)://"
        raise Refused(f"an address {kind}; http and https are fetched")
    if split.username is not None or split.password is not None:
        raise Refused("an address with a user's name in it")
    if not split.hostname:
        raise Refused("an address without a host")
    if port == 0:
        raise Refused("port 0 is no port")
    path = _ascii(split.path) or "/"
    target = f"{path}?{_ascii(split.query)}" if split.query else path
    return Place(
        split.scheme == "https", _host(split.hostname), port or _PORTS[split.scheme], target
    )


def follow(address: str, location: str) -> str:
    """The address that a redirect from `address` leads to."""
    try:
        return urljoin(address, location.strip())
    except ValueError as error:
        raise Refused("the redirect's address makes no sense") from error


def name(address: str) -> str:
    """The file name of an address without a suffix: 20 hex digits.

    >>> name("http://a/1.jpg") == name("http://a/1.jpg?x=1")
    False
    """
    return hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()[:20]


def _host(host: str) -> str:
    if not re.fullmatch(r"[^\s/?#@\\\x00-\x1f\x7f]+", host):
        raise Refused("the host's name holds characters that no name has")
    try:
        return host.encode("ascii").decode() if host.isascii() else host.encode("idna").decode()
    except UnicodeError as error:
        raise Refused("the host's name cannot be written in ASCII") from error


def _ascii(text: str) -> str:
    """The text with spaces, quotes, control and other characters percent-encoded, all else kept."""
    return quote(text, safe="!$%&'()*+,/:;=?@[]~-._{}|\\^`")
