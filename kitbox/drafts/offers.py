"""Which plugin a draft takes: each built-in says itself which labels it is for."""

from __future__ import annotations

from typing import ClassVar, Protocol, runtime_checkable

from kitbox import registry
from kitbox.installed import BUILT_IN


@runtime_checkable
class Drafted(Protocol):
    """A built-in labeler or task that `kitbox init` may write into a recipe.

    Attributes:
        drafted_for: the labels that it is for. Of a task: 'classes' (one a picture), 'tags'
            (several), 'numbers', 'places' (x and y of points), 'areas' (masks). Of a labeler:
            'table', 'folders', 'names', 'places', 'areas', 'categories'.
    """

    drafted_for: ClassVar[str]


def offered(kind: str, labels: str) -> str:
    """The name of the built-in of a kind that is drafted for such labels."""
    plugins = registry.KINDS[kind]
    for plugin in plugins.plugins():
        if plugin.package != BUILT_IN:
            continue
        cls = plugins.load(plugin.full_name)
        if isinstance(cls, Drafted) and cls.drafted_for == labels:
            return plugins.name_of(cls)
    raise LookupError(f"No built-in {kind} is drafted for the labels '{labels}'")
