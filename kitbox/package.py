"""A package of plugins as its metadata has it: installed, or a folder with a `pyproject.toml`."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kitbox import contracts, registry
from kitbox.declared import line_for, name_of, undeclared
from kitbox.errors import PluginError, nearest, some
from kitbox.inherited import inherited, is_test
from kitbox.installed import CONTRACTS, canonical
from kitbox.mistakes import explain

Points = Mapping[str, Mapping[str, str]]
"""Entry points: group, then name, then value."""
GROUPS = {*(kind.group for kind in registry.KINDS.values()), CONTRACTS}


@dataclass(frozen=True)
class Package:
    """A package.

    Attributes:
        points: its entry points.
        folder: where its `pyproject.toml` is; None for an installed one.
        modules: its files of Python, tests included.
        requires: the requirements that it declares, those for its tests included.
        faults: what is wrong with its metadata, a sentence or two each.
    """

    name: str
    version: str
    points: Points
    folder: Path | None
    modules: tuple[Path, ...]
    requires: tuple[str, ...]
    faults: tuple[str, ...]

    @property
    def roots(self) -> set[str]:
        """The top-level modules that its entry points name."""
        ours = GROUPS - {CONTRACTS}
        values = [
            v for group, names in self.points.items() if group in ours for v in names.values()
        ]
        return {re.split(r"[.:]", value)[0] for value in values}

    def points_as_text(self) -> str:
        """The entry points as an installed package has them."""
        lines = []
        for group, names in self.points.items():
            lines += [f"[{group}]", *(f"{name} = {value}" for name, value in names.items())]
        return "\n".join([*lines, ""])


class _Project(BaseModel):
    """What is read of the table `project`, by its types."""

    model_config = ConfigDict(strict=True, extra="ignore")
    name: Annotated[str, Field(pattern=r"(?i)^[a-z0-9]([\w.-]*[a-z0-9])?$")]
    version: Annotated[str, Field(pattern=r"^[\w.!+-]*$")] = ""
    dynamic: list[str] = []
    dependencies: list[str] = []
    extras: dict[str, list[str]] = Field({}, alias="optional-dependencies")
    points: dict[str, dict[str, str]] = Field({}, alias="entry-points")


class _Whole(BaseModel):
    """What is read of a `pyproject.toml`, by its types."""

    model_config = ConfigDict(strict=True, extra="ignore")
    project: _Project
    groups: dict[str, list[str | dict[str, Any]]] = Field({}, alias="dependency-groups")


def of_folder(folder: Path) -> Package:
    """The package in a folder.

    Raises:
        PluginError: when there is none, it has no name, or a key holds what it cannot.
    """
    file = folder / "pyproject.toml"
    try:
        whole = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PluginError(
            f"There is no package in {folder}, which has no pyproject.toml",
            do="Name its folder, or an installed package; `kitbox new plugin` writes one",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise PluginError(f"{file} cannot be read: {error}", do="Mend it") from error
    project = whole.get("project", {})
    if not isinstance(project, dict) or not isinstance(project.get("name"), str):
        raise PluginError(f"{file} gives no name", do='Add [project] with name = "..."')
    try:
        typed = _Whole.model_validate(whole)
    except ValidationError as error:
        wrong = "; ".join(f"{m.place}: {m.text}" for m in explain(error, _Whole, whole))
        raise PluginError(f"{file} cannot be so: {wrong}", do="Correct it") from error
    points, dynamic = typed.project.points, typed.project.dynamic
    faults = [
        f"pyproject.toml has no `{key}`. Add it below [project]: {why}"
        for key, why in _WANTED.items()
        if not project.get(key) and key not in dynamic
    ]
    version = typed.project.version or ("0" if "version" in dynamic else "?")
    requires, of_tests = _requirements(typed)
    if "dependencies" not in dynamic:
        faults += _of_dependencies(requires)
    faults += [_DYNAMIC] if "entry-points" in dynamic else _of_points(points)
    readme = project.get("readme")
    if isinstance(readme, str) and not (folder / readme).is_file():
        faults.append(f"pyproject.toml names a readme that is not there: {readme}. Write it")
    modules = tuple(sorted(p for p in folder.rglob("*.py") if not _is_built(p, folder)))
    faults += _of_tests(points, modules)
    package = Package(
        project["name"],
        version,
        points,
        folder.resolve(),
        modules,
        (*requires, *of_tests),
        (),
    )
    if "dependencies" not in dynamic:
        faults += _of_imports(package, folder, requires, of_tests)
    return replace(package, faults=tuple(faults))


def of_name(name: str) -> Package:
    """An installed package.

    Raises:
        PluginError: when there is none of that name.
    """
    try:
        found = metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError) as error:
        brought = {p.package for kind in registry.KINDS.values() for p in kind.plugins()}
        raise PluginError(
            f"There is no installed package '{name}'",
            do=nearest(name, brought) or "Name an installed package, or a folder",
        ) from error
    points: dict[str, dict[str, str]] = {}
    for point in found.entry_points:
        points.setdefault(point.group, {})[point.name] = point.value
    requires = tuple(found.requires or ())
    if canonical(name) == "kitbox":
        return Package(name, found.version, points, None, (), requires, ())
    faults = [*_of_dependencies(requires), *_of_points(points)]
    if not found.metadata["Summary"]:
        faults.append("Its metadata has no summary. Add `description` below [project]")
    files = [Path(str(found.locate_file(one))) for one in found.files or () if one.suffix == ".py"]
    modules = tuple(sorted(file for file in files if file.is_file()))
    package = Package(name, found.version, points, None, modules, requires, ())
    faults += _of_imports(package, Path(str(found.locate_file(""))), requires, ())
    return replace(package, faults=tuple(faults))


def installed_from(name: str) -> tuple[metadata.Distribution | None, Path | None]:
    """An installed package and the folder that it is an editable installation of; None for none."""
    try:
        found = metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError):
        return None, None
    try:
        origin = json.loads(found.read_text("direct_url.json") or "{}")
    except ValueError:
        return found, None
    address = urlsplit(str(origin.get("url", "")))
    editable = address.scheme == "file" and origin.get("dir_info", {}).get("editable")
    return found, Path(unquote(address.path)).resolve() if editable else None


_WANTED = {
    "version": 'version = "0.1.0"',
    "description": "a sentence that `pip show` prints",
    "readme": 'readme = "README.md"',
    "requires-python": 'requires-python = ">=3.11", as kitbox has it',
}


_DYNAMIC = (
    "Its entry points are dynamic, so they are known only when it is installed. Name them in "
    "pyproject.toml, or install it and check it by its name"
)


def _requirements(whole: _Whole) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a pyproject.toml requires: always, and in an extra or a group."""
    more: list[Sequence[object]] = [*whole.project.extras.values(), *whole.groups.values()]
    always = tuple(whole.project.dependencies)
    return always, tuple(one for group in more for one in group if isinstance(one, str))


