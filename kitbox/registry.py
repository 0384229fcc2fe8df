"""Registries: plugins by name, over entry points.

One `Registry` a kind. Names are listed without importing anything; a class is
loaded when it is used, and checked against its contract then. A plugin that
cannot be imported, or a name that two packages claim, is reported where it is
named and takes nothing else down. Built-ins enter through the same entry points.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from pydantic import ValidationError

from kitbox import contracts
from kitbox.breaches import breaches, where
from kitbox.errors import KitboxError, PluginError, nearest, some
from kitbox.imports import TookTooLongError, imported
from kitbox.installed import (
    ALLOW_LIST,
    BUILT_IN,
    SESSION,
    Plugin,
    allowed,
    installed,
    made_for,
    origin,
)
from kitbox.mistakes import Mistake, Mistakes, explain
from kitbox.options import Options

T = TypeVar("T")


class Registry(Generic[T]):
    """The plugins of one kind, `T` by their contract.

    Args:
        kind: 'source', 'labeler', ...; the entry-point group is `kitbox.<kind>s`.
        contract: the Protocol that its classes implement.
        entry_points: gives the entry points of a group; tests pass their own.
        meant: what a word that is no plugin's name may have been meant for, a sentence or ''.
    """

    def __init__(
        self,
        kind: str,
        contract: type,
        entry_points: Callable[[str], Iterable[metadata.EntryPoint]] | None = None,
        meant: Callable[[str], str] = lambda word: "",
    ) -> None:
        self.kind, self.contract = kind, contract
        self.group = f"kitbox.{kind}s"
        self._entry_points = entry_points or installed
        self._meant = meant
        self._session: dict[str, type] = {}
        self._loaded: dict[str, type] = {}

    def plugins(self) -> list[Plugin]:
        """Every claim to a name, sorted by name and package; imports nothing."""
        found = []
        for point in self._entry_points(self.group):
            package, version = origin(point)
            found.append(
                Plugin(
                    self.kind,
                    point.name,
                    package,
                    version,
                    point.value,
                    allowed=allowed(package),
                    get=point.load,
                    made_for=made_for(package),
                )
            )
        found += [
            Plugin(
                self.kind,
                name,
                SESSION,
                "-",
                _value(cls),
                True,
                get=partial(self._session.__getitem__, name),
            )
            for name, cls in self._session.items()
        ]
        return sorted(found, key=lambda plugin: (plugin.name, plugin.package))

    def find(self, name: str) -> Plugin:
        """The plugin called `name` (or `package:name`).

        Raises:
            PluginError: when there is none, several, or it is not allowed.
        """
        claims = [p for p in self.plugins() if p.answers_to(name)]
        usable = [p for p in claims if p.allowed]
        if len(usable) == 1:
            return usable[0]
        if len(usable) > 1:
            names = sorted({p.full_name for p in usable})
            if len(names) == 1:
                raise PluginError(
                    f"{usable[0].package} claims the {self.kind} '{usable[0].name}' twice",
                    found=" and ".join(p.value for p in usable),
                    do=f"Mend or uninstall {usable[0].package}",
                )
            raise PluginError(
                f"{_number(len(names))} packages claim the {self.kind} '{name}'",
                do=f"Write {' or '.join(repr(n) for n in names)} in the recipe",
            )
        if claims:
            raise PluginError(
                f"The {self.kind} '{name}' of {claims[0].package} is not on the allow-list",
                found=f"{ALLOW_LIST}={os.environ.get(ALLOW_LIST, '')!r}",
                do=f"Add {claims[0].package} to {ALLOW_LIST}, or unset it",
            )
        known = [p.name for p in self.plugins() if p.allowed]
        do = self._meant(name) or nearest(name, known)
        raise PluginError(f"There is no {self.kind} called '{name}'", do=do)

    def load(self, name: str) -> type[Options]:
        """The class behind a name, imported and checked against its contract.

        A stranger's module is tried in another process first (see `kitbox.probe.danger`).

        Raises:
            PluginError: as `find`, or when the package was made for other contracts, the import
                fails, does not end or ends its process, or the contract is broken.
        """
        plugin = self.find(name)
        if plugin.full_name in self._loaded and plugin.package != SESSION:
            return self._loaded[plugin.full_name]
        _check_version(plugin)
        try:
            cls = imported(plugin.get, partial(self._danger, plugin))
        except (Exception, SystemExit, TookTooLongError) as error:  # whatever it raises
            raise PluginError(
                f"The {self.kind} '{plugin.name}' of {plugin.package} {plugin.version} "
                f"cannot be imported from {plugin.value}",
                found=first_line(error),
                do=f"Mend or uninstall {plugin.package}; nothing else is affected",
            ) from error
        if broken := breaches(cls, self.contract):
            raise PluginError(
                f"The {self.kind} '{plugin.name}' of {plugin.package} {plugin.version} "
                f"({plugin.value}) breaks its contract: {'; '.join(broken)}",
                do=f"See {where(self.contract)}",
            )
        self._loaded[plugin.full_name] = cls
        return cls

    def _danger(self, plugin: Plugin) -> str:
        """Why a stranger's plugin may not be imported here, as another process found out."""
        if plugin.package in (BUILT_IN, SESSION) or self._entry_points is not installed:
            return ""
        from kitbox.probe import danger

        return danger(plugin)

    def build(self, given: object) -> T:
        """The plugin that a recipe describes, its options checked.

        Args:
            given: a name, a mapping with `use` and options, or a plugin that
                was already built.

        Raises:
            Mistakes: everything that is wrong with it.
        """
        if isinstance(given, Options) and not breaches(type(given), self.contract):
            try:
                self.name_of(type(given))
            except PluginError as error:  # it could not be saved with the recipe
                raise Mistakes([Mistake((), str(error))]) from error
            return cast(T, given)
        if isinstance(given, str):
            given = {"use": given}
        if not isinstance(given, Mapping):
            expected = f"expected a {self.kind}: a name, or a mapping with `use` and its options"
            found = "nothing" if given is None else repr(given)
            raise Mistakes([Mistake((), f"found {found}, {expected}")])
        options = dict(given)
        name = options.pop("use", None)
        if name is None:
            known = sorted({p.name for p in self.plugins() if p.allowed})
            raise Mistakes([Mistake(("use",), f"missing: one of {', '.join(known)}")])
        try:
            cls = self.load(str(name))
        except PluginError as error:
            raise Mistakes([Mistake(("use",), str(error))]) from error
        try:
            return cast(T, cls.model_validate(options))
        except ValidationError as error:
            raise Mistakes(explain(error, cls, options)) from error
        except Exception as error:  # a stranger's validator may raise anything
            if isinstance(error, KitboxError):
                raise Mistakes([Mistake((), str(error))]) from error
            plugin = self.find(str(name))
            text = (
                f"the options of {plugin.full_name} {plugin.version} cannot be checked "
                f"({first_line(error)})"
            )
            raise Mistakes([Mistake((), text)]) from error

    def describe(self, plugin: T) -> dict[str, Any]:
        """The mapping that `build` makes the same plugin from: `use` and every option."""
        assert isinstance(plugin, Options)
        return {"use": self.name_of(type(plugin)), **plugin.model_dump(mode="json")}

    def name_of(self, cls: type) -> str:
        """What a recipe calls a class; the full name where the bare one is ambiguous."""
        plugins = self.plugins()
        # The class itself first: a package may name it by another module than it was written in.
        claims = [p for p in plugins if self._class_of(p) is cls]
        claims = claims or [p for p in plugins if p.value == _value(cls)]
        if not claims:
            raise PluginError(
                f"{_value(cls)} is not registered as a {self.kind}",
                do=f"Register it: @kitbox.register('{self.kind}', 'a-name')",
            )
        bare = [p for p in plugins if p.name == claims[0].name and p.allowed]
        return claims[0].name if len(bare) == 1 else claims[0].full_name

    def _class_of(self, plugin: Plugin) -> type | None:
        """The class behind a plugin if it was loaded already."""
        if plugin.package == SESSION:
            return self._session[plugin.name]
        return self._loaded.get(plugin.full_name)

    def register(self, name: str) -> Callable[[type], type]:
        """A decorator that registers a class for this session (a notebook's cell).

        Registering the same name again replaces the earlier class of the
        session, so that a cell can be run twice.

        Raises:
            PluginError: when an installed package has the name, or the contract is broken.
        """

        def decorate(cls: type) -> type:
            if not re.fullmatch(r"\w[\w.-]*", name):
                raise PluginError(
                    f"'{name}' is no name for a {self.kind}",
                    do="Use letters, digits, '-', '_' and '.'",
                )
            taken = [p for p in self.plugins() if p.name == name and p.package != SESSION]
            if taken:
                raise PluginError(
                    f"The name '{name}' is taken: {taken[0].package} has a {self.kind} called so",
                    do="Choose another name",
                )
            if broken := breaches(cls, self.contract):
                raise PluginError(
                    f"{cls.__name__} is no {self.kind}: {'; '.join(broken)}",
                    do=f"See {where(self.contract)}",
                )
            self._session[name] = cls
            return cls

        return decorate


