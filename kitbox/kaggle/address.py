"""Where an archive can be downloaded for now, and what the storage says of it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kitbox.errors import SourceError
from kitbox.sources.checks import Checks


@dataclass(frozen=True)
class Address:
    """Where an archive can be downloaded for now. The address is signed, so it is shown nowhere.

    Attributes:
        url: of the archive.
        checks: its size, and its MD5 where the server says it.
    """

    url: str = field(repr=False)
    checks: Checks


def led_to(reply: Any) -> Address:
    """Where the client's request was sent on to; its body is left unread.

    Raises:
        SourceError: when it was answered and not sent on.
    """
    with reply:
        if not reply.history:
            raise SourceError(
                "Kaggle sent no address to download from",
                found=f"an answer {reply.status_code}",
                do="Update the package `kaggle`, or download by hand and use the source `untar`",
            )
        length = reply.headers.get("Content-Length", "")
        coded = reply.headers.get("Content-Encoding", "identity") != "identity"
        size = int(length) if length.isdecimal() and not coded else None
        return Address(reply.url, Checks(size=size or None, md5=_md5(reply.headers)))


def _md5(headers: Mapping[str, str]) -> str | None:
    """The MD5 (hex) that Google's storage gives: 'crc32c=...==, md5=...=='."""
    for part in headers.get("x-goog-hash", "").split(","):
        name, _, value = part.strip().partition("=")
        if name == "md5":
            try:
                raw = base64.b64decode(value, validate=True)
            except ValueError:
                return None
            return raw.hex() if len(raw) == 16 else None
    return None
