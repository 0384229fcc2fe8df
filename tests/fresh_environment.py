"""A new environment with the wheels of kitbox and of `plugins/`, made once for all workers.

The libraries that they need (torch and so on) are those of the environment that runs the tests,
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

from kitbox.sources.whole import alone

ROOT = Path(__file__).resolve().parents[1]
PLUGINS = sorted(path.parent.name for path in (ROOT / "plugins").glob("*/pyproject.toml"))
UV = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))


@dataclass
class Fresh:
    """An environment."""

    folder: Path

    @property
    def python(self) -> str:
        return str(self.folder / "bin" / "python")

    @property
    def site(self) -> Path:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.folder / "lib" / version / "site-packages"

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
            timeout=600,
        )

    def install(self, *what: str) -> None:
        uv("pip", "install", "--python", self.python, "--no-deps", *what)

    def begun(self, *beneath: Path) -> Fresh:
        """This environment, made now, with what lies in other folders of packages."""
        uv("venv", "--python", sys.executable, str(self.folder))
        libraries = [*beneath, Path(sysconfig.get_paths()["purelib"])]
        (self.site / "libraries.pth").write_text("".join(f"{path}\n" for path in libraries))
        return self


def needs_uv() -> str:
    """The path of uv; without it a test fails in CI, and is skipped elsewhere."""
    if UV is None:
        missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        missing("uv is not here")
    return UV


def uv(*words: str) -> None:
    """Call uv.

    It is quiet where all is well.
    """
    assert UV is not None
    command = (UV, words[0], *words[1:], "--quiet")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr


def shared(factory: pytest.TempPathFactory) -> Fresh:
    """The environment of this session of tests: made by the first worker that asks for it."""
    root = factory.getbasetemp()
    folder = (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / "fresh"
    environment, done = Fresh(folder / "env"), folder / "done"
    with alone(folder):
        if not done.exists():
            wheels = folder / "wheels"
            with ThreadPoolExecutor(2) as pool:
                sources = (ROOT, *(ROOT / "plugins" / name for name in PLUGINS))
                list(pool.map(lambda source: _build(source, wheels), sources))
            environment.begun().install(*(str(wheel) for wheel in wheels.glob("*.whl")))
            done.touch()
    return environment


def _build(source: Path, wheels: Path) -> None:
    uv("build", "--wheel", "--out-dir", str(wheels), str(source))
