from __future__ import annotations

import dataclasses
import ipaddress
import os
import shutil
import ssl
import subprocess
import threading
import time

import pytest

from kitbox.errors import StorageError
from kitbox.sources.replies import Again
from kitbox.sources.web import fetching
from kitbox.sources.web.fetching import Failed, Moved, Rules, Unknown, Unreached, fetch, forbids
from kitbox.sources.web.guard import Refused
from kitbox.sources.web.watch import Watch
from sources.web.serving import SIGNED, picture, serve

RULES = Rules(
    allowed=(ipaddress.ip_network("127.0.0.1/32"),), seconds=3, most_bytes=100_000, agent="test/1"
)


@pytest.fixture
def watch():
    with Watch() as watch:
        yield watch


def follow(address, file, rules, watch):
    """Fetch as the crew does, from host to host."""
    hops = 0
    while True:
        try:
            return fetch(address, file, rules, watch, hops)
        except Moved as elsewhere:
            address, hops = elsewhere.address, elsewhere.hops


@pytest.fixture
def get(web, tmp_path, watch):
    def get(path, rules=RULES):
        size = follow(f"{web.base}/{path}", tmp_path / "file", rules, watch)
        content = (tmp_path / "file").read_bytes()
        assert len(content) == size
        return content

    return get


@pytest.mark.parametrize("path", ["ok/1.jpg", "hop/1.jpg", "slow/1.jpg", f"signed/1.jpg?{SIGNED}1"])
def test_brings_the_bytes(get, path):
    assert get(path) == picture(1)


def test_what_is_said_of_us(get, web):
    get("ok/1.jpg")
    (headers,) = web.headers
    assert headers["Host"] == f"127.0.0.1:{web.port}"
    assert headers["User-Agent"] == "test/1"
    assert headers["Accept-Encoding"] == "identity"
    assert set(headers) == {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}


def test_the_environment_s_proxies_and_passwords_are_not_used(get, web, tmp_path, monkeypatch):
    with serve() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.base)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password word\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        assert get("ok/1.jpg") == picture(1)
        assert proxy.total() == 0
    assert "Authorization" not in web.headers[0]


@pytest.mark.parametrize("number", range(6))
def test_redirects_inside_are_refused(get, number):
    with pytest.raises(Refused, match="not public"):
        get(f"inside/{number}.jpg")


def test_a_redirect_to_a_file_is_refused_and_loops_end(get, web):
    with pytest.raises(Refused, match="kind 'file'"):
        get("file/1.jpg")
    with pytest.raises(Failed, match="more than 5 redirects"):
        get("loop/1.jpg")
    assert web.asked["/loop/1.jpg"] == 6


def test_this_machine_is_refused_unless_it_is_named(get, web):
    with pytest.raises(Refused, match=r"127\.0\.0\.1 is not public"):
        get("ok/1.jpg", dataclasses.replace(RULES, allowed=()))
    assert web.total() == 0


@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("missing/1.jpg", Failed, "404"),
        ("gzip/1.jpg", Failed, "packs"),
        ("down/1.jpg", Again, "503"),
        ("cut/1.jpg", Again, "ended after"),
        ("long/1.jpg", Again, "ended after"),
        ("huge/1.jpg", Refused, "1000000000000 bytes"),
        ("endless/1.jpg", Refused, "more than 100000 bytes"),
        ("noai/1.jpg", Refused, "noai"),
        ("noimageai/1.jpg", Refused, "noimageai"),
    ],
)
def test_troubles(get, path, kind, words):
    with pytest.raises(kind, match=words):
        get(path)


def test_how_long_to_wait_is_passed_on(get):
    with pytest.raises(Again) as caught:
        get("later/1.jpg")
    assert caught.value.wait == 3600


def test_robots_may_be_overruled(get):
    assert get("noai/1.jpg", dataclasses.replace(RULES, robots=False)) == picture(1)
    assert get("otherbot/1.jpg") == picture(1)


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([], None),
        (["noindex"], None),
        (["noindex", "NOAI"], "noai"),
        (["otherbot: noindex, noai"], None),
        (["otherbot: noindex", "kitbox: nofollow, noimageai"], "noimageai"),
        (["*: noai"], "noai"),
        (["unavailable_after: 25 Jun 2030 15:00:00 GMT", "noai"], "noai"),
        (["noaix"], None),
        (["max-image-preview: large, noai"], "noai"),
        (["max-snippet: -1, noai, noimageai"], "noai"),
        (["unavailable_after: 25 Jun 2030 15:00:00 GMT, noai"], "noai"),
        (["unavailable_after: Tue, 25 Jun 2030 15:00:00 GMT, noai"], "noai"),
        (["max-video-preview:3,noimageai"], "noimageai"),
        (["noai, max-snippet: 3"], "noai"),
        (["otherbot: max-snippet: 3, noai"], None),
        (["kitbox: max-snippet: 3, noai"], "noai"),
        (["otherbot: noindex, kitbox: noai"], "noai"),
        (["kitbox: noindex, otherbot: noai"], None),
        (["otherbot: noai, *: noimageai"], "noimageai"),
        ([": noai", "a:b:noai", ":", ""], None),
    ],
)
def test_what_robots_are_told(headers, found):
    assert forbids(headers) == found


