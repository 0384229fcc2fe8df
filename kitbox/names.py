"""The dotted names that a module of Python uses, as far as reading it tells."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

UNKNOWN = "{?}"
"""Stands for what is only known when the module runs."""
LOADERS = (
    "importlib.import_module",
    "importlib.util.find_spec",
    "builtins.__import__",
    "__import__",
    "pkgutil.resolve_name",
    "runpy.run_module",
)
"""What loads a module, or finds it, by its name."""
NAME = ("name", "mod_name", "target")
"""Keywords by which that name, or what is patched, may be given."""
ITEMS = ("get", "pop", "__getitem__")
"""Methods of mappings that give one of their values."""
PATCHERS = ("patch", "setattr", "delattr")
"""Methods that change what a dotted name stands for, as `monkeypatch` and `mock` have them."""
_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


Bound = dict[str, "str | ast.expr | None"]
"""The names of a scope: a dotted name, an expression, or None for what is not followed."""


def uses(
    text: str, package: str, exports: Mapping[str, Collection[str]], path: str = "<text>"
) -> list[tuple[int, str]]:
    """Line and dotted name of all that a module uses of a package, sorted.

    Followed are imports under any name, names given to modules, `getattr`, `vars`, `__dict__`,
    `sys.modules` (these by `[...]` and by `.get`), functions that import by name, and patches. A
    name put together of constants is put together; `{?}` stands for what is not constant.
    Not seen is what leaves the module: a name read from a file, given to a function, given back
    by one or kept in a container or an attribute; arguments given by `*` and `**`; functions
    under other names than an import or an assignment gives (`functools.partial`,
    `operator.attrgetter`); `exec` and `eval`; relative imports, which are the package's own. Of
    a name with several values the first is followed.

    Args:
        text: the module.
        package: whose names are looked for; names of others are left out.
        exports: the names that `*` brings, by module.

    Raises:
        SyntaxError: when the text is no Python.
    """
    tree = ast.parse(text, path)
    reader = _Reader(package, exports)
    reader.enter(tree, tree.body)
    return sorted(set(reader.found))


class _Reader:
    """Walks a module with the names that each scope binds: scopes, inner ones last."""

    def __init__(self, package: str, exports: Mapping[str, Collection[str]]) -> None:
        self.package, self.exports = package, exports
        self.found: list[tuple[int, str]] = []
        self._scopes: list[Bound] = []
        self._open: set[int] = set()

    def enter(self, scope: ast.AST, body: Sequence[ast.AST]) -> None:
        """Read what lies in a scope: what it binds first."""
        bound: Bound = {}
        if isinstance(scope, _FUNCTIONS):
            bound = dict.fromkeys(_parameters(scope.args))
        for node in _own(body):
            _bind(node, bound, self.exports)
        self._scopes.append(bound)
        for node in body:
            self._read(node)
        self._scopes.pop()

    def _read(self, node: ast.AST) -> None:
        """Note what a node uses, and go on in it."""
        self.found += [(getattr(node, "lineno", 0), name) for name in self._named(node)]
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                inside = node.body if isinstance(node.body, list) else [node.body]
                for outside in ast.iter_child_nodes(node):
                    if outside not in inside:
                        self._read(outside)
                self.enter(node, inside)
            case ast.ClassDef(body=body):
                for outside in ast.iter_child_nodes(node):
                    if outside not in body:
                        self._read(outside)
                self.enter(node, body)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self.enter(node, list(ast.iter_child_nodes(node)))
            case ast.Attribute() if self._dotted(node):
                if not isinstance(node.value, ast.Attribute | ast.Name):
                    self._read(node.value)
            case _:
                for child in ast.iter_child_nodes(node):
                    self._read(child)

    def _named(self, node: ast.AST) -> Iterator[str]:
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names if self._ours(alias.name))
            case ast.ImportFrom(module=str(module), names=names, level=0) if self._ours(module):
                yield from (f"{module}.{alias.name}" for alias in names)
            case ast.Attribute() | ast.Subscript() | ast.Call():
                for name in (self._dotted(node), self._told(node)):
                    if name is not None and self._ours(name):
                        yield name

    def _ours(self, name: str) -> bool:
        return name == self.package or name.startswith(f"{self.package}.")

    def _told(self, node: ast.AST) -> str | None:
        """The name that a call gives to a function as str, to patch what it stands for."""
        match node:
            case ast.Call(func=ast.Attribute(attr=called)) if called in PATCHERS:
                first = _first(node)
            case ast.Call(func=ast.Name() as function):
                called = self._dotted(function) or ""
                first = _first(node) if called.rpartition(".")[2] in PATCHERS else None
            case _:
                return None
        return None if first is None else self._text(first)

    def _dotted(self, node: ast.AST) -> str | None:
        """The dotted name that an expression stands for, where that is known."""
        match node:
            case ast.Name(id=name):
                return self._looked_up(name)
            case ast.Attribute(value=value, attr=name):
                return _join(self._dotted(value), name)
            case ast.Subscript(value=value, slice=key):
                return self._item(value, key)
            case ast.Call(func=ast.Attribute(value=value, attr=method), args=[key, *_]) if (
                method in ITEMS
            ):
                return self._item(value, key)
            case ast.Call(func=function) if (first := _first(node)) is not None:
                return self._called(self._dotted(function), first, node.args[1:], node.keywords)
        return None

    def _item(self, mapping: ast.expr, key: ast.expr) -> str | None:
        """What `mapping[key]` stands for: a module, or a part of one."""
        whole, part = self._dotted(mapping) or "", self._text(key)
        if whole.endswith(".__dict__"):
            return _join(whole.removesuffix(".__dict__"), part or UNKNOWN)
        return part if whole == "sys.modules" else None

    def _called(
        self,
        function: str | None,
        first: ast.expr,
        others: list[ast.expr],
        keywords: list[ast.keyword],
    ) -> str | None:
        """What a call gives back, where that is a module or a part of one."""
        if function == "getattr" and others:
            name = self._dotted(first)
            return _join(name, self._text(others[0]) or UNKNOWN) if name else None
        if function == "vars":
            return _join(self._dotted(first), "__dict__")
        if function not in LOADERS:
            return None
        name = self._text(first)
        if name is not None and name.startswith("."):
            beside = [*others, *(one.value for one in keywords if one.arg == "package")]
            start = self._text(beside[0]) if beside else None
            return None if start is None else start + name
        return None if name is None else name.replace(":", ".")

    def _looked_up(self, name: str) -> str | None:
        """What a bare name stands for; itself, where no scope binds it."""
        depth, bound = self._bound(name)
        return self._at(depth, bound, self._dotted) if isinstance(bound, ast.expr) else bound

    def _bound(self, name: str) -> tuple[int, str | ast.expr | None]:
        """What a name is bound to, and in which scope; itself, where no scope binds it."""
        for depth, scope in reversed(list(enumerate(self._scopes))):
            if name in scope:
                return depth, scope[name]
        return -1, name

    def _text(self, node: ast.expr) -> str | None:
        """The str that an expression gives; `{?}` for the parts that are not constant.

        None where nothing of it is constant.
        """
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.FormattedValue(value=value):
                return self._text(value)
            case ast.Name(id=name):
                depth, bound = self._bound(name)
                return self._at(depth, bound, self._text) if isinstance(bound, ast.expr) else None
            case _:
                return self._put_together(node)

    def _put_together(self, node: ast.expr) -> str | None:
        """The same, of a text that is made of others."""
        match node:
            case ast.JoinedStr(values=values):
                parts = [self._text(value) for value in values]
                return "".join(UNKNOWN if part is None else part for part in parts)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                one, other = self._text(left), self._text(right)
                if one is not None or other is not None:
                    return (one or UNKNOWN) + (other or UNKNOWN)
            case ast.BinOp(left=left, op=ast.Mod(), right=right):
                given = right.elts if isinstance(right, ast.Tuple) else [right]
                return self._filled(left, given, "%s")
            case ast.Call(func=ast.Attribute(value=value, attr="format"), args=given):
                return self._filled(value, given, "{}")
            case ast.Call(
                func=ast.Attribute(value=ast.Constant(value=str(sign)), attr="join"),
                args=[ast.List(elts=elements) | ast.Tuple(elts=elements)],
            ):
                return sign.join(self._text(one) or UNKNOWN for one in elements)
        return None

    def _filled(self, text: ast.expr, given: list[ast.expr], mark: str) -> str | None:
        """A text whose marks are replaced by what is given."""
        filled = self._text(text)
        if filled is None:
            return None
        for one in given:
            filled = filled.replace(mark, self._text(one) or UNKNOWN, 1)
        sign = mark[0]
        return (
            filled
            if UNKNOWN in filled or sign not in filled
            else filled.partition(sign)[0] + UNKNOWN
        )

    def _at(self, depth: int, bound: ast.expr, ask: Callable[[ast.expr], str | None]) -> str | None:
        """An answer about an expression, in the scope where it stands."""
        if id(bound) in self._open:  # a name that is made of itself
            return None
        inner = self._scopes[depth + 1 :]
        del self._scopes[depth + 1 :]
        self._open.add(id(bound))
        try:
            return ask(bound)
        finally:
            self._scopes += inner
            self._open.discard(id(bound))


def _bind(node: ast.AST, bound: Bound, exports: Mapping[str, Collection[str]]) -> None:
    """Add what a node binds in its scope: a dotted name, an expression, or None for others."""
    match node:
        case ast.Import(names=names):
            for alias in names:
                bound[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        case ast.ImportFrom(names=names, level=level) if level:  # of the package itself
            bound.update(dict.fromkeys(alias.asname or alias.name for alias in names))
        case ast.ImportFrom(module=module, names=names):
            every = exports.get(module or "", ()) if names[0].name == "*" else ()
            bound.update({name: f"{module}.{name}" for name in every})
            for alias in names:
                bound[alias.asname or alias.name] = f"{module}.{alias.name}"
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value)
            | ast.NamedExpr(target=ast.Name(id=name), value=value)
        ):
            if bound.get(name) is None:  # what was bound first is what is told
                bound[name] = value
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            bound.setdefault(name, None)
        case ast.Name(id=name, ctx=ast.Store()):
            bound.setdefault(name, None)
        case (
            ast.ExceptHandler(name=str(name))
            | ast.MatchAs(name=str(name))
            | ast.MatchStar(name=str(name))
            | ast.MatchMapping(rest=str(name))
        ):
            bound.setdefault(name, None)


def _own(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of a scope, without those of the scopes in it."""
    for node in body:
        yield node
        if not isinstance(node, _FUNCTIONS | _COMPREHENSIONS | ast.ClassDef):
            yield from _own(list(ast.iter_child_nodes(node)))


def _first(call: ast.Call) -> ast.expr | None:
    """The first argument of a call, also where it is given by keyword."""
    if call.args:
        return call.args[0]
    return next((one.value for one in call.keywords if one.arg in NAME), None)


def _parameters(given: ast.arguments) -> list[str]:
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return [one.arg for one in every if one is not None]


def _join(name: str | None, part: str) -> str | None:
    return None if name is None else f"{name}.{part}"
