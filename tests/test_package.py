"""Packages as their metadata has them."""

from __future__ import annotations

from pathlib import Path

import pytest
from third_party import Strangers

from kitbox.errors import PluginError
from kitbox.package import installed_from, of_folder, of_name

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
    (folder / "tests" / "test_birds.py").write_text(
        "from kitbox.testing import TaskTests\nclass TestBirds(TaskTests): ..."
    )
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
        ("kitbox.tasks", "kitbox.sources", "No test class inherits SourceTests"),
    ],
)
def test_faults(old: str, new: str, fault: str, tmp_path: Path) -> None:
    assert old in GOOD
    faults = of_folder(laid(tmp_path, GOOD.replace(old, new))).faults
    assert any(fault in one for one in faults), faults


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('["kitbox>=0.1"]', "3", r"project\.dependencies: found 3, expected a list"),
        ('["kitbox>=0.1"]', '"kitbox"', r"project\.dependencies: found 'kitbox', expected a list"),
        ('["kitbox>=0.1"]', "[3]", r"project\.dependencies\[0\]: found 3, expected text"),
        ('version = "1.0"', "version = 1.0", r"project\.version: found 1\.0, expected text"),
        ('version = "1.0"', 'version = "../1"', r"project\.version: found '\.\./1'"),
        ('"kitbox-birds"', '"kitbox/birds"', r"project\.name: found 'kitbox/birds'"),
        ('version = "1.0"', "dynamic = 1", r"project\.dynamic: found 1, expected a list"),
        ('version = "1.0"', "optional-dependencies = []", r"project\.optional-dependencies: found"),
        (
            'version = "1.0"',
            "optional-dependencies = {a = 3}",
            r"project\.optional-dependencies\.a: found 3, expected a list",
        ),
        (
            'birds = "kitbox_birds:Birds"',
            "birds = 3",
            r"entry-points\.kitbox\.tasks\.birds: found 3",
        ),
    ],
)
def test_values_of_other_types(old: str, new: str, told: str, tmp_path: Path) -> None:
    assert old in GOOD
    with pytest.raises(PluginError, match=told) as caught:
        of_folder(laid(tmp_path, GOOD.replace(old, new)))
    assert "pyproject.toml cannot be so: " in str(caught.value)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("entry-points = []", r"project\.entry-points: found"),
        ("entry-points = {a = []}", r"project\.entry-points\.a: found"),
        ("[dependency-groups]\ntest = 3", r"dependency-groups\.test: found 3, expected a list"),
        ("[dependency-groups]\ntest = [3]", r"dependency-groups\.test\[0\]: found 3"),
    ],
)
def test_tables_of_other_types(more: str, told: str, tmp_path: Path) -> None:
    bare = GOOD.partition("[project.entry-points")[0]
    with pytest.raises(PluginError, match=told):
        of_folder(laid(tmp_path, bare + more))
    top = f"dependency-groups = []\n{GOOD}"
    (tmp_path / "pyproject.toml").write_text(top)
    with pytest.raises(PluginError, match="dependency-groups: found"):
        of_folder(tmp_path)


def test_groups_may_include_others(tmp_path: Path) -> None:
    more = '[dependency-groups]\na = ["x"]\nb = [{include-group = "a"}, "y"]\n'
    assert of_folder(laid(tmp_path, GOOD + more)).requires == ("kitbox>=0.1", "x", "y")


def test_imports_that_are_not_declared(tmp_path: Path) -> None:
    """Of the package, of its tests, and of files that belong to neither."""
    folder = laid(tmp_path, GOOD + '[dependency-groups]\ntest = ["pytest>=8"]\n')
    (folder / "src" / "kitbox_birds").mkdir(parents=True)
    code = folder / "src" / "kitbox_birds" / "__init__.py"
    code.write_text("def f():\n    import pandas, kitbox_birds.more")
    (folder / "tests" / "helper.py").write_text("")
    more = "\nimport pytest, helper, kitbox_birds, pandas, sklearn"
    with (folder / "tests" / "test_birds.py").open("a") as file:
        file.write(more)
    (folder / "noxfile.py").write_text("import nox")
    assert of_folder(folder).faults == (
        "It imports what it does not declare: pandas (__init__.py). Add to `dependencies`: "
        '"pandas>=2.2"',
        "Its tests import what it does not declare: sklearn (test_birds.py). Add to `test` of "
        '[dependency-groups]: "scikit-learn>=1.6"',
    )
    text = (folder / "pyproject.toml").read_text()
    text = text.replace('["kitbox>=0.1"]', '["kitbox>=0.1", "Pandas"]')
    (folder / "pyproject.toml").write_text(text.replace('"pytest>=8"', '"pytest", "scikit-learn"'))
    assert of_folder(folder).faults == ()


def test_dynamic_metadata_is_not_guessed(tmp_path: Path) -> None:
    text = GOOD.replace('dependencies = ["kitbox>=0.1"]', 'dynamic = ["dependencies"]')
    (laid(tmp_path, text) / "kitbox_birds.py").write_text("import pandas")
    assert of_folder(tmp_path).faults == ()
    bare = GOOD.partition("[project.entry-points")[0] + 'dynamic = ["entry-points"]\n'
    (tmp_path / "pyproject.toml").write_text(bare)
    assert any("Its entry points are dynamic" in one for one in of_folder(tmp_path).faults)


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
    info = tmp_path / "site" / "bird_pack-1.2.3.dist-info"
    (info / "RECORD").write_text("bird_pack.py,,\n")
    (tmp_path / "site" / "bird_pack.py").write_text("import pandas, yaml")
    with (info / "METADATA").open("a") as file:
        file.write("Requires-Dist: pandas>=2\n")
    (told,) = (one for one in of_name("bird-pack").faults if "does not declare" in one)
    assert told.startswith("It imports what it does not declare: yaml (bird_pack.py). Add")
    with pytest.raises(PluginError, match=r"no installed package 'brid-pack'\. Did you mean"):
        of_name("brid-pack")
    assert of_name("kitbox").faults == ()


def test_where_it_was_installed_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert installed_from("no-such-pack") == (None, None)
    Strangers(tmp_path / "site", monkeypatch).labeler("bird-pack", "birds")
    url = tmp_path / "site" / "bird_pack-1.2.3.dist-info" / "direct_url.json"
    for text, folder in [
        ('{"url": "file:///a%20b", "dir_info": {"editable": true}}', Path("/a b")),
        ('{"url": "file:///a", "dir_info": {}}', None),
        ('{"url": "https://a/b.git", "vcs_info": {}}', None),
        ("{", None),
    ]:
        url.write_text(text)
        found, where = installed_from("bird-pack")
        assert found is not None
        assert (found.version, where) == ("1.2.3", folder)
