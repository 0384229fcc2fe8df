"""Plugins described for a person. Works when every plugin is broken."""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from kitbox import registry
from kitbox.errors import PluginError, nearest
from kitbox.options import Options
from kitbox.registry import Plugin, Registry
from kitbox.states import states
from kitbox.wording import expected

WIDTH = 88


def listing() -> str:
    """A line a plugin: kind, name, package, version, state."""
    return table(states())


def table(found: Sequence[tuple[Plugin, str]]) -> str:
    """Plugins and their states as a listing."""
    lines = [("KIND", "NAME", "PACKAGE", "VERSION", "STATE")]
    lines += [(one.kind, one.name, one.package, one.version, state) for one, state in found]
    widths = [max(len(line[i]) for line in lines) for i in range(4)]
    return "\n".join(
        "  ".join([*(cell.ljust(w) for cell, w in zip(line, widths, strict=False)), line[4]])
        for line in lines
    )


def describe(name: str) -> str:
    """A plugin's documentation, options and an example; of every kind that has one of the name.

    Args:
        name: a plugin's name, `package:name`, or either after `kind/`.

    Raises:
        PluginError: when no kind has such a plugin, or all that are called so are broken.
    """
    kind, _, bare = name.rpartition("/")
    if kind and kind.removesuffix("s") not in registry.KINDS:
        raise PluginError(
            f"There is no kind of plugin called '{kind}'", do=nearest(kind, registry.KINDS)
        )
    kinds = [registry.KINDS[kind.removesuffix("s")]] if kind else list(registry.KINDS.values())
    found = [(k, plugin) for k in kinds for plugin in k.plugins() if plugin.answers_to(bare)]
    if not found:
        known = {p.name for k in kinds for p in k.plugins()}
        what = kind.removesuffix("s") or "plugin"
        raise PluginError(f"There is no {what} called '{bare}'", do=nearest(bare, known))
    shown: list[str] = []
    errors: list[PluginError] = []
    for plugins, plugin in found:
        try:
            shown.append(_one(plugins, plugin))
        except PluginError as error:
            errors.append(error)
            shown.append(f"{_title(plugin)}\n\n{_wrapped(str(error))}")
    if len(errors) == len(found):
        raise errors[0]
    return "\n\n\n".join(shown)


def _title(plugin: Plugin) -> str:
    return f"{plugin.kind} {plugin.name}\n{plugin.package} {plugin.version}, {plugin.value}"


def _one(plugins: Registry[Any], plugin: Plugin) -> str:
    cls = plugins.load(plugin.full_name)
    bare = [p for p in plugins.plugins() if p.name == plugin.name and p.allowed]
    text, notes = documentation(cls)
    lines = [_title(plugin), "", text or "No documentation."]
    if cls.model_fields:
        lines += ["", "Options:"]
    width = max((len(option) for option in cls.model_fields), default=0)
    properties = _properties(cls)
    for option, field in cls.model_fields.items():
        kind = expected(properties[option]) if option in properties else str(field.annotation)
        default = None if field.is_required() else field.get_default(call_default_factory=True)
        rest = "required" if field.is_required() else f"default {_short(default)}"
        rest = "optional" if default is None and not field.is_required() else rest
        head, indent = f"  {option.ljust(width)}  ", " " * (width + 4)
        lines.append(_wrapped(f"{kind or 'nothing'}, {rest}", indent, head, WIDTH + 12))
        if about := (field.description or notes.get(option, "")):
            lines.append(_wrapped(about, indent))
    name = plugin.name if len(bare) == 1 else plugin.full_name
    return "\n".join([*lines, "", "Example:", f"  {_example(plugins, cls, name)}"])


def documentation(cls: type) -> tuple[str, dict[str, str]]:
    """A docstring without its section `Attributes`, and that section by name."""
    text = inspect.cleandoc(cls.__doc__ or "")
    section = re.search(r"^(?:Attributes|Args):\n((?:[ \t]+.*\n?|\n)+)", text, re.MULTILINE)
    if section is None:
        return text, {}
    notes: dict[str, str] = {}
    names: list[str] = []
    for line in textwrap.dedent(section[1]).splitlines():
        if begun := re.match(r"(\w+(?:, \w+)*)(?: \([^)]*\))?: *(.*)", line):
            names = begun[1].split(", ")
            notes |= dict.fromkeys(names, begun[2])
        elif line.strip():
            notes |= {name: f"{notes[name]} {line.strip()}" for name in names}
    notes = {name: note.removesuffix(".") for name, note in notes.items()}
    return f"{text[: section.start()]}{text[section.end() :]}".strip(), notes


def undocumented(cls: type[Options]) -> list[str]:
    """What a person is not told about a class, a sentence each."""
    text, notes = documentation(cls)
    if not text or cls.__doc__ == Options.__doc__:
        return [f"{cls.__name__} has no docstring; say in a sentence what it does"]
    return [
        f"the option '{name}' of {cls.__name__} is not described; use "
        "Field(description=...), or a line under `Attributes:` in the docstring"
        for name, field in cls.model_fields.items()
        if not (field.description or notes.get(name))
    ]


def _properties(cls: type[Options]) -> Mapping[str, Any]:
    """The JSON schema of each option, or nothing where a type has none."""
    try:
        return cls.model_json_schema(by_alias=False).get("properties", {})
    except Exception:  # noqa: BLE001  a stranger's type may have no schema
        return {}


def _short(value: object) -> str:
    """A default as YAML has it, long fractions cut."""
    plain = json.loads(json.dumps(value, default=str))
    text = json.dumps(plain, ensure_ascii=False)
    return re.sub(r"(\d\.\d{4})\d+", r"\1", text)


def _wrapped(text: str, indent: str = "", first: str | None = None, width: int = WIDTH) -> str:
    return textwrap.fill(
        text,
        width,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _example(plugins: Registry[Any], cls: type[Options], name: str) -> str:
    """A line for a recipe: the class's own example, as pydantic keeps them for a JSON schema.

    Without one what is required, and the first few others that are short to write.
    """
    options: dict[str, Any] = {"use": name}
    extra = cls.model_config.get("json_schema_extra")
    given = extra.get("examples") if isinstance(extra, dict) else None
    if isinstance(given, list) and given and isinstance(given[0], dict):
        return _line(plugins, {**options, **given[0]})
    for option, field in cls.model_fields.items():
        if field.is_required() or field.examples:
            options[option] = field.examples[0] if field.examples else "..."
            continue
        default = json.loads(json.dumps(field.get_default(call_default_factory=True), default=str))
        if default not in (None, "", [], {}) and len(json.dumps(default)) < 16 and len(options) < 3:
            options[option] = default
    return _line(plugins, options)


def _line(plugins: Registry[Any], options: Mapping[str, Any]) -> str:
    key = {"splitter": "split"}.get(plugins.kind, plugins.kind)
    text = yaml.safe_dump(
        dict(options), default_flow_style=True, sort_keys=False, width=1000
    ).strip()
    if plugins.kind == "writer":
        return f"submission: {{writer: {text}}}"
    return f"{key}: {text}"
