"""What a package imports, and whether it declares the distributions that bring it."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path

from kitbox.errors import some
from kitbox.installed import canonical

OURS = "kitbox"


def imports(text: str) -> set[str]:
    """The top-level modules that a module needs when it runs, in whatever place it imports them.

    Not those for type checkers alone, nor those that it can do without (in a `try` that catches
    the ImportError).

    >>> sorted(imports("import os.path, numpy as np\\nfrom torch.nn import Linear"))
    ['numpy', 'os', 'torch']

    Raises:
        SyntaxError: when the text is no Python.
    """
    return {name for node in _needed(ast.parse(text)) for name in _named(node)}


def undeclared(
    files: Iterable[Path], own: Iterable[str], requirements: Iterable[str]
) -> dict[str, list[str]]:
    """The modules that files import and that no requirement brings, each with its files.

    A file that cannot be read, or is no Python, is passed over.

    Args:
        own: the package's own top-level modules.
        requirements: those that are declared, as `numpy>=2`.
    """
    known = {*own, OURS, *sys.stdlib_module_names}
    declared = {name_of(one) for one in requirements}
    found: dict[str, list[str]] = {}
    for file in files:
        try:
            names = imports(file.read_text(encoding="utf-8"))
        except (SyntaxError, ValueError, OSError, RecursionError, MemoryError):
            continue
        for name in sorted(names - known):
            if not declared & {canonical(one) for one in (*brought_by(name), name)}:
                found.setdefault(name, []).append(file.name)
    return dict(sorted(found.items()))


def line_for(modules: Iterable[str]) -> str:
    """What to add to a list of requirements so that modules are declared: `"numpy>=2.0"`, ...

    Those that kitbox needs as well get its lower bound.
    """
    ours = {name_of(one): one for one in _requires(OURS)}
    lines = []
    for module in modules:
        names = sorted(brought_by(module), key=lambda name: (canonical(name) not in ours, name))
        if not names:
            lines.append(f"what brings {module}")
            continue
        bound = re.search(r">=\s*[\w.]+", ours.get(canonical(names[0]), ""))
        others = f" (or {some(names[1:])})" if names[1:] else ""
        lines.append(f'"{canonical(names[0])}{bound[0] if bound else ""}"{others}')
    return ", ".join(dict.fromkeys(lines))


def name_of(requirement: str) -> str:
    """The distribution that a requirement names, as PEP 503 spells it.

    >>> name_of("Scikit_Learn[x] >=1.6; python_version > '3'")
    'scikit-learn'
    """
    return canonical(re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0])


def brought_by(module: str) -> Sequence[str]:
    """The installed distributions that bring a top-level module."""
    return sorted(set(_distributions().get(module, ())))


@cache
def _distributions() -> Mapping[str, Sequence[str]]:
    return metadata.packages_distributions()


def _requires(name: str) -> Sequence[str]:
    try:
        return metadata.requires(name) or ()
    except metadata.PackageNotFoundError:
        return ()


def _needed(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports below a node that are needed when it runs."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Import() | ast.ImportFrom():
                yield child
            case ast.If(test=test) if ast.unparse(test).endswith("TYPE_CHECKING"):
                for other in child.orelse:
                    yield from _needed(ast.Module([other], []))
            case ast.Try(handlers=handlers) if any(_forgives(one) for one in handlers):
                for other in (*child.orelse, *child.finalbody):
                    yield from _needed(ast.Module([other], []))
            case _:
                yield from _needed(child)


def _forgives(handler: ast.ExceptHandler) -> bool:
    """Whether it catches the ImportError of a module that is not there, and goes on."""
    caught = ast.unparse(handler.type) if handler.type else "Exception"
    errors = set(re.findall(r"\w+", caught))
    goes_on = not any(isinstance(node, ast.Raise) for node in ast.walk(handler))
    return goes_on and bool(errors & {"ImportError", "ModuleNotFoundError", "Exception"})


def _named(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    return [node.module.partition(".")[0]] if node.module and not node.level else []
