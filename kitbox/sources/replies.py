"""What a web server's reply means, and what to do about one that brings no file."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from kitbox.errors import SourceError

if TYPE_CHECKING:
    import requests

LONGEST = 300.0
"""A server that asks for a longer pause (seconds) is believed, and the run stops."""

LATER = {408, 425, 429, 500, 502, 503, 504}
"""Statuses after which another try may help."""

_ADVICE = {
    401: "Log in on a computer, download it there, and give the file's path instead",
    403: "Its rules may have to be accepted, or the address has expired; "
    "a file downloaded by hand can be given by its path",
    404: "Check the address for a slip; a file downloaded by hand can be given by its path",
    410: "Look for its new place, and correct the address",
}
_LOCAL = "Give the path of a local file instead (url: /path/to/archive)"


class Again(Exception):  # noqa: N818 - it is no error yet: another try may help
    """Trouble that may pass.

    Attributes:
        wait: seconds that the server asks to wait, or None.
    """

    def __init__(self, trouble: str, *, wait: float | None = None) -> None:
        self.wait = wait
        super().__init__(trouble)


def check(reply: requests.Response, address: str) -> None:
    """Let pass only a reply that brings the file or a piece of it (200, 206).

    Raises:
        Again: when another try may help.
        SourceError: when it will not.
    """
    code = reply.status_code
    if code in (200, 206):
        return
    said = f"the server answered {code} {reply.reason or ''}".strip()
    if code not in LATER:
        raise SourceError(f"{address} cannot be had", found=said, do=_ADVICE.get(code, _LOCAL))
    wait = pause(reply.headers.get("Retry-After", ""))
    if wait is not None and wait > LONGEST:
        raise SourceError(
            f"{address} cannot be had now",
            found=f"{said} and asks to wait {wait / 60:.0f} minutes",
            do=f"Run again then. {_LOCAL}",
        )
    raise Again(said, wait=wait)


def pause(header: str) -> float | None:
    """Seconds to wait by a `Retry-After` header (seconds or a date), or None.

    >>> pause("7")
    7.0
    """
    if re.fullmatch(r"\s*\d{1,9}\s*", header):
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None


def start(reply: requests.Response) -> int | None:
    """Where in the file the bytes of a 206 begin."""
    found = re.match(r"\s*bytes\s+(\d+)-", reply.headers.get("Content-Range", ""))
    return int(found[1]) if found else None


def total(reply: requests.Response) -> int | None:
    """Bytes of the whole file, where the reply says so."""
    if reply.status_code in (206, 416):
        found = re.search(r"/\s*(\d+)\s*$", reply.headers.get("Content-Range", ""))
        return int(found[1]) if found else None
    length = reply.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def unreachable(address: str, trouble: Again, tries: int) -> SourceError:
    """The error for when trying has not helped."""
    return SourceError(
        f"{address} cannot be reached (tried {tries} times)",
        found=str(trouble),
        do=f"Turn the internet on (in a kernel's settings) and run again. {_LOCAL}",
    )


@contextmanager
def translated(address: str) -> Iterator[None]:
    """Turn the exceptions of requests and urllib3 into ours.

    Raises:
        Again: for a connection that failed or broke off.
        SourceError: for an address or a certificate that no second try makes right.
    """
    import requests
    import urllib3

    try:
        yield
    except requests.exceptions.SSLError as error:
        raise SourceError(
            f"{address} cannot be trusted: its certificate does not hold",
            do=f"Check the computer's clock and the address. {_LOCAL}",
        ) from error
    except (requests.ConnectionError, requests.Timeout) as error:
        raise Again(f"the connection failed ({cause(error)})") from error
    except requests.RequestException as error:
        raise SourceError(
            f"{address} cannot be had", found=cause(error), do="Check the address"
        ) from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Again(f"the connection broke off ({cause(error)})") from error


def cause(error: BaseException) -> str:
    """The innermost reason's kind; its text could hold the address with its keys."""
    while (inner := getattr(error, "reason", None) or error.__context__) is not None:
        if not isinstance(inner, BaseException):
            break
        error = inner
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
