"""A package of plugins as its metadata has it: installed, or a folder with a `pyproject.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from kitbox import contracts, registry
from kitbox.errors import PluginError, nearest, some
from kitbox.installed import CONTRACTS, canonical

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
        faults: what is wrong with its metadata, a sentence or two each.
    """

    name: str
    version: str
    points: Points
    folder: Path | None
    modules: tuple[Path, ...]
    faults: tuple[str, ...]

    def points_as_text(self) -> str:
        """The entry points as an installed package has them."""
        lines = []
        for group, names in self.points.items():
            lines += [f"[{group}]", *(f"{name} = {value}" for name, value in names.items())]
        return "\n".join([*lines, ""])


def of_folder(folder: Path) -> Package:
    """The package in a folder.

    Raises:
        PluginError: when there is none, or it has no name.
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
    points = {
        group: {str(name): str(value) for name, value in names.items()}
        for group, names in project.get("entry-points", {}).items()
        if isinstance(names, dict)
    }
    dynamic = project.get("dynamic", [])
    faults = [
        f"pyproject.toml has no `{key}`. Add it below [project]: {why}"
        for key, why in _WANTED.items()
        if not project.get(key) and key not in dynamic
    ]
    version = str(project.get("version") or ("0" if "version" in dynamic else "?"))
    faults += _of_dependencies([str(one) for one in project.get("dependencies", [])])
    faults += _of_points(points)
    readme = project.get("readme")
    if isinstance(readme, str) and not (folder / readme).is_file():
        faults.append(f"pyproject.toml names a readme that is not there: {readme}. Write it")
    modules = tuple(sorted(p for p in folder.rglob("*.py") if not _is_built(p, folder)))
    faults += _of_tests(points, modules)
    return Package(project["name"], version, points, folder.resolve(), modules, tuple(faults))


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
    faults = _of_dependencies(list(found.requires or ())) if canonical(name) != "kitbox" else []
    if canonical(name) != "kitbox":
        faults += _of_points(points)
    if not found.metadata["Summary"]:
        faults.append("Its metadata has no summary. Add `description` below [project]")
    files = [Path(str(found.locate_file(one))) for one in found.files or () if one.suffix == ".py"]
    ours = canonical(name) == "kitbox"
    modules = () if ours else tuple(sorted(file for file in files if file.is_file()))
    return Package(name, found.version, points, None, modules, tuple(faults))


_WANTED = {
    "version": 'version = "0.1.0"',
    "description": "a sentence that `pip show` prints",
    "readme": 'readme = "README.md"',
    "requires-python": 'requires-python = ">=3.11", as kitbox has it',
}


def _of_dependencies(requirements: list[str]) -> list[str]:
    names = [re.split(r"[^\w.-]", one.strip(), maxsplit=1)[0] for one in requirements]
    if any(canonical(name) == "kitbox" for name in names):
        return []
    return ['It does not depend on kitbox. Add dependencies = ["kitbox>=0.1"]']


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
    tests = "\n".join(
        file.read_text(encoding="utf-8", errors="replace")
        for file in modules
        if file.name.startswith("test_") or file.name.endswith("_test.py")
    )
    missing = [
        f"{kind.capitalize()}Tests"
        for kind, plugins in registry.KINDS.items()
        if points.get(plugins.group) and f"{kind.capitalize()}Tests" not in tests
    ]
    if not missing:
        return []
    return [
        f"No test inherits {some(missing)}. Add one, from kitbox.testing: a class with a fixture "
        "`plugin`"
    ]


def _is_built(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    return any(part in ("build", "dist", "site-packages") or part[0] == "." for part in parts)