def _check_version(plugin: Plugin) -> None:
    """Refuse a plugin that was made for other contracts, before anything of it is imported."""
    ours = str(contracts.CONTRACT)
    if plugin.package in (BUILT_IN, SESSION) or ours in plugin.made_for:
        return
    raise PluginError(
        f"The {plugin.kind} '{plugin.name}' of {plugin.package} {plugin.version} was made for "
        f"version {some(plugin.made_for)} of kitbox's contracts, this kitbox has version {ours}",
        found=f"made for contract {some(plugin.made_for)}, this is {ours}",
        do=f"Install a version of {plugin.package} that was made for {ours}, or another kitbox",
    )


def first_line(error: BaseException) -> str:
    """An exception's class, and the first line of what it says."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _number(count: int) -> str:
    return {2: "Two", 3: "Three"}.get(count, str(count))


def _value(cls: type) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def _meant_as_source(word: str) -> str:
    from kitbox.sources.meant import meant

    return meant(word)


sources: Registry[contracts.Source] = Registry("source", contracts.Source, meant=_meant_as_source)
labelers: Registry[contracts.Labeler] = Registry("labeler", contracts.Labeler)
splitters: Registry[contracts.Splitter] = Registry("splitter", contracts.Splitter)
augmentations: Registry[contracts.Augmentation] = Registry("augmentation", contracts.Augmentation)
backbones: Registry[contracts.Backbone] = Registry("backbone", contracts.Backbone)
tasks: Registry[contracts.Task] = Registry("task", contracts.Task)
writers: Registry[contracts.Writer] = Registry("writer", contracts.Writer)

KINDS: dict[str, Registry[Any]] = {
    registry.kind: registry
    for registry in (sources, labelers, splitters, augmentations, backbones, tasks, writers)
}


def register(kind: str, name: str) -> Callable[[type], type]:
    """Register a class for this session: `@kitbox.register("labeler", "mine")`.

    Raises:
        PluginError: when the kind is unknown, the name is taken or the contract is broken.
    """
    if kind not in KINDS:
        raise PluginError(f"There is no kind of plugin called '{kind}'", do=nearest(kind, KINDS))
    return KINDS[kind].register(name)


def used(plugins: Mapping[str, Any]) -> list[dict[str, str | None]]:
    """Which plugins these are: kind, full name, version, and SHA-256 of the module's file.

    Args:
        plugins: a plugin for each kind.
    """
    found = []
    for kind, plugin in plugins.items():
        registry = KINDS[kind]
        about = registry.find(registry.name_of(type(plugin)))
        file = getattr(sys.modules.get(type(plugin).__module__), "__file__", None)
        digest = hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else None
        found.append(
            {
                "kind": kind,
                "plugin": about.full_name,
                "version": about.version,
                "module_sha256": digest,
            }
        )
    return found
