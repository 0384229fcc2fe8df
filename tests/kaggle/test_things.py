"""Competitions, datasets and models: their versions and addresses."""

from __future__ import annotations

import base64
import hashlib
from types import SimpleNamespace
from typing import Any

import pytest

from kitbox.errors import SourceError
from kitbox.kaggle import things
from kitbox.kaggle.things import Competition, Dataset, Model, Version


class Asked:
    """Stands for `Client`: answers in turn."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def ask(self, doing: str, request: Any, **options: Any) -> Any:
        return self.answers.pop(0)


def page(names: dict[str, int], token: str = "", date: str = "2026") -> SimpleNamespace:
    files = [
        SimpleNamespace(name=name, total_bytes=size, creation_date=date)
        for name, size in names.items()
    ]
    return SimpleNamespace(files=files, next_page_token=token)


def version(*pages: SimpleNamespace) -> Version:
    return Competition("dogs").newest(Asked(*pages))  # type: ignore[arg-type]


def test_a_competitions_version_is_its_file_list() -> None:
    one = version(page({"a": 1}, "2"), page({"b": 2}))
    assert one.files == {"a": 1, "b": 2}
    assert one == version(page({"a": 1, "b": 2}))
    others = [page({"a": 1}), page({"a": 1, "b": 3}), page({"a": 1, "c": 2})]
    others.append(page({"a": 1, "b": 2}, date="2027"))
    assert len({one.name, *(version(other).name for other in others)}) == 5


def test_a_list_that_never_ends() -> None:
    assert version(page({"a": 1}, "same"), page({"b": 1}, "same")).files == {"a": 1, "b": 1}
    assert len(version(*(page({str(n): 1}, str(n)) for n in range(200))).files) == 100


def test_nothing_there() -> None:
    with pytest.raises(SourceError, match="no files"):
        version(page({}))
    with pytest.raises(SourceError, match="no version"):
        Dataset("mona", "cats").newest(Asked(0))  # type: ignore[arg-type]


def test_versions_that_were_asked_for() -> None:
    assert Competition("dogs").wanted() is None
    assert Dataset("mona", "cats").wanted() is None
    assert Dataset("mona", "cats", 3).wanted() == Version("3")
    assert Model("o", "m", "f", "v", 4).wanted() == Version("4")


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
    address = things._led_to(reply)
    assert reply.closed
    assert (address.checks.size, address.checks.md5) == (7, digest.hexdigest())
    assert "signature" not in repr(address)
    # The length of what was packed for the way says nothing of the file.
    packed = things._led_to(Reply({**headers, "Content-Encoding": "gzip"}, [object()]))
    assert packed.checks.size is None
    for odd in ("md5=??", "md5=QUJD", "", "crc32c=AAAAAA=="):
        assert things._led_to(Reply({"x-goog-hash": odd}, [object()])).checks.md5 is None
    with pytest.raises(SourceError, match="no address"):
        things._led_to(Reply(headers, []))
