"""A web server on this machine that serves pictures, and every kind of trouble, by path."""

from __future__ import annotations

import collections
import contextlib
import functools
import gzip
import io
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image

SIGNED = "X-Sig=a%2fb%2Fc+d==&X-Sig=&e=%7E~!*()'&n="
"""A query that any tidying would change."""

HTML = b"<!DOCTYPE html><html><body>Please log in</body></html>"
LOOPBACK = ["127.0.0.1/32"]


@functools.cache
def picture(number: int, quality: int = 90, side: int = 96, kind: str = "JPEG") -> bytes:
    """A picture that is like no other: smooth spots of random colours."""
    spots = np.random.default_rng(number).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    image = Image.fromarray(spots).resize((side, side), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    image.save(file, kind, **({"quality": quality} if kind == "JPEG" else {}))
    return file.getvalue()


def bomb(side: int = 30_000) -> bytes:
    """A small PNG that says it has `side` x `side` pixels."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


class Web:
    """What was asked of a server: `asked` counts requests by path and query."""

    def __init__(self) -> None:
        self.asked: collections.Counter[str] = collections.Counter()
        self.headers: list[dict[str, str]] = []
        self.times: dict[str, list[float]] = collections.defaultdict(list)
        self.at_once = self.most_at_once = 0
        self.healed = False  # troubles that may pass have passed
        self.lock = threading.Lock()
        self.port = 0
        self.other = ""  # where `away` leads

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def total(self) -> int:
        return sum(self.asked.values())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    web: Web

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        web = self.web
        self.close_connection = True
        with web.lock:
            web.asked[self.path] += 1
            web.headers.append(dict(self.headers))
            web.times[self.path].append(time.monotonic())
            web.at_once += 1
            web.most_at_once = max(web.most_at_once, web.at_once)
        try:
            _, kind, name = self.path.partition("?")[0].split("/", 2)
            number = int(name.rpartition("/")[2].partition(".")[0])
            with contextlib.suppress(OSError):
                getattr(self, f"on_{kind}")(number)
        finally:
            with web.lock:
                web.at_once -= 1

    @property
    def first(self) -> bool:
        return self.web.asked[self.path] == 1 and not self.web.healed

    def send(self, body: bytes, status: int = 200, claim: int | None = None, **more: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if claim is None else claim))
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def on_ok(self, number: int) -> None:
        self.send(picture(number), Content_Type="image/jpeg")

    def on_png(self, number: int) -> None:  # its name says .jpg
        self.send(picture(number, kind="PNG"), Content_Type="image/jpeg")

    def on_slow(self, number: int) -> None:
        time.sleep(0.2)
        self.on_ok(number)

    def on_same(self, number: int) -> None:
        self.on_ok(500_000 + number % 3)

    def on_near(self, number: int) -> None:
        self.send(picture(number, 60, 80))

    def on_signed(self, number: int) -> None:
        fits = self.path.partition("?")[2] == f"{SIGNED}{number}"
        self.on_ok(number) if fits else self.send(b"", 403)

    def on_cut(self, number: int) -> None:
        body = picture(number)
        self.send(body if self.web.healed else body[: len(body) // 2], claim=len(body))

    def on_cutonce(self, number: int) -> None:
        body = picture(number)
        self.send(body[: len(body) // 2] if self.first else body, claim=len(body))

    def on_short(self, number: int) -> None:  # a length that is too small
        self.send(picture(number), claim=len(picture(number)) // 2)

    def on_long(self, number: int) -> None:  # a length that is too large
        self.send(picture(number), claim=len(picture(number)) + 100)

    def on_huge(self, number: int) -> None:
        self.send(picture(number), claim=10**12)

    def on_endless(self, number: int) -> None:
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(bytes(1 << 16))

    def on_drip(self, number: int) -> None:
        self.send_response(200)
        self.end_headers()
        for byte in picture(number):
            self.wfile.write(bytes([byte]))
            time.sleep(0.1)

    def on_driphead(self, number: int) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 10_000:
            self.wfile.write(bytes([byte]))
            time.sleep(0.1)

    def on_html(self, number: int) -> None:
        self.send(HTML, Content_Type="image/jpeg")

    def on_noise(self, number: int) -> None:
        self.send(np.random.default_rng(number).bytes(3000), Content_Type="image/jpeg")

    def on_empty(self, number: int) -> None:
        self.send(b"")

    def on_bomb(self, number: int) -> None:
        self.send(bomb())

    def on_tiny(self, number: int) -> None:
        self.send(picture(number, side=2, kind="GIF"))

    def on_gzip(self, number: int) -> None:
        self.send(gzip.compress(picture(number)), Content_Encoding="gzip")

    def on_missing(self, number: int) -> None:
        self.send(b"", 404)

    def on_busyonce(self, number: int) -> None:
        if self.first:
            self.send(b"", 429, Retry_After="1")
        else:
            self.on_ok(number)

    def on_downonce(self, number: int) -> None:
        self.send(b"", 503) if self.first else self.on_ok(number)

    def on_down(self, number: int) -> None:
        self.on_ok(number) if self.web.healed else self.send(b"", 503)

    def on_later(self, number: int) -> None:
        self.send(b"", 429, Retry_After="3600")

    def on_noai(self, number: int) -> None:
        self.send(picture(number), X_Robots_Tag="noindex, noai")

    def on_noimageai(self, number: int) -> None:
        self.send(picture(number), X_Robots_Tag="kitbox: noimageai")

    def on_otherbot(self, number: int) -> None:
        self.send(picture(number), X_Robots_Tag="otherbot: noai")

    def on_hop(self, number: int) -> None:
        self.send(b"", 302, Location=f"/ok/{number}.jpg")

    def on_away(self, number: int) -> None:
        self.send(b"", 302, Location=f"{self.web.other}{self.path.removeprefix('/away')}")

    def on_loop(self, number: int) -> None:
        self.send(b"", 301, Location=self.path)

    def on_inside(self, number: int) -> None:
        to = ("10.0.0.1", "169.254.169.254", "127.0.0.2", "[::1]", "[::ffff:10.0.0.1]", "0.0.0.0")
        port = self.web.port
        self.send(b"", 302, Location=f"http://{to[number % len(to)]}:{port}/ok/{number}.jpg")

    def on_file(self, number: int) -> None:
        self.send(b"", 302, Location="file:///etc/passwd")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a client that went away


@contextlib.contextmanager
def serve() -> Iterator[Web]:
    """A server on a free port of 127.0.0.1 while the block runs."""
    web = Web()
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"web": web}))
    web.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
