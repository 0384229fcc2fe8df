"""What a labeler or a task may have besides, to be found by `kitbox init`."""

from __future__ import annotations

from typing import ClassVar, Protocol, runtime_checkable


@runtime_checkable
class Drafted(Protocol):
    """A plugin that offers itself for the recipe which `kitbox init` drafts.

    Of several the built-in is taken. An attribute of the class, no option.

    Attributes:
        drafted_for: the labels that it is for. Of a task: 'classes' (one a picture), 'tags'
            (several), 'numbers', 'places' (x and y of points), 'areas' (masks). Of a labeler:
            'table', 'folders', 'names', 'places', 'areas', 'categories'.
    """

    drafted_for: ClassVar[str]
