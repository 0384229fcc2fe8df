"""Packages of strangers, as pip would leave them in a folder of `sys.path`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from kitbox import probe, registry

LABELER = """
from kitbox import Labels, Options

class Mine(Options):
    \"\"\"Labels of a stranger.\"\"\"

    shout: bool = False
    word: str = "cat"

    def label(self, folder):
        return Labels(None, ("label",))
"""
"""The source of a module with a labeler that keeps its contract."""


def write(
    folder: Path,
    package: str,
    points: Mapping[str, Mapping[str, str]],
    modules: Mapping[str, str],
    version: str = "1.2.3",
) -> None:
    """Write a distribution: entry points by group, and modules by name with their source."""
    info = folder / f"{package.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    lines = []
    for group, names in points.items():
        lines += [f"[kitbox.{group}]", *(f"{name} = {value}" for name, value in names.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)


class Strangers:
    """Installs packages for one test."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        monkeypatch.syspath_prepend(folder)
        monkeypatch.delenv(registry.ALLOW_LIST, raising=False)
        monkeypatch.setattr(probe, "_harmless", set())
        for kind in registry.KINDS.values():
            monkeypatch.setattr(kind, "_loaded", dict(kind._loaded))
            monkeypatch.setattr(kind, "_session", dict(kind._session))

    def install(
        self,
        package: str,
        points: Mapping[str, Mapping[str, str]],
        modules: Mapping[str, str],
        version: str = "1.2.3",
    ) -> None:
        """As `write`; modules of that name from an earlier test are forgotten."""
        for name in modules:
            sys.modules.pop(name, None)
        write(self.folder, package, points, modules, version)

    def labeler(self, package: str, name: str, text: str = LABELER, attribute: str = "Mine") -> str:
        """A package with one labeler; the module's name is returned."""
        module = package.replace("-", "_")
        self.install(package, {"labelers": {name: f"{module}:{attribute}"}}, {module: text})
        return module
