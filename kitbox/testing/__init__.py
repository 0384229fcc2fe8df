"""Tests of the contracts, for plugin authors to inherit; they need pytest.

As in::

    from kitbox.testing import TaskTests, labelled

    class TestMine(TaskTests):
        @pytest.fixture
        def plugin(self):
            return Mine()

A class of tests says which fixtures it wants. The names below are loaded when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kitbox.testing.augmentations import AugmentationTests
    from kitbox.testing.backbones import BackboneTests
    from kitbox.testing.isolation import isolated
    from kitbox.testing.labelers import LabelerTests
    from kitbox.testing.network import offline
    from kitbox.testing.pictures import labelled, picture, write_picture
    from kitbox.testing.sources import SourceTests
    from kitbox.testing.splitters import SplitterTests
    from kitbox.testing.tasks import TaskTests
    from kitbox.testing.tiny import Tiny
    from kitbox.testing.tiny_body import TinyBody
    from kitbox.testing.writers import WriterTests

_HOMES = {
    "AugmentationTests": "augmentations",
    "BackboneTests": "backbones",
    "LabelerTests": "labelers",
    "SourceTests": "sources",
    "SplitterTests": "splitters",
    "TaskTests": "tasks",
    "Tiny": "tiny",
    "TinyBody": "tiny_body",
    "WriterTests": "writers",
    "isolated": "isolation",
    "labelled": "pictures",
    "offline": "network",
    "picture": "pictures",
    "write_picture": "pictures",
}

__all__ = [
    "AugmentationTests",
    "BackboneTests",
    "LabelerTests",
    "SourceTests",
    "SplitterTests",
    "TaskTests",
    "Tiny",
    "TinyBody",
    "WriterTests",
    "isolated",
    "labelled",
    "offline",
    "picture",
    "write_picture",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'kitbox.testing' has no attribute {name!r}")
    return getattr(importlib.import_module(f"kitbox.testing.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
