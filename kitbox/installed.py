"""What is installed: entry points, the packages that bring them, and the allow-list."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any
from weakref import WeakKeyDictionary

BUILT_IN = "kitbox"
SESSION = "session"
ALLOW_LIST = "KITBOX_PLUGINS"
CONTRACTS = "kitbox.contract"
"""The entry points whose names are the versions of the contracts that a package was made for."""
FIRST = ("1",)
"""What a package was made for that does not say."""


@dataclass(frozen=True)
class Plugin:
    """One claim to a name.

    Attributes:
        kind: 'source', 'labeler', ...
        name: what a recipe writes after `use:`.
        package, version: of the distribution that brings it.
        value: `module:attribute` of its class.
        allowed: False when the allow-list in KITBOX_PLUGINS leaves it out.
        made_for: the versions of the contracts that its package names.
    """

    kind: str
    name: str
    package: str
    version: str
    value: str
    allowed: bool
    get: Callable[[], Any]
    made_for: tuple[str, ...] = FIRST

    @property
    def full_name(self) -> str:
        """`package:name`, which is never ambiguous."""
        return f"{self.package}:{self.name}"

    def answers_to(self, name: str) -> bool:
        """Whether a recipe that says `name`, or `package:name`, may mean this plugin."""
        package, _, bare = name.rpartition(":")
        return bare == self.name and (not package or _same(package, self.package))


_INSTALLED: dict[str, tuple[object, Sequence[metadata.EntryPoint]]] = {}


def installed(group: str) -> Sequence[metadata.EntryPoint]:
    """The entry points of a group, looked up again when a folder of `sys.path` has changed.

    A kernel has a thousand packages, and a recipe asks for its plugins' names dozens of times.
    """
    stamp = tuple((folder, _changed(folder)) for folder in sys.path)
    if group not in _INSTALLED or _INSTALLED[group][0] != stamp:
        _INSTALLED[group] = (stamp, tuple(metadata.entry_points(group=group)))
    return _INSTALLED[group][1]


def _changed(folder: str) -> int:
    try:
        return os.stat(folder or ".").st_mtime_ns
    except OSError:
        return 0


_ORIGINS: WeakKeyDictionary[metadata.Distribution, tuple[str, str]] = WeakKeyDictionary()
"""Metadata holds a package's README and is parsed whenever it is asked for."""


def origin(point: metadata.EntryPoint) -> tuple[str, str]:
    """The package of an entry point and its version, '?' where its metadata is damaged."""
    dist = point.dist
    if dist is None:
        return "?", "?"
    if dist not in _ORIGINS:
        try:
            about = dist.metadata
            # `or`: without metadata the name is None, in spite of its type.
            _ORIGINS[dist] = about["Name"] or "?", about["Version"] or "?"
        except Exception:  # noqa: BLE001  a stranger's damaged metadata takes nothing down
            return "?", "?"
    return _ORIGINS[dist]


def made_for(package: str) -> tuple[str, ...]:
    """The versions of the contracts that a package names in its metadata, sorted."""
    points = installed(CONTRACTS)
    return tuple(sorted({p.name for p in points if _same(origin(p)[0], package)})) or FIRST


def _same(package: str, other: str) -> bool:
    """Whether two spellings name one package (PEP 503)."""
    return canonical(package) == canonical(other)


def canonical(package: str) -> str:
    """A package's name as PEP 503 spells it."""
    return re.sub(r"[-_.]+", "-", package.strip()).lower()


def allowed(package: str) -> bool:
    """Whether the allow-list leaves a package in; without a list all are in."""
    listed = os.environ.get(ALLOW_LIST)
    if listed is None or package == BUILT_IN:
        return True
    return any(_same(package, name) for name in listed.split(","))
