"""Packages as their metadata has them."""

from __future__ import annotations

from pathlib import Path

import pytest
from third_party import Strangers

from kitbox.errors import PluginError
from kitbox.package import of_folder, of_name

GOOD = """
[project]
name = "kitbox-birds"
version = "1.0"
description = "Birds"
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["kitbox>=0.1"]
[project.entry-points."kitbox.contract"]
1 = "kitbox.contracts"
[project.entry-points."kitbox.tasks"]
birds = "kitbox_birds:Birds"
"""


def laid(folder: Path, text: str = GOOD) -> Path:
    (folder / "tests").mkdir()
    (folder / "README.md").write_text("Birds")
    (folder / "tests" / "test_birds.py").write_text("class TestBirds(TaskTests): ...")
    (folder / "pyproject.toml").write_text(text)
    return folder


def test_a_sound_package(tmp_path: Path) -> None:
    found = of_folder(laid(tmp_path))
    assert (found.name, found.version, found.faults) == ("kitbox-birds", "1.0", ())
    assert found.points_as_text() == (
        "[kitbox.contract]\n1 = kitbox.contracts\n[kitbox.tasks]\nbirds = kitbox_birds:Birds\n"
    )
    assert [path.name for path in found.modules] == ["test_birds.py"]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('version = "1.0"', "", "has no `version`"),
        ('description = "Birds"', "", "has no `description`"),
        ('readme = "README.md"', "", "has no `readme`"),
        ("README.md", "LIESMICH.md", "readme that is not there: LIESMICH.md"),
        ('requires-python = ">=3.11"', "", "has no `requires-python`"),
        ('["kitbox>=0.1"]', '["kitboxes"]', "does not depend on kitbox"),
        ('1 = "kitbox.contracts"', "", "does not say which version"),
        ('birds = "kitbox_birds:Birds"', "", "brings no plugin"),
        ("kitbox.tasks", "kitbox.task", "group 'kitbox.task'. Did you mean 'kitbox.tasks'"),
        ("birds = ", '"a bird" = ', "'a bird' in kitbox.tasks is no name"),
        ("kitbox_birds:Birds", "kitbox_birds", "names no class"),
        ("kitbox.tasks", "kitbox.sources", "No test inherits SourceTests"),
    ],
)
def test_faults(old: str, new: str, fault: str, tmp_path: Path) -> None:
    assert old in GOOD
    faults = of_folder(laid(tmp_path, GOOD.replace(old, new))).faults
    assert any(fault in one for one in faults), faults


def test_a_version_may_be_dynamic(tmp_path: Path) -> None:
    text = GOOD.replace('version = "1.0"', 'dynamic = ["version"]')
    assert of_folder(laid(tmp_path, text)).faults == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [(None, "no package in"), ("[project", "cannot be read"), ("[tool]", "gives no name")],
)
def test_what_is_no_package(text: str | None, told: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(PluginError, match=told):
        of_folder(tmp_path)


def test_installed_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Strangers(tmp_path / "site", monkeypatch).labeler("bird-pack", "birds")
    found = of_name("Bird_Pack")
    assert found.version == "1.2.3"
    assert found.folder is None
    assert any("does not say which version" in fault for fault in found.faults)
    with pytest.raises(PluginError, match=r"no installed package 'brid-pack'\. Did you mean"):
        of_name("brid-pack")
    assert of_name("kitbox").faults == ()
