"""Mistakes in options put into words: where, what was found, what was expected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from kitbox.errors import nearest
from kitbox.wording import expected

Place = tuple[str | int, ...]
"""The way to a value: `('stages', 1, 'epochs')`."""


@dataclass(frozen=True)
class Mistake:
    """One mistake in a recipe.

    Attributes:
        where: the path to it, e.g. `('stages', 1, 'epochs')`.
        text: what was found, what was expected, the nearest right word.
    """

    where: Place
    text: str

    def below(self, *prefix: str | int) -> Mistake:
        """The same mistake, seen from further up."""
        return Mistake((*prefix, *self.where), self.text)

    @property
    def place(self) -> str:
        """The path as a person writes it: `stages[1].epochs`."""
        text = ""
        for step in self.where:
            text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
        return text or "the recipe"


class Mistakes(ValueError):  # noqa: N818  several; as an error a person sees RecipeError
    """Mistakes found by a validator; `explain` unpacks them with their places."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__(
            "; ".join(f"{m.place}: {m.text}" if m.where else m.text for m in self.mistakes)
        )


def explain(error: ValidationError, model: type[BaseModel], given: object = None) -> list[Mistake]:
    """Every mistake of a validation, in words that say what was found and expected.

    Args:
        error: what pydantic raised.
        model: the class that was to be made.
        given: what it was to be made from; tells a person's own keys from the
            names that pydantic adds to a place.
    """
    groups: dict[tuple[Place, bool], list[_Said]] = {}
    details = error.errors(include_url=False)
    # Of a list with too few items pydantic names every one that lacks; the last one says it all.
    lacking = {detail["loc"][:-1]: detail for detail in details if _is_item(detail)}
    for detail in details:
        if _is_item(detail) and lacking[detail["loc"][:-1]] is not detail:
            continue
        where, union, parent = _walk(detail, model, given)
        inner = detail.get("ctx", {}).get("error")
        if isinstance(inner, Mistakes):
            mistakes = [mistake.below(*where) for mistake in inner.mistakes]
        else:
            mistakes = [Mistake(where, _words(detail, parent) + _form(detail, where, model))]
        key = (where, False) if union is None else (where[:union], True)
        groups.setdefault(key, []).extend(_Said(mistake, detail) for mistake in mistakes)
    said: list[_Said] = []
    for (where, is_union), group in groups.items():
        said += _of_union(where, group, model) if is_union else group
    places = [s.mistake.where for s in said]
    # pydantic also calls a list too short because its items were refused.
    return [
        s.mistake
        for s in said
        if s.detail["type"] != "too_short" or not _any_below(s.mistake.where, places)
    ]


@dataclass(frozen=True)
class _Said:
    """A mistake and what pydantic said about it."""

    mistake: Mistake
    detail: Any


def _of_union(where: Place, group: Sequence[_Said], model: type[BaseModel]) -> list[_Said]:
    """What to say about a value that no member of a union takes."""
    # A member that objects to a part, or to a bound, fits in kind: it is the one that was meant.
    meant = [s for s in group if s.mistake.where != where or s.detail["type"] not in _KINDS]
    if meant:
        return list({s.mistake.where: s for s in reversed(meant)}.values())[::-1]
    detail = group[0].detail
    schema = _schema_at(where, model)
    if schema is None:
        words, hint = " | ".join(dict.fromkeys(_expects(s.detail) for s in group)), ""
    else:
        words, hint = expected(schema), _close(detail["input"], _choices(schema))
    return [
        _Said(Mistake(where, f"found {_found(detail['input'])}, expected {words}{hint}"), detail)
    ]


def _words(detail: Any, parent: type[BaseModel] | None) -> str:
    """One mistake in words; `parent` is the model that it stands in."""
    match detail["type"]:
        case "extra_forbidden":
            return f"unknown option. {_instead(str(detail['loc'][-1]), parent)}".strip()
        case "missing" if _is_item(detail):
            return f"found {_found(detail['input'])}, expected {detail['loc'][-1] + 1} items"
        case "missing":
            return "missing: this one must be given"
        case "invalid_key":
            return f"found {_found(detail['loc'][-1])} as a key, expected text"
        case "value_error" | "assertion_error":
            return str(detail["msg"]).partition(", ")[2] or str(detail["msg"])
    hint = ""
    if detail["type"] == "literal_error" and parent is not None:
        field = parent.model_fields.get(str(detail["loc"][-1]))
        hint = _close(detail["input"], _literals(field.annotation) if field else [])
    elif detail["type"] == "string_type" and isinstance(detail["input"], int | float):
        hint = " (write it in quotes)"
    return f"found {_found(detail['input'])}, expected {_expects(detail)}{hint}"


def _instead(word: str, parent: type[BaseModel] | None) -> str:
    """What to write for an option that there is not; a model's `other_words` name some."""
    if other := getattr(parent, "other_words", {}).get(word):
        return f"What fast.ai calls `{word}` is here {other}"
    return nearest(word, [] if parent is None else parent.model_fields)


