"""The plugin kit, as strangers use it: wheels in a fresh environment.

The environment is new and has the wheels of kitbox and of the packages in `plugins/`; the
libraries that they need (torch and so on) are those of the environment that runs the tests,
through a `.pth` file, so that nothing large is installed again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PLUGINS = sorted(path.parent.name for path in (ROOT / "plugins").glob("*/pyproject.toml"))
UV = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))

pytestmark = pytest.mark.skipif(UV is None, reason="uv is not here, which makes environments")


@dataclass
class Fresh:
    """An environment."""

    folder: Path

    @property
    def python(self) -> str:
        return str(self.folder / "bin" / "python")

    def call(self, *words: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "KITBOX"))}
        return subprocess.run(
            [str(self.folder / "bin" / words[0]), *words[1:]],
            cwd=cwd,
            env={**kept, "KITBOX_CACHE": str(self.folder / "cache"), **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=400,
        )

    def install(self, *what: str) -> None:
        assert UV is not None
        uv(UV, "pip", "install", "--quiet", "--python", self.python, "--no-deps", *what)


def uv(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    """A new environment with the wheels."""
    assert UV is not None
    folder = tmp_path_factory.mktemp("fresh")
    wheels = folder / "wheels"
    for source in (ROOT, *(ROOT / "plugins" / name for name in PLUGINS)):
        uv(UV, "build", "--quiet", "--wheel", "--out-dir", str(wheels), str(source))
    environment = Fresh(folder / "env")
    uv(UV, "venv", "--quiet", "--python", sys.executable, str(environment.folder))
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = environment.folder / "lib" / version / "site-packages"
    (site / "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    environment.install(*(str(wheel) for wheel in wheels.glob("*.whl")))
    return environment


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


def test_their_own_tests_pass(fresh: Fresh, tmp_path: Path) -> None:
    """Those of each package, among them one that runs a recipe to a submission."""

    def tested(name: str) -> tuple[str, subprocess.CompletedProcess[str]]:
        folder = tmp_path / name  # beside nothing of the package but its tests
        folder.mkdir()
        shutil.copy(ROOT / "plugins" / name / "pyproject.toml", folder)
        shutil.copytree(ROOT / "plugins" / name / "tests", folder / "tests")
        command = ("python", "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider")
        return name, fresh.call(*command, cwd=folder)

    with ThreadPoolExecutor(2) as pool:
        for name, done in pool.map(tested, PLUGINS):
            assert done.returncode == 0, f"{name}\n{done.stdout}{done.stderr}"
            assert "::test_a_run" in done.stdout, name


def test_from_nothing_to_a_task_of_one_s_own(fresh: Fresh, tmp_path: Path) -> None:
    """`kitbox new plugin` out of the wheel, installed, checked, tested."""
    written = fresh.call("kitbox", "new", "plugin", "birds", cwd=tmp_path)
    assert written.returncode == 0, written.stderr
    folder = tmp_path / "kitbox-birds"
    assert (folder / ".github" / "workflows" / "test.yml").is_file()
    fresh.install("--editable", str(folder))
    try:
        for words in (("kitbox", "plugins", "check", "."), ("python", "-m", "pytest", "-q")):
            done = fresh.call(*words, cwd=folder)
            assert done.returncode == 0, done.stdout + done.stderr
    finally:
        assert UV is not None
        uv(UV, "pip", "uninstall", "--quiet", "--python", fresh.python, "kitbox-birds")