@pytest.mark.parametrize("path", ["drip/1.jpg", "driphead/1.jpg"])
def test_a_server_that_drips_ends_in_time(get, path):
    began = time.monotonic()
    with pytest.raises(Failed, match=r"longer than 0\.5 s"):
        get(path, dataclasses.replace(RULES, seconds=0.5))
    assert 0.4 < time.monotonic() - began < 20


def test_a_stop_ends_it_at_once(get, watch):
    threading.Timer(0.3, watch.stop).start()
    began = time.monotonic()
    with pytest.raises(Failed):
        get("drip/1.jpg", dataclasses.replace(RULES, seconds=60))
    assert time.monotonic() - began < 20


def test_hosts_that_are_not_there(tmp_path, watch, closed):
    with pytest.raises((Unknown, Unreached)):
        fetch("http://does-not-exist.invalid/1.jpg", tmp_path / "x", RULES, watch)
    with pytest.raises(Unreached, match="refused"):
        fetch(f"http://127.0.0.1:{closed}/", tmp_path / "x", RULES, watch)


def test_a_folder_that_cannot_be_written(web, tmp_path, watch):
    with pytest.raises(StorageError):
        fetch(f"{web.base}/ok/1.jpg", tmp_path / "none" / "x", RULES, watch)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full")
def test_a_full_disk_is_said_to_be_full(get, tmp_path):
    """Also where the last bytes do not leave the buffer before the file is closed."""
    (tmp_path / "file").symlink_to("/dev/full")
    for path in ("ok/1.jpg", "cut/1.jpg"):
        with pytest.raises((StorageError, Again), match=r"disk is full|ended after") as caught:
            get(path)
        assert path != "ok/1.jpg" or caught.type is StorageError


def test_an_answer_that_makes_no_sense(tmp_path, watch, talker):
    for answer in (
        b"",
        b"hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz",
    ):
        with pytest.raises(Again):
            fetch(talker(answer), tmp_path / "x", RULES, watch)


def test_a_length_of_nonsense_and_too_many_headers(tmp_path, watch, talker):
    body = b"HTTP/1.0 200 OK\r\nContent-Length: -5\r\n\r\nabc"
    assert fetch(talker(body), tmp_path / "x", RULES, watch) == 3
    with pytest.raises(Again):
        fetch(talker(b"HTTP/1.0 200 OK\r\n" + b"A: b\r\n" * 500), tmp_path / "x", RULES, watch)


@pytest.fixture
def certificate(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=pictures.example", "-addext", "subjectAltName=DNS:pictures.example"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


def test_certificates_are_checked_against_the_name(
    certificate, tmp_path, watch, monkeypatch, talker
):
    cert, key = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
    plain = talker(answer, context)
    port = plain.rpartition(":")[2].strip("/")
    monkeypatch.setattr(fetching, "_tls", ssl.create_default_context)
    with pytest.raises(Failed, match="certificate does not hold"):
        fetch(f"https://127.0.0.1:{port}/", tmp_path / "x", RULES, watch)
    monkeypatch.setattr(fetching, "_tls", lambda: ssl.create_default_context(cafile=str(cert)))
    with pytest.raises(Failed, match="certificate does not hold"):
        fetch(f"https://127.0.0.1:{port}/", tmp_path / "x", RULES, watch)
    found = [(2, 1, 6, "", ("127.0.0.1", int(port)))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *a, **k: found)
    assert fetch(f"https://pictures.example:{port}/", tmp_path / "x", RULES, watch) == 3


def test_the_certificates_of_requests_are_used(certificate, monkeypatch):
    cert, _ = certificate
    fetching._tls.cache_clear()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(cert))
    try:
        assert fetching._tls().cert_store_stats()["x509_ca"] == 1
    finally:
        fetching._tls.cache_clear()
