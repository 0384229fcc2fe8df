"""The state of every plugin: ready, or what keeps it from being used; and the strict mode."""

from __future__ import annotations

import os
from collections.abc import Sequence

from kitbox import probe, registry
from kitbox.errors import PluginError, counted
from kitbox.installed import ALLOW_LIST, BUILT_IN, SESSION, Plugin

STRICT = "KITBOX_STRICT_PLUGINS"
READY = "ready"
_seen: set[tuple[tuple[str, str, str, bool], ...]] = set()
"""What was found to be sound in this process."""


def states() -> list[tuple[Plugin, str]]:
    """Every plugin of every kind with its state, a few words."""
    plugins = [plugin for kind in registry.KINDS.values() for plugin in kind.plugins()]
    found = troubles(plugins)
    return [(plugin, _state(plugin, plugins, found.get(_key(plugin)))) for plugin in plugins]


def usable(plugins: Sequence[Plugin]) -> list[Plugin]:
    """Of plugins, those that may be loaded here: strangers' are tried in another process first."""
    found = troubles(plugins)
    return [p for p in plugins if p.allowed and not found.get(_key(p))]


def troubles(plugins: Sequence[Plugin]) -> dict[tuple[str, str, str], str]:
    """What keeps each stranger that is allowed from being loaded, '' where nothing does."""
    strangers = [p for p in plugins if p.allowed and p.package not in (BUILT_IN, SESSION)]
    return dict(zip(map(_key, strangers), probe.troubles(strangers), strict=True))


def refuse_unsound() -> None:
    """Where KITBOX_STRICT_PLUGINS says so, stop at any plugin that is not ready.

    Raises:
        PluginError: with each of them by package and version.
    """
    if os.environ.get(STRICT, "").strip().lower() in ("", "0", "false", "no"):
        return
    plugins = tuple(
        p for kind in registry.KINDS.values() for p in kind.plugins() if p.package != SESSION
    )
    known = tuple(_known(plugins))
    if known in _seen:
        return
    if wrong := unsound(states()):
        raise PluginError(
            f"{counted(len(wrong), 'plugin is', 'plugins are')} not ready, and {STRICT} is set",
            found="; ".join(wrong),
            do=f"Mend or uninstall these packages, leave them out with {ALLOW_LIST}, or unset "
            f"{STRICT}",
        )
    _seen.add(known)


def unsound(found: Sequence[tuple[Plugin, str]]) -> list[str]:
    """The strangers' plugins that are allowed and not ready, a phrase each."""
    return [
        f"{plugin.kind} {plugin.name} of {plugin.package} {plugin.version}: {state}"
        for plugin, state in found
        if plugin.allowed and state != READY and plugin.package != BUILT_IN
    ]


def _known(plugins: Sequence[Plugin]) -> list[tuple[str, str, str, bool]]:
    return [(p.full_name, p.version, p.value, p.allowed) for p in plugins]


def _key(plugin: Plugin) -> tuple[str, str, str]:
    return plugin.kind, plugin.full_name, plugin.value


def _state(plugin: Plugin, plugins: Sequence[Plugin], trouble: str | None) -> str:
    if not plugin.allowed:
        return f"left out by {ALLOW_LIST}"
    if trouble is None:
        trouble = _load(plugin)
    if trouble:
        return f"broken: {trouble}"
    claims = [p for p in plugins if (p.kind, p.name) == (plugin.kind, plugin.name) and p.allowed]
    if len(claims) > 1:
        return f"conflict: write {plugin.full_name}"
    return READY


def _load(plugin: Plugin) -> str:
    """What keeps a plugin of this process from being loaded."""
    try:
        registry.KINDS[plugin.kind].load(plugin.full_name)
    except PluginError as error:
        return " ".join((error.found or error.wrong).split())
    return ""
