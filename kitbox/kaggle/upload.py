"""Putting a file where Kaggle says, with an end and a reason where it fails."""

from __future__ import annotations

from kitbox.sources import replies


def put(path: str, address: str, timeout: tuple[float, float]) -> str:
    """Upload a file to a signed address.

    Args:
        path: of the file.
        address: where to.
        timeout: seconds: to connect, and for an answer.

    Returns:
        Why it failed, or ''. Of the storage's words it holds the status alone: the others
        may hold the signature.
    """
    import requests
    from requests.adapters import HTTPAdapter

    with requests.Session() as session, open(path, "rb") as file:
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(max_retries=2))  # where nothing was sent yet
        try:
            reply = session.put(address, data=file, timeout=timeout)
        except requests.RequestException as error:
            return f"the connection failed ({replies.cause(error)})"
    if reply.status_code in (200, 201):
        return ""
    return f"the storage answered {reply.status_code} {reply.reason or ''}".strip()
