"""Whether a class keeps its contract."""

from __future__ import annotations

import inspect

from kitbox.options import Options


def breaches(cls: object, contract: type) -> list[str]:
    """Where a class breaks its contract: what was expected and what was found, a line each."""
    if not (isinstance(cls, type) and issubclass(cls, Options)):
        return [f"expected a class derived from kitbox.Options, found {cls!r}"]
    lines = []
    if "use" in cls.model_fields:
        lines.append("expected options, found one called 'use', which a recipe has for the name")
    for name, wanted in vars(contract).items():
        if name.startswith("_") or not inspect.isfunction(wanted):
            continue
        expected = inspect.signature(wanted)
        method = inspect.getattr_static(cls, name, None)
        if name in cls.model_fields:
            lines.append(f"expected a method {name}{expected}, found an option of that name")
        elif isinstance(method, staticmethod | classmethod) or not inspect.isfunction(method):
            found = "nothing" if method is None else type(method).__name__
            lines.append(f"expected a method {name}{expected}, found {found}")
        elif not _accepts(inspect.signature(method), expected):
            lines.append(f"expected {name}{expected}, found {name}{inspect.signature(method)}")
    return lines


def where(contract: type) -> str:
    """Where a contract stands, for a message: `Task in kitbox/contracts/task.py`."""
    return f"{contract.__name__} in {contract.__module__.replace('.', '/')}.py"


def _accepts(found: inspect.Signature, expected: inspect.Signature) -> bool:
    """Whether a method can be called in every way that the contract allows."""
    parameters = list(expected.parameters.values())
    named = {p.name: p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
    needed = {
        p.name: p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty
    }
    itself, *rest = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    try:
        by_place = found.bind(itself, *rest, **named)
        found.bind(itself, *rest, **needed)
        found.bind(itself, **{name: name for name in rest}, **named)
    except TypeError:
        return False
    # By place and by name an argument must be the same one.
    given = list(by_place.arguments.items())[1:]
    return all(name == value for name, value in given if isinstance(value, str))
