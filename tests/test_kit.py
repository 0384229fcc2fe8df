"""The plugin kit, as strangers use it: wheels in a fresh environment."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fresh_environment import PLUGINS, ROOT, UV, Fresh, shared

pytestmark = pytest.mark.skipif(UV is None, reason="uv is not here, which makes environments")


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    """The environment with the wheels, which no test changes."""
    return shared(tmp_path_factory)


def test_the_wheels_are_what_is_used(fresh: Fresh, tmp_path: Path) -> None:
    code = "import kitbox, kitbox_audio; print(kitbox.__file__, kitbox_audio.__file__)"
    done = fresh.call("python", "-c", code, cwd=tmp_path)
    assert [Path(name).is_relative_to(fresh.folder) for name in done.stdout.split()] == [True] * 2


def test_all_are_listed_and_ready(fresh: Fresh, tmp_path: Path) -> None:
    done = fresh.call("kitbox", "plugins", cwd=tmp_path, KITBOX_STRICT_PLUGINS="1")
    assert done.returncode == 0, done.stderr
    lines = [line.split(maxsplit=4) for line in done.stdout.splitlines()[1:]]
    assert {line[4] for line in lines} == {"ready"}
    found = {(kind, name, package) for kind, name, package, _, _ in lines if package != "kitbox"}
    kinds = ("source", "labeler", "splitter", "augmentation", "backbone", "task", "writer")
    assert found == {
        *((kind, "template", "kitbox-template") for kind in kinds),
        ("task", "ordinal", "kitbox-ordinal"),
        ("task", "metric-learning", "kitbox-metric-learning"),
        ("source", "recordings", "kitbox-audio"),
        ("labeler", "recordings", "kitbox-audio"),
        ("augmentation", "spectrogram", "kitbox-audio"),
        ("source", "films", "kitbox-video"),
        ("splitter", "films", "kitbox-video"),
        ("writer", "films", "kitbox-video"),
    }
    for name in PLUGINS:
        checked = fresh.call("kitbox", "plugins", "check", name, cwd=tmp_path)
        assert checked.returncode == 0, checked.stderr


READMES = """
import re, sys, yaml, kitbox
base = {"source": "digits", "labeler": "folder", "task": "single-label"}
for text in (open(path).read() for path in sys.argv[1:]):
    blocks = re.findall(r"```yaml\\n(.+?)```", text, re.S)
    assert blocks
    for block in blocks:
        print(kitbox.make_recipe({**base, **yaml.safe_load(block)}).task)
"""


def test_the_recipes_of_their_pages_are_sound(fresh: Fresh, tmp_path: Path) -> None:
    pages = [str(ROOT / "plugins" / name / "README.md") for name in PLUGINS]
    done = fresh.call("python", "-c", READMES, *pages, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) >= len(PLUGINS)


@pytest.mark.parametrize("name", PLUGINS)
def test_their_own_tests_pass(name: str, fresh: Fresh, tmp_path: Path) -> None:
    """Those of each package, among them one that runs a recipe to a submission."""
    folder = tmp_path / name  # beside nothing of the package but its tests
    folder.mkdir()
    shutil.copy(ROOT / "plugins" / name / "pyproject.toml", folder)
    shutil.copytree(ROOT / "plugins" / name / "tests", folder / "tests")
    command = ("python", "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider")
    done = fresh.call(*command, cwd=folder)
    assert done.returncode == 0, f"{name}\n{done.stdout}{done.stderr}"
    assert "::test_a_run" in done.stdout, name


def test_from_nothing_to_a_task_of_one_s_own(fresh: Fresh, tmp_path: Path) -> None:
    """`kitbox new plugin` out of the wheel, installed, checked, tested, listed."""
    written = fresh.call("kitbox", "new", "plugin", "birds", cwd=tmp_path)
    assert written.returncode == 0, written.stderr
    folder = tmp_path / "kitbox-birds"
    assert (folder / ".github" / "workflows" / "test.yml").is_file()
    own = Fresh(tmp_path / "env").begun(fresh.site)  # what is in the shared one is in it too
    own.install("--editable", str(folder))
    for words in (("kitbox", "plugins", "check", "."), ("pytest", "-q"), ("kitbox", "plugins")):
        done = own.call("python", "-m", *words, cwd=folder)
        assert done.returncode == 0, done.stdout + done.stderr
    (line,) = (line.split() for line in done.stdout.splitlines() if "kitbox-birds" in line)
    assert line == ["task", "birds", "kitbox-birds", "0.1.0", "ready"]
