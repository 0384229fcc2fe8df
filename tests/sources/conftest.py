"""A real web server on this machine that can be told to misbehave."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from kaggle_client import at_kaggle

__all__ = ["at_kaggle"]


@dataclass
class Turn:
    """How one request is answered."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drop_after: int | None = None  # bytes of the body, then the connection is cut
    ignore_range: bool = False
    lie_range: int = 0  # bytes by which a 206 starts elsewhere
    most_range: int | None = None  # bytes that a 206 brings at most
    chunked: bool = False
    before: Callable[[], None] | None = None
    hold_after: int | None = None  # bytes of the body, then it waits for `Site.go_on`


class Site:
    """What the server serves, and what it was asked."""

    def __init__(self) -> None:
        self.content = b""
        self.etag: str | None = None
        self.modified: str | None = None
        self.turns: list[Turn] = []
        self.asked: list[dict[str, str]] = []
        self.go_on = threading.Event()
        self.address = ""

    def serve(self, content: bytes) -> None:
        """Serve these bytes, under a tag of their own."""
        self.content = content
        self.etag = f'"{hashlib.md5(content).hexdigest()}"'

    @property
    def ranges(self) -> list[str | None]:
        """The range that each request asked for."""
        return [headers.get("Range") for headers in self.asked]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        site = self.site
        site.asked.append(dict(self.headers))
        turn = site.turns.pop(0) if site.turns else Turn()
        if turn.before:
            turn.before()
        self.close_connection = True
        if turn.status != 200:
            self._send_empty(turn.status, turn.headers)
            return
        content, start, status = site.content, 0, 200
        asked = self.headers.get("Range")
        guard = self.headers.get("If-Range")
        if asked and not turn.ignore_range and guard in (None, site.etag, site.modified):
            start = int(asked.removeprefix("bytes=").rstrip("-")) + turn.lie_range
            status = 206
        if start >= len(content) and status == 206:
            self._send_empty(416, {"Content-Range": f"bytes */{len(content)}"})
            return
        body = content[start:][: turn.most_range if status == 206 else None]
        self.send_response(status)
        if status == 206:
            self.send_header(
                "Content-Range", f"bytes {start}-{start + len(body) - 1}/{len(content)}"
            )
        if turn.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(body)))
        if site.etag:
            self.send_header("ETag", site.etag)
        if site.modified:
            self.send_header("Last-Modified", site.modified)
        for name, value in turn.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self._send_body(turn, body)

    def _send_empty(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def _send_body(self, turn: Turn, body: bytes) -> None:
        if turn.chunked:
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
            return
        if turn.hold_after is not None:
            self.wfile.write(body[: turn.hold_after])
            self.wfile.flush()
            self.site.go_on.wait(30)
            return
        self.wfile.write(body[: turn.drop_after])


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a client that was killed


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    handler = type("Handler", (_Handler,), {"site": site})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    site.address = f"http://127.0.0.1:{server.server_port}/file.bin"
    yield site
    site.go_on.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def turn() -> type[Turn]:
    return Turn


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
