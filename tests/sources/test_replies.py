from __future__ import annotations

import time
from email.utils import formatdate

import pytest
import requests
import urllib3

from kitbox.errors import SourceError
from kitbox.sources import replies


def reply(status, **headers):
    made = requests.Response()
    made.status_code = status
    made.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return made


def test_pause():
    assert replies.pause("12") == 12
    assert replies.pause("") is None
    assert replies.pause("soon") is None
    assert replies.pause("-5") is None
    assert replies.pause(formatdate(time.time() + 60, usegmt=True)) == pytest.approx(60, abs=3)
    assert replies.pause(formatdate(time.time() - 60, usegmt=True)) == 0


def test_start_and_total():
    assert replies.start(reply(206, Content_Range="bytes 5-9/10")) == 5
    assert replies.start(reply(206)) is None
    assert replies.total(reply(206, Content_Range="bytes 5-9/10")) == 10
    assert replies.total(reply(206, Content_Range="bytes 5-9/*", Content_Length="5")) is None
    assert replies.total(reply(416, Content_Range="bytes */10")) == 10
    assert replies.total(reply(200, Content_Length="10")) == 10
    assert replies.total(reply(200, Content_Length="ten")) is None


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_later(status):
    with pytest.raises(replies.Again) as caught:
        replies.check(reply(status, Retry_After="3"), "a")
    assert caught.value.wait == 3


@pytest.mark.parametrize("status", [204, 304, 400, 401, 403, 404, 410, 451, 501])
def test_never(status):
    with pytest.raises(SourceError, match=str(status)):
        replies.check(reply(status), "a")


@pytest.mark.parametrize("status", [200, 206])
def test_now(status):
    replies.check(reply(status), "a")


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (requests.ConnectionError("x"), replies.Again),
        (requests.Timeout("x"), replies.Again),
        (urllib3.exceptions.ProtocolError("x"), replies.Again),
        (ConnectionResetError("x"), replies.Again),
        (requests.exceptions.SSLError("x"), SourceError),
        (requests.TooManyRedirects("x"), SourceError),
        (requests.exceptions.InvalidURL("x"), SourceError),
    ],
)
def test_translated(raised, expected):
    with pytest.raises(expected) as caught, replies.translated("a"):
        raise raised
    assert caught.value.__cause__ is raised
