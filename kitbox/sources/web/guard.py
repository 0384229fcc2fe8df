"""Which machines a list from the open web may lead to: public ones, checked when connecting.

A name is looked up once, and the socket goes to the very address that was
checked, so a second answer of the name server cannot lead elsewhere.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_CLOSED_4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # shared by carriers (CGNAT)
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # the platform's own services on Azure
            "169.254.0.0/16",  # link-local, with the clouds' metadata services
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
        ),
    )
)
# All other space of IPv6 is loopback, mapped, private, link-local, multicast or reserved.
_OPEN_6 = ipaddress.IPv6Network("2000::/3")
_CLOSED_6 = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "2001::/23",  # protocol assignments, Teredo among them
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4: an IPv4 address in disguise
            "3fff::/20",  # documentation
        ),
    )
)
# What a name server puts before IPv4 addresses in networks that have IPv6 alone (RFC 6052).
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")

_LONGEST = 10.0  # seconds to connect to one address
_MOST = 4  # addresses of one name that are tried


class Refused(Exception):  # noqa: N818 - nothing went wrong: a rule says no
    """What the rules do not let pass; the text says which."""


def is_public(address: Address) -> bool:
    """Whether an address belongs to the open internet.

    Decided by lists of our own: Python's `is_global` differs between versions.

    >>> is_public(ipaddress.ip_address("8.8.8.8")), is_public(ipaddress.ip_address("10.0.0.1"))
    (True, False)
    """
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _CLOSED_4)
    if address in _TRANSLATED:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _OPEN_6 and not any(address in network for network in _CLOSED_6)


def is_allowed(address: Address, allowed: Sequence[Network] = ()) -> bool:
    """Whether to connect to an address: it is public, or in a network that was named."""
    return is_public(address) or any(
        address.version == network.version and address in network for network in allowed
    )


def connect(
    host: str, port: int, *, seconds: float, allowed: Sequence[Network] = ()
) -> socket.socket:
    """A socket to `host`, if every address of that name is allowed.

    Args:
        host: a name or an address, without brackets.
        port: 1 to 65535.
        seconds: for all tries together, the name's look-up not counted.
        allowed: networks that are let pass although they are not public.

    Raises:
        Refused: when an address of the name is not allowed; nothing was sent.
        OSError: when the name is not known (`socket.gaierror`) or nobody answers.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    places = list(dict.fromkeys((family, place) for family, _, _, _, place in found))
    for _, place in places:
        _check(place, allowed)
    until = time.monotonic() + seconds
    trouble: OSError = OSError("the name has no address")
    for family, place in places[:_MOST]:
        left = until - time.monotonic()
        if left <= 0:
            break
        plug = socket.socket(family, socket.SOCK_STREAM)
        try:
            plug.settimeout(min(left, _LONGEST))
            plug.connect(place)
            _check(plug.getpeername(), allowed)
        except OSError as error:
            plug.close()
            trouble = error
        except BaseException:
            plug.close()
            raise
        else:
            return plug
    raise trouble


def _check(place: Sequence[object], allowed: Sequence[Network]) -> None:
    try:
        address = ipaddress.ip_address(str(place[0]))
    except ValueError as error:
        raise Refused("the host has no address of IPv4 or IPv6") from error
    if not is_allowed(address, allowed):
        raise Refused(f"the host's address {address} is not public")
