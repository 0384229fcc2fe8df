"""Which names of kitbox are public, and where a package uses others."""

from __future__ import annotations

import ast
from pathlib import Path

MODULES = ("contracts", "errors", "testing")
"""Modules whose own names, without an underscore before them, are public too."""


def private_uses(file: Path) -> list[str]:
    """The names of kitbox in a module of Python that are not public, each with its line.

    Raises:
        SyntaxError: when the file is no Python.
    """
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    found = [
        (getattr(node, "lineno", 0), name)
        for node in ast.walk(tree)
        for name in _named(node)
        if not is_public(name)
    ]
    return [f"line {line}: {name}" for line, name in sorted(set(found))]


def is_public(name: str) -> bool:
    """Whether a dotted name is one that a package may use, or none of kitbox's.

    >>> is_public("kitbox.Options"), is_public("kitbox.errors.some"), is_public("torch.nn")
    (True, True, True)
    >>> is_public("kitbox.tasks"), is_public("kitbox.Nothing"), is_public("kitbox.testing.tasks")
    (False, False, False)
    """
    import kitbox

    package, *rest = name.split(".")
    if package != "kitbox" or not rest:
        return True
    if rest[0] in MODULES:
        return len(rest) == 1 or _in(rest[0], rest[1])
    return rest[0] == "__version__" or rest[0] in kitbox.__all__


def _in(module: str, name: str) -> bool:
    """Whether a public module has a public name."""
    if name.startswith("_"):
        return False
    if module == "testing":
        import kitbox.testing

        return name in kitbox.testing.__all__
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


def _named(node: ast.AST) -> list[str]:
    """The dotted names of kitbox that a node uses."""
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names if _ours(alias.name)]
        case ast.ImportFrom(module=str(module), names=names, level=0) if _ours(module):
            return [f"{module}.{alias.name}" for alias in names]
        case ast.Attribute():
            dotted = ast.unparse(node)
            return [dotted] if _ours(dotted) and dotted.replace(".", "").isidentifier() else []
        case ast.Call(args=[ast.Constant(value=str(name)), *_], func=function):
            called = ast.unparse(function)
            return [name] if called.endswith(("import_module", "__import__")) else []
    return []


def _ours(name: str) -> bool:
    return name.partition(".")[0] == "kitbox"
