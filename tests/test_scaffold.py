"""A new package: written from the template, sound at once."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import third_party

from kitbox import registry, vetting
from kitbox.errors import PluginError, StorageError
from kitbox.scaffold import template, write_plugin

ROOT = Path(__file__).resolve().parents[1]


def install(folder: Path, site: Path) -> None:
    """Let a package be found, as an editable installation does."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    points = {
        group.removeprefix("kitbox."): names for group, names in project["entry-points"].items()
    }
    third_party.write(site, project["name"], points, {}, project["version"])
    with (site / "paths").open("a") as file:
        file.write(f"{folder}\n")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A package of each kind."""
    folder = tmp_path_factory.mktemp("packages")
    return {kind: write_plugin(f"two-{kind}s", kind, folder) for kind in registry.KINDS}


def test_new_plugins_pass_their_tests(written: dict[str, Path], tmp_path: Path) -> None:
    for folder in written.values():
        install(folder, tmp_path)
    paths = [str(tmp_path), *(tmp_path / "paths").read_text().split(), str(ROOT)]
    first = next(iter(written.values()))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-c", str(first / "pyproject.toml"), "--import-mode=importlib"),
            *(str(folder / "tests") for folder in written.values()),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("pictures varied") == 1
    assert " failed" not in done.stdout


@pytest.mark.parametrize("kind", registry.KINDS)
def test_new_plugins_have_nothing_to_mend(kind: str, written: dict[str, Path]) -> None:
    verdict = vetting.check(str(written[kind]))
    assert verdict.plugins == [f"{kind} two-{kind}s"]
    assert verdict.faults == []


def test_what_is_written(tmp_path: Path) -> None:
    folder = write_plugin("kitbox-birds", "task", tmp_path)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {
        "pyproject.toml",
        "README.md",
        ".github/workflows/test.yml",
        "kitbox_birds/__init__.py",
        "kitbox_birds/task.py",
        "tests/test_task.py",
    }
    for name in files:
        text = (folder / name).read_text()
        assert "template" not in text.lower(), name
        assert "\n\n\n\n" not in text
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["name"] == "kitbox-birds"
    assert project["description"] == "A task for kitbox"
    needs = [one.partition(">")[0] for one in project["dependencies"]]
    assert needs == ["kitbox", "numpy", "pandas", "pydantic", "torch"]
    assert project["entry-points"] == {
        "kitbox.contract": {"1": "kitbox.contracts"},
        "kitbox.tasks": {"birds": "kitbox_birds.task:BirdsTask"},
    }
    assert "task: {use: birds" in (folder / "README.md").read_text()
    assert "## A source" not in (folder / "README.md").read_text()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("name", ["", "9lives", "a b", "a_b", "../x", "a--b", "ä", "kitbox-"])
def test_names_that_cannot_be(name: str, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="is no name for a package"):
        write_plugin(name, "task", tmp_path)


@pytest.mark.parametrize("name", ["test", "testing", "template", "kitbox", "task", "kitbox-test"])
def test_names_that_would_be_taken_for_others(name: str, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="taken for something else"):
        write_plugin(name, "task", tmp_path)


@pytest.mark.parametrize("name", ["page-template", "template-kitbox", "x1"])
def test_names_with_words_of_the_template(name: str, tmp_path: Path) -> None:
    folder = write_plugin(name, "task", tmp_path)
    package = f"kitbox_{name.replace('-', '_')}"
    assert (folder / package / "task.py").is_file()
    for file in folder.rglob("*.py"):
        compile(file.read_text(), str(file), "exec")
    assert vetting.check(str(folder)).faults == []


def test_what_is_in_the_way(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="kitbox has a task called 'points' itself"):
        write_plugin("points", "task", tmp_path)
    with pytest.raises(PluginError, match=r"no kind of plugin called 'tasks'\. Did you mean"):
        write_plugin("birds", "tasks", tmp_path)
    (tmp_path / "kitbox-birds").mkdir()
    with pytest.raises(StorageError, match="is there already"):
        write_plugin("birds", "task", tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        write_plugin("birds", "task", tmp_path / "file")


def test_the_template_is_a_package_itself() -> None:
    verdict = vetting.check(str(template()))
    assert verdict.plugins == [f"{kind} template" for kind in registry.KINDS]
    assert verdict.faults == []
