"""Tests of what dotted names a module uses."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from kitbox.names import UNKNOWN, uses

ROOT = Path(__file__).resolve().parents[1]


def test_lines_and_names() -> None:
    text = "import json as j\n\nprint(j.decoder.JSONDecoder, j.x().json)\nimport jsonschema\n"
    assert uses(text, "json", {}) == [
        (1, "json"),
        (3, "json.decoder.JSONDecoder"),
        (3, "json.x"),
    ]


def test_an_inner_scope_hides_a_name() -> None:
    text = """
import json as j
def f(j, a=j.outer):
    j.argument
    def g():
        import json as j
        j.inner
class C:
    j = 3
    j.field
j.last
"""
    assert {name for _, name in uses(text, "json", {})} == {
        "json", "json.outer", "json.inner", "json.last",
    }  # fmt: skip


def test_names_made_of_each_other_end() -> None:
    text = "a = b\nb = a\na.x\nimport importlib\nimportlib.import_module(a)\nc = c + 'x'\nf'{c}'"
    assert uses(text, "json", {}) == []


def test_what_is_not_constant_is_marked() -> None:
    text = "import importlib as i\ni.import_module('json.' + input())"
    assert uses(text, "json", {}) == [(2, f"json.{UNKNOWN}")]


def test_no_python() -> None:
    with pytest.raises(SyntaxError):
        uses("def", "json", {})


@pytest.mark.parametrize("path", sorted((ROOT / "kitbox").glob("*.py")), ids=lambda p: p.name)
def test_all_that_is_imported_plainly_is_found(path: Path) -> None:
    """Compared with a search for `from kitbox... import` alone."""
    text = path.read_text()
    plain = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "kitbox"
        for alias in node.names
    }
    assert plain <= {name for _, name in uses(text, "kitbox", {})}
