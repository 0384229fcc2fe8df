"""`kitbox plugins check`: what is wrong with a package of plugins, and how to mend it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kitbox import contracts, imports, listing, probe, public, registry
from kitbox.breaches import where
from kitbox.declared import name_of
from kitbox.errors import some
from kitbox.installed import ALLOW_LIST, BUILT_IN, Plugin, canonical
from kitbox.package import GROUPS, Package, installed_from, of_folder, of_name

HEAVY = ("torch", "timm", "albumentations", "cv2", "pandas", "sklearn", "scipy", "PIL", "numpy")
"""What a plugin's module should import inside its functions only."""
FILE = "pyproject.toml"
_CHILD = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); import kitbox.vetting as v; v.main()"
)


@dataclass
class Verdict:
    """What was found.

    Attributes:
        package: its name and version.
        plugins: those that it brings, as `task birds`.
        faults: what is wrong and how to mend it, a sentence or two each.
        notes: what was tried and where, a sentence or two each.
    """

    package: str
    plugins: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check(what: str) -> Verdict:
    """Look at an installed package, or at a folder with a `pyproject.toml`.

    Nothing of the package is imported into this process.

    Raises:
        PluginError: when there is no such package or folder.
    """
    folder = Path(what)
    is_path = os.sep in what or what.startswith(".") or (folder / FILE).is_file()
    ours = canonical(what) == BUILT_IN
    if not (is_path or ours) and (source := installed_from(what)[1]) and (source / FILE).is_file():
        folder, is_path = source, True  # what is installed is the folder itself
    package = of_folder(folder) if is_path else of_name(what)
    verdict = Verdict(f"{package.name} {package.version}", faults=list(package.faults))
    _compare(package, verdict)
    with _findable(package):
        plugins = [
            plugin
            for kind in registry.KINDS.values()
            for plugin in kind.plugins()
            if canonical(plugin.package) == canonical(package.name)
        ]
        verdict.plugins = [f"{plugin.kind} {plugin.name}" for plugin in plugins]
        verdict.faults += [fault for plugin in plugins for fault in _claims(plugin)]
        sound = []
        for plugin, trouble in zip(plugins, probe.troubles(plugins), strict=True):
            if trouble:
                verdict.faults.append(_told(plugin, trouble, package))
            else:
                sound.append(plugin)
        verdict.faults += _look_inside(sound)
    verdict.faults += _private(package)
    return verdict


def _compare(package: Package, verdict: Verdict) -> None:
    """Whether what is installed is the folder that is checked."""
    if package.folder is None:
        return
    found, source = installed_from(package.name)
    again = f"pip install --editable {package.folder}"
    if found is None:
        verdict.notes.append(
            f"{package.name} is not installed here: import, contract and options were tried from "
            f"its folder, and `kitbox plugins` does not list it. To install it: {again}"
        )
    elif source != package.folder:
        verdict.notes.append(
            f"{package.name} {found.version} is installed here from elsewhere; what was tried is "
            f"the folder {package.folder}. To use that one: {again}"
        )
    elif "dynamic" not in " ".join(package.faults):
        known = {(p.group, p.name, p.value) for p in found.entry_points if p.group in GROUPS}
        named = {
            (group, name, value)
            for group, names in package.points.items()
            if group in GROUPS
            for name, value in names.items()
        }
        if known != named:
            changed = sorted({name for _, name, _ in known ^ named})
            verdict.faults.append(
                f"The entry points {some(changed)} of pyproject.toml have changed since it was "
                f"installed, and kitbox knows the old ones. Install it again: {again}"
            )


def _told(plugin: Plugin, trouble: str, package: Package) -> str:
    """What keeps a plugin from being loaded, and what to do about it."""
    what = f"The {plugin.kind} '{plugin.name}' ({plugin.value})"
    if trouble.startswith("made for contract"):
        return (
            f"{what} is not loaded: {trouble}. See kitbox's CHANGELOG.md, then name "
            f'{contracts.CONTRACT} in [project.entry-points."kitbox.contract"]'
        )
    if "expected" in trouble:
        return f"{trouble}. See {where(registry.KINDS[plugin.kind].contract)}"
    if trouble.startswith(probe.NO_END):
        return (
            f"{what}: {trouble}. Do nothing when the module is imported: no downloads, no waiting"
        )
    if trouble.startswith(probe.NOT_TRIED):
        return f"{what}: {trouble}. Try again"
    return f"{what} cannot be imported: {trouble}. {_mend(trouble, package)}"


def _mend(trouble: str, package: Package) -> str:
    """What to do about an import that failed."""
    lacking = re.match(r"ModuleNotFoundError: No module named '(\w+)", trouble)
    if lacking and lacking[1] in package.roots and package.folder is not None:
        return (
            f"The module is neither in {package.folder} nor in its `src`: correct the entry "
            "point, or install the package and check it by its name"
        )
    if lacking and any(name_of(one) == canonical(lacking[1]) for one in package.requires):
        where = f"--editable {package.folder}" if package.folder else package.name
        return f"It is declared, but not installed here: pip install {where}"
    return "Mend the module, or its entry point"


