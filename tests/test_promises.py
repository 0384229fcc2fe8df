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
