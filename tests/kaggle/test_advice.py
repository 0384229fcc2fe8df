"""Refusals put into words."""

from __future__ import annotations

import pytest
import requests

from kitbox.kaggle import advice
from kitbox.kaggle.keys import Key

SIGNED = "https://storage.example/a.zip?X-Goog-Signature=0123456789abcdef"


def reply(status: int, body: str = "", kind: str = "application/json", **headers: str) -> object:
    made = requests.Response()
    made.status_code = status
    made.reason = "Reason"
    made.url = SIGNED
    made._content = body.encode()
    made.headers.update({"Content-Type": kind, **headers})
    return made


def caught(error: BaseException) -> BaseException:
    with pytest.raises(Exception) as raised, advice.translated():  # noqa: PT011
        raise error
    assert "0123456789abcdef" not in str(raised.value)
    assert raised.value.__suppress_context__
    return raised.value


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (reply(403, '{"code": 403, "message": "rules"}'), 403, "rules"),
        (reply(200, '{"code": 404, "message": "in the body alone"}'), 404, "in the body alone"),
        (reply(400, '{"code": 400, "message": ""}'), 400, "Reason"),
        (reply(403, "<html>", "text/html"), 403, "Reason"),
        (reply(500, "{"), 500, "Reason"),
        (reply(404, "[3]"), 404, "Reason"),
    ],
)
def test_refusals(answer: requests.Response, status: int, said: str) -> None:
    error = caught(requests.HTTPError(f"for url {SIGNED}", response=answer))
    assert isinstance(error, advice.Refused)
    assert (error.status, error.said) == (status, said)
    assert isinstance(error, advice.Passing) == (status >= 429)


def test_pauses() -> None:
    soon = caught(requests.HTTPError(response=reply(429, Retry_After="x")))  # type: ignore[arg-type]
    assert isinstance(soon, advice.Later)
    assert soon.wait is None
    answer = reply(429)
    answer.headers["Retry-After"] = "600"  # type: ignore[attr-defined]
    late = caught(requests.HTTPError(response=answer))  # type: ignore[arg-type]
    assert isinstance(late, advice.Later)
    assert late.wait == 600
    assert "10 minutes" in advice.general(late)


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectionError(f"Max retries exceeded with url: {SIGNED}"),
        requests.Timeout(SIGNED),
        ConnectionResetError(104, "reset"),
        requests.exceptions.SSLError(SIGNED),
    ],
)
def test_no_answer(error: Exception) -> None:
    assert isinstance(caught(error), advice.Unreachable)


@pytest.mark.parametrize(
    "error",
    [
        ValueError(SIGNED),
        KeyError(SIGNED),
        SystemExit(1),
        TypeError(),
        requests.HTTPError(SIGNED),
        requests.exceptions.JSONDecodeError(SIGNED, "", 0),
    ],
)
def test_answers_without_sense(error: BaseException) -> None:
    assert isinstance(caught(error), advice.Nonsense)


def test_words_are_short_and_hold_no_key() -> None:
    refused = advice.Refused(401, "key  tok\n" + "x" * 1000)
    said = refused.shown([Key("here", token="tok")])
    assert said.startswith("401 key *** xxx")
    assert len(said) < 320
    assert "\n" not in said


@pytest.mark.parametrize("status", [400, 401, 403, 404, 418, 429, 500, 503])
def test_every_status_has_advice(status: int) -> None:
    assert len(advice.general(advice.Refused(status, ""))) > 10
