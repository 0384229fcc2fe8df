"""Bad packages together: each is told, and everything else works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import third_party
from third_party import LABELER

ROOT = Path(__file__).resolve().parents[1]
WRITER = """
from kitbox import Options

class Mine(Options):
    def ids(self, sample, folder): ...
    def table(self, predictions, sample, folder): ...
"""
BAD = {
    "raises-pack 0.3": "broken: ModuleNotFoundError: No module named 'no_such_module_at_all'",
    "breach-pack 0.4": "broken: The labeler 'breach' of breach-pack 0.4",
    "taker-pack 0.5": "conflict: write taker-pack:wide",
    "hangs-pack 0.6": "broken: the import did not end within 2 seconds",
    "future-pack 0.7": "broken: made for contract 99, this is 1",
    "ends-pack 0.8": "broken: the import ended the process, with status 3",
    "keeps-pack 0.9": "broken: the import did not end within 2 seconds",
}
"""Package and version, and how its state begins."""
KEEPS = """
import time
while True:
    try:
        time.sleep(600)
    except BaseException:
        pass
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bad ones, and a good one."""
    folder = tmp_path_factory.mktemp("site")

    def labeler(package: str, version: str, text: str, *contract: str) -> None:
        name = package.removesuffix("-pack")
        points = {
            "labelers": {name: f"{name}_pack:Mine"},
            "contract": dict.fromkeys(contract, "kitbox.contracts"),
        }
        third_party.write(folder, package, points, {f"{name}_pack": text}, version)

    labeler("raises-pack", "0.3", "import no_such_module_at_all", "1")
    labeler("breach-pack", "0.4", LABELER.replace("def label", "def lable"), "1")
    labeler("hangs-pack", "0.6", "import time\ntime.sleep(600)", "1")
    labeler("future-pack", "0.7", "raise SystemExit('imported, which nobody should')", "99")
    labeler("ends-pack", "0.8", "import os\nos._exit(3)", "1")
    labeler("keeps-pack", "0.9", KEEPS, "1")
    labeler("good-pack", "1.0", LABELER, "1")
    third_party.write(
        folder, "taker-pack", {"writers": {"wide": "taker:Mine"}}, {"taker": WRITER}, "0.5"
    )
    return folder


def call(site: Path, cwd: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("KITBOX")}
    return subprocess.run(
        [sys.executable, "-c", "from kitbox.cli import main; main()", *words],
        cwd=cwd,
        env={
            **kept,
            "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)]),
            "KITBOX_IMPORT_SECONDS": "2",
            "KITBOX_CACHE": str(site / ".cache"),
            **more,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


def states(said: str) -> dict[str, list[str]]:
    """By package and version."""
    found: dict[str, list[str]] = {}
    for line in said.splitlines()[1:]:
        _, _, package, version, state = line.split(maxsplit=4)
        found.setdefault(f"{package} {version}", []).append(state)
    return found


def test_each_is_told_by_package_and_version(site: Path, tmp_path: Path) -> None:
    done = call(site, tmp_path, "plugins")
    assert done.returncode == 0, done.stderr
    found = states(done.stdout)
    for package, begins in BAD.items():
        (state,) = found.pop(package)
        assert state.startswith(begins), state
    assert found.pop("good-pack 1.0") == ["ready"]
    ((kitbox, own),) = found.items()
    assert kitbox.startswith("kitbox ")
    assert sorted(set(own)) == ["conflict: write kitbox:wide", "ready"]
    assert own.count("ready") == len(own) - 1


def test_everything_else_works(site: Path, tmp_path: Path) -> None:
    """A whole run (whose task asks for the writer whose name was taken), and what lists plugins."""
    small = ("--set", "source={use: digits, pictures: 200}", "--set", "size=16")
    small = (*small, "--set", "stages=[{epochs: 1}]", "--set", "submission={}")
    done = call(site, tmp_path, "demo", "--out", "run", *small)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "submission.csv").read_text().startswith("id,0,1,")
    for words in (("schema",), ("plugins", "show", "folder"), ("plugins", "show", "good")):
        done = call(site, tmp_path, *words)
        assert done.returncode == 0, done.stderr
        assert done.stdout
    # Named in a recipe, each is refused in a paragraph.
    for name in ("raises", "breach", "hangs", "future", "ends", "keeps"):
        done = call(site, tmp_path, "demo", "--set", f"labeler={name}")
        assert done.returncode == 2
        assert f"The labeler '{name}' of {name}-pack 0." in done.stderr
        assert "Traceback" not in done.stderr


def test_the_schema_has_the_others(site: Path, tmp_path: Path) -> None:
    done = call(site, tmp_path, "schema")
    assert done.returncode == 0, done.stderr
    described = json.loads(done.stdout)["$defs"]["labeler"]["anyOf"]
    names = {
        name
        for one in described
        if "use" in one.get("properties", {})
        for name in one["properties"]["use"]["enum"]
    }
    assert {"folder", "good", "good-pack:good"} <= names
    assert not names & {"raises", "breach", "hangs", "future", "ends", "keeps"}


def test_the_allow_list_leaves_them_out(site: Path, tmp_path: Path) -> None:
    more = {"KITBOX_PLUGINS": "good-pack", "KITBOX_STRICT_PLUGINS": "1"}
    done = call(site, tmp_path, "plugins", **more)
    assert done.returncode == 0, done.stderr
    found = states(done.stdout)
    for package in BAD:
        assert found[package] == ["left out by KITBOX_PLUGINS"]
    assert found["good-pack 1.0"] == ["ready"]
    assert set(found[next(name for name in found if name.startswith("kitbox "))]) == {"ready"}


def test_strict_makes_them_errors(site: Path, tmp_path: Path) -> None:
    for words in (("plugins",), ("demo", "--out", "run")):
        done = call(site, tmp_path, *words, KITBOX_STRICT_PLUGINS="1")
        assert done.returncode == 2
        assert f"{len(BAD)} plugins are not ready, and KITBOX_STRICT_PLUGINS is set" in done.stderr
        for package, state in BAD.items():
            assert f"of {package}: {state}" in done.stderr
        assert "good-pack" not in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()
