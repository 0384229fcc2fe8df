"""docs/promises.md names tests that are there, and every promise has one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
KEPT, _, _ = PAGE.partition("## What is not promised")
PROMISES = re.findall(r"^- (?:.+\n?(?:  .+\n?)*)", KEPT, re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_every_promise_names_its_tests() -> None:
    assert len(PROMISES) > 15
    assert [promise for promise in PROMISES if not NAMED.search(promise)] == []


@pytest.mark.parametrize(("file", "test"), NAMED.findall(PAGE))
def test_a_named_test_is_there(file: str, test: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    found = re.search(rf"((?:^@.*\n(?:^[ )].*\n)*)*)^def {test}\(", text, re.MULTILINE)
    assert found, f"{file} has no {test}"
    assert "skip(" not in found[1]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise[2:40])
def test_a_promise_has_a_test_whose_fixtures_do_not_skip(promise: str) -> None:
    assert [test for file, test in NAMED.findall(promise) if not skips(file, test)]


def skips(file: str, test: str) -> bool:
    """Whether a fixture that a test takes from its own file may skip it."""
    text = (ROOT / file).read_text(encoding="utf-8")
    taken = re.search(rf"^def {test}\((.*?)\)", text, re.MULTILINE | re.DOTALL)
    assert taken
    return any(
        "skip(" in fixture
        for name in re.findall(r"\w+", re.sub(r":[^,]*", "", taken[1]))
        for fixture in re.findall(
            rf"^@pytest\.fixture.*\ndef {name}\((?:.*\n)(?:[ )].*\n|\n)*", text, re.MULTILINE
        )
    )


def test_a_fixture_that_skips_is_seen() -> None:
    assert skips("tests/test_cut_short.py", "test_a_full_disk_keeps_the_last_checkpoint")
