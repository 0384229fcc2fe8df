"""Which names of kitbox are public, and where a package uses others."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from kitbox import contracts
from kitbox.names import uses

MODULES = ("contracts", "errors", "testing")
"""Modules whose own names, without an underscore before them, are public too."""


def private_uses(file: Path) -> list[str]:
    """The names of kitbox in a module of Python that are not public, each with its line.

    They are found by reading: see `kitbox.names.uses` for what that sees. A name of which only
    the beginning is known (`kitbox.{?}`) is told too.

    Raises:
        SyntaxError: when the file is no Python.
    """
    import kitbox

    text, exports = file.read_text(encoding="utf-8"), {"kitbox": kitbox.__all__}
    return [
        f"line {line}: {name}"
        for line, name in uses(text, "kitbox", exports, str(file))
        if not is_public(name)
    ]


def is_public(name: str) -> bool:
    """Whether a dotted name is one that a package may use, or none of kitbox's.

    `*` after a module means the names that it exports. Names of Python's own (`__doc__`) are
    public where what they belong to is.

    >>> is_public("kitbox.Options"), is_public("kitbox.errors.some"), is_public("torch.nn")
    (True, True, True)
    >>> is_public("kitbox.tasks"), is_public("kitbox.Nothing"), is_public("kitbox.testing.tasks")
    (False, False, False)
    >>> is_public("kitbox.Options._secret"), is_public("kitbox.Options.__name__")
    (False, True)
    """
    import kitbox

    package, *rest = name.split(".")
    if package != "kitbox" or not rest:
        return True
    if any(re.match(r"_(?!_\w+__$)", part) for part in rest):
        return False
    if rest[0] in MODULES:
        return len(rest) == 1 or _in(rest[0], rest[1])
    return rest[0] in ("__version__", "*") or rest[0] in kitbox.__all__


def _in(module: str, name: str) -> bool:
    """Whether a public module has a public name."""
    if name == "*":
        return True
    if name.startswith("_"):
        return False
    match module:
        case "testing":
            import kitbox.testing

            return name in kitbox.testing.__all__
        case "contracts":
            return name in contracts.__all__
        case _:
            source = Path(__file__).with_name(f"{module}.py").read_text(encoding="utf-8")
            return name in _defined(ast.parse(source))


def _defined(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names
