from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitbox.sources.web import guard
from kitbox.sources.web.guard import Refused, connect, is_allowed, is_public

# IANA's registries of special-purpose addresses, and the clouds' metadata services.
CLOSED = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
    *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15"),
    *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32"),
    *("168.63.129.16/32", "100.100.100.200/32", "::/128", "::1/128", "::ffff:0:0/96", "::/96"),
    *("64:ff9b:1::/48", "100::/64", "2001::/32", "2001:db8::/32", "2002::/16", "3fff::/20"),
    *("5f00::/16", "fc00::/7", "fd00:ec2::254/128", "fe80::/10", "fec0::/10", "ff00::/8"),
)
OPEN = (
    *("1.1.1.1", "8.8.8.8", "93.184.216.34", "172.15.255.255", "172.32.0.0", "100.63.255.255"),
    *("100.128.0.0", "11.0.0.0", "9.255.255.255", "126.255.255.255", "128.0.0.1"),
    *("192.167.255.255", "192.169.0.0", "223.255.255.255", "169.253.255.255"),
    *("2606:4700:4700::1111", "2a00:1450:4001:81c::200e", "2001:4860:4860::8888"),
    "64:ff9b::808:808",
)

inside = st.sampled_from(CLOSED).flatmap(lambda network: st.ip_addresses(network=network))


@given(inside)
def test_no_special_address_is_public(address):
    assert not is_public(address)
    assert not is_allowed(address)
    assert not is_allowed(address, [ipaddress.ip_network("8.8.8.8/32")])


@given(st.ip_addresses(v=4))
def test_of_ipv4_only_what_python_calls_global_is_public(address):
    special = address.is_multicast or address.is_reserved or not address.is_global
    if special:
        assert not is_public(address)
    # No disguise in IPv6 helps, and the translated form is as public as what it holds.
    assert not is_public(ipaddress.IPv6Address(f"::ffff:{address}"))
    assert not is_public(ipaddress.IPv6Address(f"::{address}"))
    assert not is_public(ipaddress.IPv6Address((0x2002 << 112) | (int(address) << 80)))
    translated = ipaddress.IPv6Address(f"64:ff9b::{address}")
    assert is_public(translated) == is_public(address)


@given(st.ip_addresses(v=6))
def test_of_ipv6_only_what_python_calls_global_is_public(address):
    if is_public(address):
        assert address.is_global
        assert not address.is_multicast
        assert not address.is_reserved or address in ipaddress.ip_network("64:ff9b::/96")


@pytest.mark.parametrize("text", OPEN)
def test_the_open_internet_is_public(text):
    assert is_public(ipaddress.ip_address(text))


@given(inside)
def test_a_named_network_is_let_pass_and_only_that(address):
    own = ipaddress.ip_network(int(address).to_bytes(len(address.packed), "big"))
    assert is_allowed(address, [own])
    beside = address + (1 if int(address) % 2 == 0 else -1)
    assert is_allowed(beside, [own]) == is_public(beside)


class Names:
    """A name server that says what a test wants, and how often it was asked."""

    def __init__(self, monkeypatch, *answers):
        self.answers, self.asked = list(answers), 0
        monkeypatch.setattr(socket, "getaddrinfo", self.look_up)

    def look_up(self, host, port, **more):
        self.asked += 1
        found = self.answers.pop(0)
        family = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [
            (family[ipaddress.ip_address(a).version], socket.SOCK_STREAM, 6, "", (a, port))
            for a in found
        ]


@pytest.mark.parametrize(
    "answer",
    [
        ["10.0.0.1"],
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:8.8.8.8"],
        ["8.8.8.8", "192.168.0.1"],
        ["fe80::1", "8.8.8.8"],
    ],
)
def test_a_name_with_any_closed_address_is_refused_before_a_socket_is_made(monkeypatch, answer):
    names, plugs = Names(monkeypatch, answer), []
    monkeypatch.setattr(socket, "socket", lambda *args: plugs.append(args))
    with pytest.raises(Refused, match="not public"):
        connect("pictures.example", 80, seconds=1)
    assert (names.asked, plugs) == (1, [])


def test_a_name_is_looked_up_once_and_that_answer_is_connected_to(monkeypatch, web):
    # A second look-up, as rebinding counts on, would get the address of nobody.
    names = Names(monkeypatch, ["127.0.0.1"], ["10.0.0.1"])
    allowed = [ipaddress.ip_network("127.0.0.1/32")]
    with connect("pictures.example", web.port, seconds=2, allowed=allowed) as plug:
        assert plug.getpeername() == ("127.0.0.1", web.port)
    assert names.asked == 1


def test_the_peer_is_checked_after_connecting(monkeypatch, web):
    answers = [True, False]
    monkeypatch.setattr(guard, "is_allowed", lambda *args: answers.pop(0))
    with pytest.raises(Refused):
        connect("127.0.0.1", web.port, seconds=2)
    assert answers == []


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "2130706433", "0177.0.0.1", "localhost", "0"])
def test_other_ways_to_write_this_machine_are_refused(host):
    try:
        connect(host, 80, seconds=1).close()
    except (Refused, socket.gaierror):
        return
    pytest.fail("connected")


def test_nobody_answers(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        connect("127.0.0.1", port, seconds=1, allowed=[ipaddress.ip_network("127.0.0.1")])