def _claims(plugin: Plugin) -> list[str]:
    """Other packages that have a plugin of this name and kind."""
    others = [
        other.package
        for other in registry.KINDS[plugin.kind].plugins()
        if other.name == plugin.name and canonical(other.package) != canonical(plugin.package)
    ]
    if not others:
        return []
    return [
        f"The {plugin.kind} '{plugin.name}' has the name of one of {some(others)}: recipes must "
        f"write '{plugin.full_name}'. Choose another name"
    ]


def _private(package: Package) -> list[str]:
    """Names of kitbox that the package uses and that may change at any time."""
    found = []
    for file in package.modules:
        try:
            uses = public.private_uses(file)
        except (SyntaxError, ValueError) as error:
            found.append(f"{file.name} is no Python: {error}. Mend it")
            continue
        except (RecursionError, MemoryError):
            found.append(
                f"{file.name} is nested too deeply to be read, so its imports and the names of "
                "kitbox that it uses are not known. Keep data in a file beside it"
            )
            continue
        if uses:
            found.append(
                f"{file.name} uses names of kitbox that are not public: {some(uses, most=8)}. "
                "Public are those of `kitbox` itself (`kitbox.__all__`), kitbox.contracts, "
                "kitbox.errors and kitbox.testing"
            )
    return found


@contextlib.contextmanager
def _findable(package: Package) -> Iterator[None]:
    """A package of a folder is found as if it were installed; the allow-list does not count."""
    before, allowed = list(sys.path), os.environ.pop(ALLOW_LIST, None)
    try:
        with tempfile.TemporaryDirectory() as site:
            if package.folder is not None:
                info = Path(site) / f"{package.name.replace('-', '_')}-{package.version}.dist-info"
                info.mkdir()
                (info / "METADATA").write_text(
                    f"Metadata-Version: 2.1\nName: {package.name}\nVersion: {package.version}\n"
                )
                (info / "entry_points.txt").write_text(package.points_as_text())
                places = (package.folder / "src", package.folder)
                sys.path[:0] = [site, *(str(p) for p in places if p.is_dir())]
            yield
    finally:
        sys.path[:] = before
        if allowed is not None:
            os.environ[ALLOW_LIST] = allowed


def _look_inside(plugins: list[Plugin]) -> list[str]:
    """What is wrong with options and documentation, by another process."""
    if not plugins:
        return []
    asked = json.dumps([(plugin.kind, plugin.full_name) for plugin in plugins])
    command = [sys.executable, "-c", _CHILD, json.dumps(sys.path)]
    try:
        done = subprocess.run(
            command,
            input=asked,
            capture_output=True,
            text=True,
            check=False,
            timeout=probe.START + imports.seconds() * len(plugins),
        )
    except subprocess.TimeoutExpired:
        return ["Looking at the options did not end; a validator waits for something"]
    if done.returncode or not done.stdout:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return [f"Looking at the options ended the process: {last}"]
    answer: list[str] = json.loads(done.stdout.splitlines()[-1])
    return answer


def main() -> None:
    """Answer on standard output: the faults of the plugins that standard input names."""
    probe.inside = True
    found = []
    answers = os.dup(1)
    os.dup2(2, 1)  # what plugins print is no answer
    for kind, name in json.load(sys.stdin):
        before = set(sys.modules)
        plugin = registry.KINDS[kind].find(name)
        cls = registry.KINDS[kind].load(name)
        heavy = [one for one in HEAVY if one in sys.modules and one not in before]
        what = f"The {kind} '{plugin.name}'"
        if heavy:
            found.append(
                f"{what} imports {some(heavy)} when it is loaded, which every `kitbox` command "
                "would wait for. Import them inside its functions"
            )
        found += [f"{what}: {line}" for line in listing.undocumented(cls)]
        try:
            cls.model_json_schema()
        except (Exception, SystemExit) as error:  # noqa: BLE001  pydantic raises what it likes
            found.append(
                f"{what} has an option that cannot be described ({registry.first_line(error)}). "
                "Use plain types: str, numbers, lists, mappings"
            )
        found += [f"{what}: {line}" for line in _round_trip(kind, cls)]
    with os.fdopen(answers, "w") as out:
        out.write(f"{json.dumps(found)}\n")


def _round_trip(kind: str, cls: type) -> list[str]:
    """Whether the defaults come back out of a recipe, where all options have one."""
    from pydantic import ValidationError

    from kitbox.options import Options

    assert issubclass(cls, Options)
    if any(field.is_required() for field in cls.model_fields.values()):
        return []
    plugins = registry.KINDS[kind]
    try:
        made = cls()
        again = plugins.build(json.loads(json.dumps(plugins.describe(made))))
    except ValidationError as error:
        if all(not one["loc"] for one in error.errors()):
            return []  # of several options one is needed
        return [f"its defaults do not go through a recipe: {' '.join(str(error).split())}"]
    except (Exception, SystemExit) as error:  # noqa: BLE001  whatever a stranger's options raise
        why = " ".join(str(error).split())
        return [f"its defaults do not go through a recipe: {type(error).__name__}: {why}"]
    if again != made:
        return [f"its defaults come back otherwise from a recipe: {again!r}, expected {made!r}"]
    return []
