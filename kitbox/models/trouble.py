"""What went wrong on the network, without what its libraries wrap around it."""

from __future__ import annotations

import re


def told(error: BaseException) -> str:
    """An error of `requests`, `urllib3` or the hub's client in a few words, in one line."""
    import requests
    from urllib3.exceptions import MaxRetryError, NameResolutionError, ProxyError

    cause: object = error
    if isinstance(error, requests.RequestException) and error.args:
        cause = error.args[0]
    if isinstance(cause, MaxRetryError):
        cause = cause.reason
    where = ""
    if isinstance(cause, ProxyError):
        cause, where = cause.original_error, "of the proxy: "
    if isinstance(cause, NameResolutionError):
        return f"{where}the server's name cannot be looked up: there is no network here, or no DNS"
    if isinstance(error, requests.Timeout):
        return f"{where}the connection timed out"
    text = re.sub(r"<[^>]* at 0x[0-9a-f]+>: |\w+\(host=[^)]*\): ", "", str(cause or error))
    lines = text.strip().splitlines()
    return where + (lines[0].strip() if lines else type(error).__name__)