def _form(detail: Any, where: Place, model: type[BaseModel]) -> str:
    """Of an item that should be a list itself: the form of the whole, as in [[text, text], ...]."""
    if detail["type"] not in ("list_type", "tuple_type") or not isinstance(where[-1:], tuple):
        return ""
    if not where or not isinstance(where[-1], int):
        return ""
    schema = _schema_at(where[:-1], model)
    return "" if schema is None else f", as in {where[-2]}: {expected(schema)}"


_KINDS = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "frozen_set_type"), "a list"),
    **dict.fromkeys(("dict_type", "mapping_type", "model_type"), "a mapping"),
    "string_type": "text",
    "path_type": "a path",
    "none_required": "nothing",
    **dict.fromkeys(("literal_error", "is_instance_of", "callable_type"), ""),
}
"""Mistakes in the kind of a value, not in the value, and what was expected then."""

_BOUNDS: dict[str, Callable[[Any], str]] = {
    "greater_than": lambda ctx: f"more than {ctx['gt']:g}",
    "greater_than_equal": lambda ctx: f"at least {ctx['ge']:g}",
    "less_than": lambda ctx: f"less than {ctx['lt']:g}",
    "less_than_equal": lambda ctx: f"at most {ctx['le']:g}",
    "too_short": lambda ctx: _count("at least", ctx["min_length"], "item"),
    "too_long": lambda ctx: _count("at most", ctx["max_length"], "item"),
    "string_too_short": lambda ctx: _count("at least", ctx["min_length"], "character"),
    "string_too_long": lambda ctx: _count("at most", ctx["max_length"], "character"),
    "string_pattern_mismatch": lambda ctx: f"text that matches {ctx['pattern']}",
}


def _expects(detail: Any) -> str:
    if say := _BOUNDS.get(detail["type"]):
        return say(detail["ctx"])
    return _KINDS.get(detail["type"]) or str(detail["msg"]).removeprefix("Input should be ")


def _count(bound: str, number: int, noun: str) -> str:
    return f"{bound} {number} {noun}{'' if number == 1 else 's'}"


def _is_item(detail: Any) -> bool:
    """Whether an item of a list is missing, not an option."""
    return detail["type"] == "missing" and isinstance(detail["loc"][-1], int)


def _any_below(where: Place, places: Iterable[Place]) -> bool:
    return any(place[: len(where)] == where and len(place) > len(where) for place in places)


def _close(word: object, choices: Iterable[object]) -> str:
    """A hint only where one of the choices is near."""
    hint = nearest(str(word), [str(choice) for choice in choices])
    return f". {hint}" if hint.startswith("Did") else ""


def _literals(annotation: Any) -> list[Any]:
    found: list[Any] = []
    for argument in get_args(annotation):
        found += [argument] if isinstance(argument, str) else _literals(argument)
    return found


def _choices(schema: Mapping[str, Any]) -> list[Any]:
    found = list(schema.get("enum", [schema["const"]] if "const" in schema else []))
    for member in schema.get("anyOf", []):
        found += _choices(member)
    return found


def _found(value: object) -> str:
    """A value as YAML has it, shortened."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _walk(
    detail: Any, model: type[BaseModel], given: object
) -> tuple[Place, int | None, type[BaseModel] | None]:
    """The place of a mistake without the names that pydantic adds for members of a union.

    Returns:
        The place, the length of its beginning that names the (outermost) union,
        and the model that the last step is a field of.
    """
    plain: list[str | int] = []
    union: int | None = None
    here: type[BaseModel] | None = model
    parent: type[BaseModel] | None = None
    last = len(detail["loc"]) - 1
    for i, step in enumerate(detail["loc"]):
        field = here.model_fields.get(str(step)) if here is not None else None
        known = isinstance(given, Mapping) and step in given
        if i == last and (detail["type"] == "invalid_key" or _is_item(detail)):
            break
        added = i == last and detail["type"] in ("missing", "extra_forbidden")
        if not (isinstance(step, int) or field is not None or known or added):
            union = len(plain) if union is None else union
            continue
        plain.append(step)
        if isinstance(given, Mapping):
            given = given.get(step)
        elif isinstance(given, list | tuple) and isinstance(step, int) and step < len(given):
            given = given[step]
        else:
            given = None
        parent = here
        if not isinstance(step, int):
            here = _model_in(field.annotation) if field is not None else None
    return tuple(plain), union, parent


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        if (found := _model_in(argument)) is not None:
            return found
    return None


def _schema_at(where: Iterable[str | int], model: type[BaseModel]) -> Mapping[str, Any] | None:
    """The JSON schema of a place, or None where it cannot be told."""
    try:
        here: Any = model.model_json_schema(by_alias=False)
    except Exception:  # noqa: BLE001  a type of a stranger's without a schema
        return None
    definitions = here.get("$defs", {})
    for step in where:
        if isinstance(step, int):
            items = here.get("prefixItems", [])
            here = items[step] if step < len(items) else here.get("items")
        else:
            here = here.get("properties", {}).get(step)
        if isinstance(here, Mapping) and "$ref" in here:
            here = definitions.get(str(here["$ref"]).rpartition("/")[2])
        if not isinstance(here, Mapping):
            return None
    return here
