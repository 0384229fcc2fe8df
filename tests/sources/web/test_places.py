from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitbox.sources.web.guard import Refused
from kitbox.sources.web.places import follow, name, take_apart


def test_parts():
    place = take_apart("HTTPS://Example.ORG:8443/a/b.jpg?x=1&x=2#top")
    assert (place.secure, place.host, place.port) == (True, "example.org", 8443)
    assert place.target == "/a/b.jpg?x=1&x=2"
    assert place.site == "example.org:8443"
    assert take_apart("http://a").target == "/"
    assert take_apart("http://a?b").target == "/?b"
    assert (take_apart("http://a").port, take_apart("https://a").port) == (80, 443)
    assert take_apart("http://[2001:db8::1]:81/").host == "2001:db8::1"
    assert take_apart("http://bücher.example/ü.jpg").host == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    "query", ["X-Sig=a%2fb%2Fc+d==&X-Sig=&e=%7E~!*()'", "%zz=%", "a=b?c=d/e:f@g", "[x]={1}|^`"]
)
def test_the_query_is_kept_as_it_is(query):
    assert take_apart(f"http://a/%7eb/../c;d?{query}").target == f"/%7eb/../c;d?{query}"


def test_what_no_request_may_hold_is_encoded():
    place = take_apart('http://a/my picture "1".jpg?q=é ü')
    assert place.target == "/my%20picture%20%221%22.jpg?q=%C3%A9%20%C3%BC"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "picture.jpg",
        "//a/b.jpg",
        "ftp://a/b.jpg",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "gopher://a:70/_x",
        "http://",
        "http:///b.jpg",
        "http://[::1",
        "http://a:99999/",
        "http://a:x/",
        "http://a:0/",
        "http://me@a/",
        "http://me:word@a/",
        "http://a\\@127.0.0.1/",
        "http://a b/",
        "http://" + "a" * 70 + ".é/",
        "http://a/" + "b" * 9000,
    ],
)
def test_what_is_no_web_address_is_refused(address):
    with pytest.raises(Refused):
        take_apart(address)


@given(st.text() | st.text().map("http://{}".format) | st.text().map("http://a/{}".format))
def test_any_text_is_taken_apart_or_refused(address):
    try:
        place = take_apart(address)
    except Refused:
        pass
    else:
        assert place.target.startswith("/")
        assert all(" " < c < "\x7f" for c in place.target)
        assert place.host.isascii()
        assert 0 < place.port < 65536


def test_redirects_are_relative_to_where_they_come_from():
    assert follow("http://a/b/c?d", "e.jpg") == "http://a/b/e.jpg"
    assert follow("http://a/b", "//c/d") == "http://c/d"
    assert follow("https://a/b", " http://c/d ") == "http://c/d"
    with pytest.raises(Refused):
        follow("http://a/b", "http://[x")


@given(st.text(), st.text())
def test_names_tell_addresses_apart(one, other):
    assert (name(one) == name(other)) == (one == other)
    assert len(name(one)) == 20
