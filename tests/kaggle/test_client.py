"""The client: keys in turn, trouble that passes, and nothing left behind."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from kaggle_client import KEY, TOKEN, USER, AtKaggle
from kaggle_server import Competition, No

from kitbox.errors import SourceError, SubmissionError
from kitbox.kaggle import client as clients
from kitbox.kaggle import keys
from kitbox.kaggle.client import Client
from kitbox.kaggle.keys import Key

GOOD = Key("the good place", username="good", secret="secret-1")
BAD = Key("the bad place", username="bad", secret="secret-2")


@pytest.fixture(autouse=True)
def _no_real_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "_load", lambda: lambda: SimpleNamespace(config_values=None))


def make(monkeypatch: pytest.MonkeyPatch, *found: Key, naps: list[float] | None = None) -> Client:
    monkeypatch.setattr(keys, "find", lambda: list(found))
    return Client(sleep=(naps if naps is not None else []).append)


def no(status: int, **headers: str) -> requests.HTTPError:
    reply = requests.Response()
    reply.status_code = status
    reply.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return requests.HTTPError(response=reply)


def test_the_first_key_that_is_taken_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[str] = []

    def request(api: Any) -> str:
        used.append(api.config_values["username"])
        if used[-1] == "bad":
            raise no(401)
        return "answer"

    client = make(monkeypatch, BAD, GOOD)
    assert client.ask("this", request) == client.ask("this", request) == "answer"
    assert used == ["bad", "good", "good"]


def test_no_key_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def request(api: Any) -> None:
        raise no(401)

    with pytest.raises(SubmissionError, match="the bad place, the good place") as caught:
        make(monkeypatch, BAD, GOOD).ask("this", request, error=SubmissionError)
    assert "secret-" not in str(caught.value)


def test_a_refusal_is_no_reason_for_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def request(api: Any) -> None:
        raise no(403)

    with pytest.raises(SourceError, match="by hint"):
        make(monkeypatch, GOOD, BAD).ask("this", request, hints={403: "by hint"})


@pytest.mark.parametrize(
    ("troubles", "tries", "naps"),
    [
        ([no(503), requests.ConnectionError(), None], 3, [1.0, 2.0]),
        ([no(429, Retry_After="7"), None], 3, [7.0]),
        ([no(503), no(503), no(503), None], 3, None),
        ([requests.ConnectionError(), None], 1, None),
        ([no(429, Retry_After="61"), None], 3, None),
    ],
)
def test_trouble_that_may_pass(
    monkeypatch: pytest.MonkeyPatch,
    troubles: list[Exception | None],
    tries: int,
    naps: list[float] | None,
) -> None:
    left, slept = list(troubles), list[float]()

    def request(api: Any) -> str:
        if trouble := left.pop(0):
            raise trouble
        return "answer"

    client = make(monkeypatch, GOOD, naps=slept)
    if naps is None:
        with pytest.raises(SourceError):
            client.ask("this", request, tries=tries)
        assert left == [None]
    else:
        assert client.ask("this", request, tries=tries) == "answer"
        assert slept == naps


def test_the_environment_and_output_during_a_request(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    before = {"KAGGLE_API_TOKEN": "another", "KAGGLE_API_V1_TOKEN": "/x", "VERBOSE": "1"}
    for name, value in before.items():
        monkeypatch.setenv(name, value)
    seen: dict[str, str] = {}

    def request(api: Any) -> None:
        sys.stdout.write("a signed address")
        seen.update(os.environ)
        raise no(400)

    client = make(monkeypatch, Key("here", username="u", secret="s"))
    with pytest.raises(SourceError):
        client.ask("this", request)
    assert seen["KAGGLE_API_TOKEN"] == os.devnull
    assert not {"KAGGLE_API_V1_TOKEN", "VERBOSE"} & set(seen)
    assert {name: os.environ[name] for name in before} == before
    assert capfd.readouterr() == ("", "")


def test_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match="no key"):
        make(monkeypatch)
    assert Client(anonymous=True).keys == [clients.ANONYMOUS]


def test_a_server_that_never_answers(at_kaggle: AtKaggle) -> None:
    """The SDK would wait for ever."""
    at_kaggle.server.competitions["dogs"] = Competition({"a.csv": b"1"})
    code = (
        "import socket, os, pathlib\n"
        "deaf = socket.create_server(('127.0.0.1', 0))\n"
        "for name in ('HTTP_PROXY', 'http_proxy'):\n"
        "    os.environ[name] = f'http://127.0.0.1:{deaf.getsockname()[1]}'\n"
        "from kitbox.errors import SourceError\n"
        "from kitbox.kaggle import client\n"
        "from kitbox.sources.kaggle import Kaggle\n"
        "client._TIMEOUT = (0.2, 0.2)\n"
        "try: Kaggle(competition='dogs').fetch(pathlib.Path('cache'))\n"
        "except SourceError as error: print(error)\n"
    )
    done = at_kaggle.python(code)
    assert done.stdout.startswith("Kaggle cannot be reached"), done.stderr


@pytest.mark.parametrize("fault", [None, 400, 403, 404])
def test_a_token_that_has_expired_gives_way(at_kaggle: AtKaggle, fault: int | None) -> None:
    at_kaggle.server.competitions["dogs"] = Competition({"a.csv": b"1"})
    at_kaggle.variables = {
        "KAGGLE_API_TOKEN": "KGAT_expired_expired",
        "KAGGLE_USERNAME": USER,
        "KAGGLE_KEY": KEY,
    }
    if fault:
        at_kaggle.server.faults["IntrospectToken"] = [No(fault)]
    assert (at_kaggle.fetch(competition="dogs") / "a.csv").read_bytes() == b"1"
    assert at_kaggle.server.count("IntrospectToken") == 1
    assert "does not take the key from KAGGLE_API_TOKEN" in at_kaggle.said


def test_a_token_is_asked_about_once(at_kaggle: AtKaggle) -> None:
    at_kaggle.server.competitions["dogs"] = Competition({f"{n}.csv": b"1" for n in range(45)})
    at_kaggle.fetch(competition="dogs")
    assert at_kaggle.server.count("ListDataFiles") == 3
    assert at_kaggle.server.count("IntrospectToken") == 1


def test_a_bought_token_is_not_shown(at_kaggle: AtKaggle) -> None:
    at_kaggle.server.competitions["dogs"] = Competition({"a.csv": b"1"})
    at_kaggle.server.refreshes["refresh-0123456789"] = TOKEN
    at_kaggle.give(".kaggle/credentials.json", '{"refresh_token": "refresh-0123456789"}')
    at_kaggle.variables = {}
    at_kaggle.server.faults["ListDataFiles"] = [No(503)] * 3
    assert "503 Bearer ***" in at_kaggle.refused(competition="dogs")
