"""Tests of the built-ins that offer themselves to drafts."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from kitbox import Labels, Options, registry
from kitbox.drafts.offers import Drafted, offered
from kitbox.testing import isolated


class Songs(Options):
    drafted_for: ClassVar[str] = "songs"

    def label(self, folder: Path) -> Labels:
        raise NotImplementedError


class Tables(Songs):
    drafted_for: ClassVar[str] = "table"


def test_every_task_is_drafted_for_other_labels() -> None:
    """What a draft may ask for has exactly one built-in."""
    for kind in ("task", "labeler"):
        said: dict[str, str] = {}
        for plugin in registry.KINDS[kind].plugins():
            cls: object = registry.KINDS[kind].load(plugin.full_name)
            if plugin.package == "kitbox" and isinstance(cls, Drafted):
                assert cls.drafted_for not in said
                said[cls.drafted_for] = plugin.name
        assert len(said) >= 5
        assert {labels: offered(kind, labels) for labels in said} == said


def test_strangers_are_not_drafted() -> None:
    """A draft reads the same whatever else is installed."""
    with isolated(labeler={"a-songs": Songs, "a-table": Tables}):
        assert offered("labeler", "table") == "table"
        with pytest.raises(LookupError, match="labeler is drafted for the labels 'songs'"):
            offered("labeler", "songs")
