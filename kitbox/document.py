"""A YAML document before it is a recipe: lines, doubled keys, changes from the command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from kitbox.errors import RecipeError
from kitbox.mistakes import Mistake, Place


class _Dumper(yaml.SafeDumper):
    """YAML's own folds the line ends of Unicode that stand in a text, and a space is read back."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if re.search("[\x85\u2028\u2029]", text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def dump(values: Mapping[str, Any]) -> str:
    """Plain values as YAML, in their order; the same values are read back."""
    return yaml.dump(
        dict(values), Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None
    )


def change(values: dict[str, Any], change: str, default: Callable[[str], Any]) -> None:
    """Set one value from `key.key=value`, the value read as YAML.

    Args:
        values: the document; changed in place.
        change: where, and the new value.
        default: the value of a top-level key that the document has not.

    Raises:
        RecipeError: when there is no such place.
    """
    path, equals, text = change.partition("=")
    steps = [step.strip() for step in path.split(".")]
    if not equals or not all(steps):
        raise RecipeError(f"'{change}' is no change of a recipe", do="Write it as key=value")
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RecipeError(
            f"The value of '{change}' is not YAML",
            mistakes=[not_yaml(error)],
            do=f"Quote it: --set '{path}=\"{text}\"'",
        ) from error
    here: Any = values
    for i, step in enumerate(steps):
        key: Any = step
        if isinstance(here, list):
            if not (step.isdecimal() and int(step) < len(here)):
                numbers = f"numbered 0 to {len(here) - 1}" if here else "and empty"
                raise RecipeError(
                    f"'{change}' names no place in the recipe",
                    do=f"{'.'.join(steps[:i])} is a list, {numbers}; there is no '{step}'",
                )
            key = int(step)
        if i == len(steps) - 1:
            here[key] = value
            return
        inside = here[key] if isinstance(here, list) else here.get(key)
        if inside is None:
            inside = default(step) if i == 0 else None
            inside = {} if inside is None else inside
        if isinstance(inside, str) and i == 0:  # `backbone: timm` is short for {use: timm}
            inside = {"use": inside}
        if not isinstance(inside, dict | list):
            raise RecipeError(
                f"'{change}' names no place in the recipe",
                do=f"{'.'.join(steps[: i + 1])} is {inside!r} and has nothing below it",
            )
        here[key] = inside
        here = inside


def holds(values: Any, where: Place) -> bool:
    """Whether a document has a place.

    >>> holds({"stages": [{"epochs": 1}]}, ("stages", 0, "epochs")), holds({}, ("task",))
    (True, False)
    """
    for step in where:
        if isinstance(values, list):
            values = dict(enumerate(values))
        if not isinstance(values, Mapping) or step not in values:
            return False
        values = values[step]
    return True


def not_yaml(error: Exception) -> str:
    """Why a text is not YAML, with the place if it is known."""
    mark = getattr(error, "problem_mark", None)
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    return f"{place}{problem}"


def line(node: yaml.Node | None, where: Place) -> int | None:
    """The line (from 1) of a place, or of the nearest place around it that is in the file."""
    number = None
    for step in where:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(step):
                    number, node = key.start_mark.line + 1, value
                    break
            else:
                return number
        elif (
            isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value)
        ):
            node = node.value[step]
            number = node.start_mark.line + 1
        else:
            return number
    return number


def doubled(node: yaml.Node | None) -> list[str]:
    """Keys that a mapping has twice; YAML would silently keep the last.

    Raises:
        RecursionError: for a value that holds itself (`&a [*a]`).
    """
    found: list[str] = []
    seen: set[int] = set()  # an alias stands for a node that was looked at already

    def look(node: yaml.Node | None, where: Place, above: tuple[int, ...]) -> None:
        if id(node) in above:
            raise RecursionError
        if id(node) in seen:
            return
        seen.add(id(node))
        above = (*above, id(node))
        if isinstance(node, yaml.MappingNode):
            lines: dict[str, int] = {}
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    continue  # no key that YAML's own loader takes
                line = key.start_mark.line + 1
                here = (*where, key.value)
                if key.value in lines:
                    place = Mistake(here, "").place
                    found.append(f"line {line}, {place}: already given on line {lines[key.value]}")
                lines[key.value] = line
                look(value, here, above)
        elif isinstance(node, yaml.SequenceNode):
            for i, value in enumerate(node.value):
                look(value, (*where, i), above)

    look(node, (), ())
    return found


def flat(text: str) -> dict[str, str]:
    """Every value of a YAML document by its place, as in `stages.0.epochs`.

    Raises:
        ValueError: when it is no YAML.
    """
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    found: dict[str, str] = {}

    def walk(value: Any, place: str) -> None:
        if isinstance(value, dict | list) and value:
            for key, one in value.items() if isinstance(value, dict) else enumerate(value):
                walk(one, f"{place}.{key}" if place else str(key))
        else:
            found[place] = "nothing" if value is None else str(value)

    walk(values, "")
    return found
