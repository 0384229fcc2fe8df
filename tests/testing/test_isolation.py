"""Tests of registries for one test."""

from __future__ import annotations

from pathlib import Path

import pytest
from third_party import Strangers

from kitbox import Labels, Options, registry
from kitbox.errors import PluginError
from kitbox.testing import isolated


class Mine(Options):
    def label(self, folder: Path) -> Labels:
        raise NotImplementedError


def names() -> set[str]:
    return {plugin.full_name for plugin in registry.labelers.plugins()}


def test_only_built_ins_and_what_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Strangers(tmp_path / "site", monkeypatch).labeler("stranger", "odd")
    before = names()
    assert "stranger:odd" in before
    with isolated(labeler={"mine": Mine, "odd": Mine}):
        assert names() == {n for n in before if n.startswith("kitbox:")} | {
            "session:mine",
            "session:odd",
        }
        assert type(registry.labelers.build("mine")) is Mine
    assert names() == before
    with pytest.raises(PluginError, match="no labeler called 'mine'"):
        registry.labelers.find("mine")


def test_after_an_error_all_is_as_before() -> None:
    before = names()
    with pytest.raises(ZeroDivisionError), isolated(labeler={"mine": Mine}):
        raise ZeroDivisionError
    with pytest.raises(PluginError, match="Mine is no task"), isolated(task={"mine": Mine}):
        pass
    with pytest.raises(PluginError, match="no kind"), isolated(tusk={"mine": Mine}):
        pass
    assert names() == before
