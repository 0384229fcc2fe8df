"""Which contract tests the tests of a package inherit."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

TESTING = "kitbox.testing"


def inherited(files: Iterable[Path]) -> set[str]:
    """The classes of `kitbox.testing` that classes which pytest collects derive from.

    Directly, or by classes between them in any of the files. Collected are classes called
    `Test...`, without `__test__ = False`, in files called `test_*.py` or `*_test.py`.
    """
    bases: dict[str, set[str]] = {}
    collected = set()
    for file in files:
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"))
        except (SyntaxError, ValueError, OSError, RecursionError, MemoryError):
            continue
        known = _imported(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                name = f"{file.stem}.{node.name}"
                bases[name] = {_dotted(base, known, file.stem) for base in node.bases}
                if is_test(file.name) and node.name.startswith("Test") and not _hidden(node):
                    collected.add(name)
    reached, fresh = set(collected), set(collected)
    while fresh:
        fresh = {base for name in fresh for base in bases.get(_last(name, 2), ())} - reached
        reached |= fresh
    return {_last(name, 1) for name in reached if name.startswith(f"{TESTING}.")}


def is_test(name: str) -> bool:
    """Whether pytest looks for tests in a file of this name."""
    return name.endswith(".py") and (name.startswith("test_") or name.endswith("_test.py"))


def _imported(tree: ast.Module) -> dict[str, str]:
    """What the names that a module imports stand for."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found |= {one.asname: one.name for one in names if one.asname}
            case ast.ImportFrom(module=str(module), names=names):
                found |= {one.asname or one.name: f"{module}.{one.name}" for one in names}
    return found


def _dotted(base: ast.expr, known: dict[str, str], module: str) -> str:
    """A base class of a module by its dotted name, without the arguments of a generic one."""
    while isinstance(base, ast.Subscript):
        base = base.value
    first, dot, rest = ast.unparse(base).partition(".")
    whole = first if first == "kitbox" else known.get(first, f"{module}.{first}")
    return f"{whole}{dot}{rest}"


def _last(name: str, parts: int) -> str:
    """The last parts of a dotted name."""
    return ".".join(name.split(".")[-parts:])


def _hidden(node: ast.ClassDef) -> bool:
    """Whether it says `__test__ = False`."""
    return any(
        isinstance(one, ast.Assign | ast.AnnAssign)
        and "__test__" in ast.unparse(one)
        and isinstance(one.value, ast.Constant)
        and not one.value.value
        for one in node.body
    )
