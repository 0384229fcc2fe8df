"""Entry points and the allow-list."""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path

import pytest
import third_party

from kitbox import installed


@pytest.mark.parametrize(
    ("listed", "kept"),
    [
        (None, {"kitbox", "a-b", "c"}),
        ("", {"kitbox"}),
        (" ", {"kitbox"}),
        ("c", {"kitbox", "c"}),
        ("A_B, other", {"kitbox", "a-b"}),
        ("a.b,c,", {"kitbox", "a-b", "c"}),
    ],
)
def test_allow_list(listed: str | None, kept: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(installed.ALLOW_LIST, raising=False)
    if listed is not None:
        monkeypatch.setenv(installed.ALLOW_LIST, listed)
    assert {name for name in ("kitbox", "a-b", "c") if installed.allowed(name)} == kept


def test_a_package_installed_later_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    before = installed.installed("kitbox.sources")
    assert installed.installed("kitbox.sources") is before  # not looked up again
    os.utime(tmp_path, ns=(1, 1))  # so that a coarse clock shows the change, too
    third_party.write(tmp_path, "later", {"sources": {"late": "late:Late"}}, {})
    names = [point.name for point in installed.installed("kitbox.sources")]
    assert "late" in names
    assert sorted(names) == sorted(p.name for p in metadata.entry_points(group="kitbox.sources"))


def test_damaged_metadata_takes_nothing_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    third_party.write(tmp_path, "hurt", {"sources": {"odd": "odd:Odd"}}, {})
    next(tmp_path.glob("*.dist-info/METADATA")).unlink()
    monkeypatch.syspath_prepend(tmp_path)
    (point,) = [p for p in installed.installed("kitbox.sources") if p.name == "odd"]
    assert installed.origin(point) == ("?", "?")
    assert installed.origin(metadata.EntryPoint("a", "b:c", "d")) == ("?", "?")


def test_full_names() -> None:
    plugin = installed.Plugin("source", "a", "My_Pack", "1", "m:A", True, lambda: None)
    assert plugin.full_name == "My_Pack:a"
    assert plugin.answers_to("a")
    assert plugin.answers_to("my-pack:a")
    assert not plugin.answers_to("other:a")
    assert not plugin.answers_to("My_Pack:b")
    assert not plugin.answers_to("My_Pack")
