"""States of plugins, and the strict mode."""

from __future__ import annotations

from pathlib import Path

import pytest
from third_party import LABELER, Strangers

import kitbox
from kitbox import contracts, registry
from kitbox.errors import PluginError
from kitbox.states import READY, STRICT, refuse_unsound, states, unsound

RECIPE = {"source": "digits", "labeler": "folder", "task": "single-label"}


@pytest.fixture
def strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Strangers:
    return Strangers(tmp_path / "site", monkeypatch)


def made_for(strangers: Strangers, package: str, *versions: int, text: str = LABELER) -> None:
    module = package.replace("-", "_")
    points = {
        "labelers": {package: f"{module}:Mine"},
        "contract": {str(version): "kitbox.contracts" for version in versions},
    }
    strangers.install(package, points, {module: text})


def test_built_ins_are_ready() -> None:
    assert {state for _, state in states()} == {READY}


def test_packages_made_for_other_contracts(
    strangers: Strangers, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = contracts.CONTRACT
    made_for(strangers, "same-pack", now)
    made_for(strangers, "both-pack", now, now + 1)
    made_for(strangers, "next-pack", now + 1, text="raise SystemExit('imported!')")
    strangers.labeler("old-pack", "old-pack")
    found = {p.name: state for p, state in states() if p.package != "kitbox"}
    told = f"broken: made for contract {now + 1}, this is {now}"
    assert found == {"same-pack": READY, "both-pack": READY, "next-pack": told, "old-pack": READY}
    with pytest.raises(PluginError) as caught:
        registry.labelers.load("next-pack")
    for part in ("next-pack 1.2.3", f"version {now + 1}", f"has version {now}"):
        assert part in str(caught.value)
    # What says nothing was made for the first version.
    monkeypatch.setattr(contracts, "CONTRACT", now + 1)
    with pytest.raises(PluginError, match="made for version 1 of"):
        registry.labelers.load("old-pack")
    assert registry.labelers.load("both-pack")
    assert registry.labelers.load("folder")


def test_strict(strangers: Strangers, monkeypatch: pytest.MonkeyPatch) -> None:
    strangers.labeler("good-pack", "fine")
    monkeypatch.setenv(STRICT, "1")
    refuse_unsound()
    kitbox.make_recipe(RECIPE)
    strangers.labeler("bad-pack", "bad", "import no_such_module_at_all")
    strangers.labeler("own-pack", "folder")
    with pytest.raises(PluginError) as caught:
        kitbox.make_recipe({**RECIPE, "labeler": "kitbox:folder"})
    message = str(caught.value)
    assert "2 plugins are not ready, and KITBOX_STRICT_PLUGINS is set" in message
    assert "labeler bad of bad-pack 1.2.3: broken: ModuleNotFoundError" in message
    assert "labeler folder of own-pack 1.2.3: conflict" in message
    assert len(unsound(states())) == 2
    monkeypatch.setenv("KITBOX_PLUGINS", "good-pack")
    kitbox.make_recipe(RECIPE)
    monkeypatch.delenv("KITBOX_PLUGINS")
    for off in ("0", "", "false"):
        monkeypatch.setenv(STRICT, off)
        kitbox.make_recipe({**RECIPE, "labeler": "kitbox:folder"})
