"""Tests of plugins that offer themselves to drafts."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from third_party import LABELER, Strangers

from kitbox import Labels, Options, registry
from kitbox.contracts import Drafted
from kitbox.drafts.offers import offered
from kitbox.errors import PluginError
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


def test_strangers_offer_themselves_too() -> None:
    with pytest.raises(
        PluginError, match=r"no labeler for labels of the kind 'songs'.*drafted_for"
    ):
        offered("labeler", "songs")
    with isolated(labeler={"a-songs": Songs, "a-table": Tables}):
        assert offered("labeler", "songs") == "a-songs"
        assert offered("labeler", "table") == "table"


def test_a_broken_stranger_offers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    strangers = Strangers(tmp_path / "site", monkeypatch)
    strangers.labeler("a-pack", "a", "raise RuntimeError")
    offers = LABELER.replace("shout", 'drafted_for: ClassVar[str] = "songs"\n    shout')
    strangers.labeler("b-pack", "b", f"from typing import ClassVar\n{offers}")
    assert offered("labeler", "songs") == "b"
