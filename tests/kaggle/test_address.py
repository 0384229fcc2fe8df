"""Addresses of downloads."""

from __future__ import annotations

import base64
import hashlib

import pytest

from kitbox.errors import SourceError
from kitbox.kaggle.address import led_to


class Reply:
    """Stands for the answer to a request that was sent on."""

    def __init__(self, headers: dict[str, str], history: list[object]) -> None:
        self.headers, self.history = headers, history
        self.url, self.status_code, self.closed = "http://x/?signature", 200, False

    def __enter__(self) -> Reply:
        return self

    def __exit__(self, *error: object) -> None:
        self.closed = True


def test_an_address_and_what_is_known_of_it() -> None:
    digest = hashlib.md5(b"content")
    coded = base64.b64encode(digest.digest()).decode()
    headers = {"Content-Length": "7", "x-goog-hash": f"crc32c=AAAAAA==, md5={coded}"}
    reply = Reply(headers, [object()])
    address = led_to(reply)
    assert reply.closed
    assert (address.checks.size, address.checks.md5) == (7, digest.hexdigest())
    assert "signature" not in repr(address)
    # The length of what was packed for the way says nothing of the file.
    packed = led_to(Reply({**headers, "Content-Encoding": "gzip"}, [object()]))
    assert packed.checks.size is None
    for odd in ("md5=??", "md5=QUJD", "", "crc32c=AAAAAA=="):
        assert led_to(Reply({"x-goog-hash": odd}, [object()])).checks.md5 is None
    with pytest.raises(SourceError, match="no address"):
        led_to(Reply(headers, []))