def _of_dependencies(requirements: Sequence[str]) -> list[str]:
    if any(name_of(one) == "kitbox" for one in requirements):
        return []
    return ['It does not depend on kitbox. Add dependencies = ["kitbox>=0.1"]']


def _of_imports(
    package: Package, folder: Path, requires: Sequence[str], of_tests: Sequence[str]
) -> list[str]:
    """Imports that no dependency brings: of the package, and of its tests."""
    relative = {file: file.relative_to(folder).parts for file in package.modules}
    tests = [file for file, parts in relative.items() if _of_test(parts)]
    inside = [
        file
        for file, parts in relative.items()
        if parts[parts[0] == "src" :][0].removesuffix(".py") in package.roots
    ]
    own = {*package.roots, *(file.stem for file in tests), "tests"}
    lacking = undeclared(inside, own, requires)
    more = undeclared(tests, (*own, *lacking), (*requires, *of_tests))
    return [
        f"{who} what it does not declare: "
        + some((f"{name} ({some(files, 2)})" for name, files in missing.items()), 8)
        + f". Add to {where}: {line_for(missing)}"
        for who, missing, where in (
            ("It imports", lacking, "`dependencies`"),
            ("Its tests import", more, "`test` of [dependency-groups]"),
        )
        if missing
    ]


def _of_test(parts: Sequence[str]) -> bool:
    """Whether a file below a package's folder belongs to its tests."""
    return parts[0] in ("test", "tests") or is_test(parts[-1]) or parts[-1] == "conftest.py"


def _of_points(points: Points) -> list[str]:
    ours = {group: names for group, names in points.items() if group.startswith("kitbox")}
    faults = [
        f"kitbox does not look at entry points of the group '{group}'. {nearest(group, GROUPS)}"
        for group in ours
        if group not in GROUPS
    ]
    plugins = {group: names for group, names in ours.items() if group in GROUPS - {CONTRACTS}}
    if not any(plugins.values()):
        faults.append(
            "It brings no plugin. Name its class as an entry point: "
            '[project.entry-points."kitbox.tasks"] with birds = "kitbox_birds.task:BirdsTask"'
        )
    for group, names in plugins.items():
        for name, value in names.items():
            if not re.fullmatch(r"\w[\w.-]*", name):
                faults.append(
                    f"'{name}' in {group} is no name for a plugin. Use letters, digits, '-', '_' "
                    "and '.'"
                )
            if not re.fullmatch(r"[\w.]+:\w+", value):
                faults.append(
                    f"'{value}' in {group} names no class. Write {name} = \"module:ClassName\""
                )
    if not ours.get(CONTRACTS):
        faults.append(
            "It does not say which version of kitbox's contracts it was made for. Add "
            f'[project.entry-points."{CONTRACTS}"] with {contracts.CONTRACT} = "kitbox.contracts"'
        )
    return faults


def _of_tests(points: Points, modules: tuple[Path, ...]) -> list[str]:
    """Kinds whose contract tests nobody inherits."""
    there = inherited(modules)
    missing = [
        f"{kind.capitalize()}Tests"
        for kind, plugins in registry.KINDS.items()
        if points.get(plugins.group) and f"{kind.capitalize()}Tests" not in there
    ]
    if not missing:
        return []
    return [
        f"No test class inherits {some(missing)}. Add one, from kitbox.testing: a class "
        "`Test...` with a fixture `plugin`"
    ]


def _is_built(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    return any(part in ("build", "dist", "site-packages") or part[0] == "." for part in parts)
