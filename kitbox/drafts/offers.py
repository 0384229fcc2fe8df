"""Which plugin a draft takes: each says itself which labels it is for."""

from __future__ import annotations

from kitbox import registry
from kitbox.contracts import Drafted
from kitbox.errors import PluginError
from kitbox.installed import BUILT_IN


def offered(kind: str, labels: str) -> str:
    """The name of the plugin of a kind that is drafted for such labels, the built-in first.

    Raises:
        PluginError: when no plugin says so.
    """
    plugins = registry.KINDS[kind]
    usable = [plugin for plugin in plugins.plugins() if plugin.allowed]
    for plugin in sorted(usable, key=lambda plugin: plugin.package != BUILT_IN):
        try:
            cls = plugins.load(plugin.full_name)
        except PluginError:  # a broken one offers nothing
            continue
        if isinstance(cls, Drafted) and cls.drafted_for == labels:
            return plugins.name_of(cls)
    raise PluginError(
        f"There is no {kind} for labels of the kind '{labels}'",
        do=f"A {kind} offers itself by `drafted_for`; see Drafted in kitbox/contracts",
    )
