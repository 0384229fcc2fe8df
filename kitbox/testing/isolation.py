"""Registries for one test: the built-ins, and the classes that the test gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import metadata
from unittest import mock

from kitbox import registry
from kitbox.installed import BUILT_IN, origin


@contextmanager
def isolated(**plugins: Mapping[str, type]) -> Iterator[None]:
    """Only built-ins and these classes are known; all is as before afterwards.

    Args:
        plugins: for a kind the classes by name, as in `isolated(task={"mine": Mine})`.

    Raises:
        PluginError: when a kind is unknown, a name is taken, or a class breaks its contract.
    """
    with ExitStack() as stack:
        for kind in registry.KINDS.values():
            stack.enter_context(mock.patch.object(kind, "_session", {}))
            stack.enter_context(mock.patch.object(kind, "_loaded", dict(kind._loaded)))
            own = _built_in(kind._entry_points)
            stack.enter_context(mock.patch.object(kind, "_entry_points", own))
        for name, classes in plugins.items():
            for called, cls in classes.items():
                registry.register(name, called)(cls)
        yield


def _built_in(
    points: Callable[[str], Iterable[metadata.EntryPoint]],
) -> Callable[[str], Iterable[metadata.EntryPoint]]:
    def own(group: str) -> Iterable[metadata.EntryPoint]:
        return [point for point in points(group) if origin(point)[0] == BUILT_IN]

    return own
