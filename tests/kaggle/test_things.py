"""Competitions, datasets and models: their versions."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kitbox.errors import SourceError
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
