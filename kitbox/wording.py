"""The type of an option in a few words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def expected(schema: Mapping[str, Any], *, null: bool = False) -> str:
    """What a JSON schema expects, in a few words.

    Args:
        schema: of one option.
        null: whether to mention that nothing may be given.

    >>> expected({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]})
    'whole number (≥ 1)'
    """
    if "anyOf" in schema:
        members = [expected(member, null=null) for member in schema["anyOf"]]
        return " | ".join(dict.fromkeys(member for member in members if member))
    if "enum" in schema or "const" in schema:
        return " | ".join(_json(value) for value in schema.get("enum", [schema.get("const")]))
    kind = str(schema.get("type"))
    if kind == "null":
        return "null" if null else ""
    if kind == "array":
        items = [expected(item) for item in schema.get("prefixItems", [])]
        return f"[{', '.join(items or [expected(schema.get('items', {})), '...'])}]"
    if isinstance(values := schema.get("additionalProperties"), Mapping):
        return f"{{name: {expected(values)}, ...}}"
    if schema.get("format") in ("path", "file-path", "directory-path"):
        kind = "path"
    noun = _NOUNS.get("object" if "$ref" in schema else kind, "anything")
    return noun + _bounds(schema)


_NOUNS = {
    "boolean": "true | false",
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "path": "path",
    "object": "mapping",
}


def _bounds(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f" ({low:g} to {high:g})"
    signs = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<", "maximum": "≤"}
    bounds = [f"{sign} {schema[key]:g}" for key, sign in signs.items() if key in schema]
    return f" ({', '.join(bounds)})" if bounds else ""


def _json(value: object) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)
