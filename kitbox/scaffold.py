"""`kitbox new plugin`: a package with one plugin, written from `plugins/kitbox-template`."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from kitbox import registry
from kitbox.declared import brought_by, imports, name_of
from kitbox.errors import PluginError, StorageError, nearest, storage
from kitbox.installed import BUILT_IN, canonical

_HERE = Path(__file__).resolve().parent
_TAKEN = frozenset({"template", "kitbox", "plugin", *registry.KINDS})
_OF_ALL = "The smallest plugin of each kind"


def write_plugin(name: str, kind: str, into: Path) -> Path:
    """Write a package `kitbox-<name>` with a plugin `<name>` of a kind below `into`.

    Args:
        name: letters, digits and hyphens; `kitbox-` may stand before it.
        kind: 'task', 'source', ...

    Returns:
        The package's folder.

    Raises:
        PluginError: for a name that cannot be one, or that kitbox has itself, and for
            a kind that there is not.
        StorageError: when the folder is there already, or cannot be written.
    """
    bare = name.lower().removeprefix("kitbox-")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", bare):
        raise PluginError(
            f"'{name}' is no name for a package",
            do="Use letters, digits and hyphens, a letter first: birds, two-birds",
        )
    if bare in _TAKEN or bare.startswith("test"):
        raise PluginError(
            f"'{name}' would be taken for something else in the package's own files",
            found="names that begin with 'test' (pytest collects such classes), "
            + ", ".join(sorted(_TAKEN)),
            do="Choose another name",
        )
    if kind not in registry.KINDS:
        raise PluginError(
            f"There is no kind of plugin called '{kind}'", do=nearest(kind, registry.KINDS)
        )
    plugins = registry.KINDS[kind].plugins()
    if any(plugin.name == bare and plugin.package == BUILT_IN for plugin in plugins):
        raise PluginError(f"kitbox has a {kind} called '{bare}' itself", do="Choose another name")
    folder = into / f"kitbox-{bare}"
    if folder.exists():
        raise StorageError(
            f"{folder} is there already", do="Choose another name, or remove the folder"
        )
    beside = folder.with_name(f".{folder.name}.part")
    with storage(folder, "writing the package"):
        shutil.rmtree(beside, ignore_errors=True)
        for path, text in _files(kind).items():
            place = beside / _renamed(path, bare)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(_renamed(text, bare), encoding="utf-8")
        beside.rename(folder)
    return folder


def template() -> Path:
    """The package to copy: inside an installed kitbox, or beside it in the repository."""
    inside = _HERE / "templates" / "plugin"
    return inside if inside.is_dir() else _HERE.parent / "plugins" / "kitbox-template"


def _files(kind: str) -> dict[str, str]:
    """The template's files that a package of one kind has, by path."""
    package = "kitbox_template"
    names = ["pyproject.toml", "README.md", ".github/workflows/test.yml", f"{package}/__init__.py"]
    names += [f"{package}/{kind}.py", f"tests/test_{kind}.py"]
    names += [f"{package}/body.py"] if kind == "backbone" else []
    texts = {name: (template() / name).read_text(encoding="utf-8") for name in names}
    for name in ("pyproject.toml", "README.md"):
        assert _OF_ALL in texts[name], "the template says what it is"
        texts[name] = texts[name].replace(f"{_OF_ALL} for", f"{_a(kind).capitalize()} for")
        texts[name] = texts[name].replace(", to copy", "")
    texts["pyproject.toml"] = _without_others(texts["pyproject.toml"], kind, r"\[.+\]\n", _of_group)
    texts["README.md"] = _without_others(texts["README.md"], kind, r"## .+\n", _of_heading)
    needed = {
        module for name, text in texts.items() if name.endswith(".py") for module in imports(text)
    }
    texts["pyproject.toml"] = _without_unused(texts["pyproject.toml"], needed)
    return texts


def _without_others(text: str, kind: str, head: str, of: object) -> str:
    """A text without the sections of other kinds."""
    assert callable(of)
    starts = [match.start() for match in re.finditer(f"^{head}", text, re.MULTILINE)]
    parts = [text[a:b] for a, b in zip([0, *starts], [*starts, len(text)], strict=True)]
    return "".join(part for part in parts if of(part.partition("\n")[0]) in (None, kind))


def _without_unused(text: str, modules: Iterable[str]) -> str:
    """A pyproject.toml whose dependencies are kitbox and those that bring the modules."""
    needed = {"kitbox", *(canonical(one) for module in modules for one in brought_by(module))}
    head, begin, rest = text.partition("\ndependencies = [\n")
    inside, end, tail = rest.partition("]\n")
    assert end, "the template lists its dependencies, a line each"
    lines = inside.splitlines(keepends=True)
    kept = "".join(line for line in lines if name_of(line.strip(' ",\n')) in needed)
    return f"{head}{begin}{kept}{end}{tail}"


def _of_group(line: str) -> str | None:
    """The kind of an entry-point group's section."""
    found = re.fullmatch(r'\[project\.entry-points\."kitbox\.(\w+)s"\]', line)
    return found[1] if found else None


def _of_heading(line: str) -> str | None:
    """The kind that a heading of the README is about."""
    found = re.fullmatch(r"## An? (\w+)", line)
    return found[1] if found else None


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _renamed(text: str, bare: str) -> str:
    """A text of the template for a plugin of another name."""
    names = {
        "kitbox_template": f"kitbox_{bare.replace('-', '_')}",
        "template": bare,
        "Template": "".join(part.capitalize() for part in bare.split("-")),
    }
    return re.sub("|".join(names), lambda found: names[found[0]], text)
