"""The stand-in of an image: what is the image's in it, what this machine's, and what neither."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from kitbox.errors import SourceError
from kitbox.kaggle import resolver, stand_in
from kitbox.kaggle.images import images
from kitbox.progress import Progress

LISTED = "import importlib.metadata as m; print(*sorted({d.name for d in m.distributions()}))"


def held(python: Path) -> set[str]:
    told = subprocess.run([str(python), "-c", LISTED], capture_output=True, text=True, check=True)
    return {resolver.canonical(name) for name in told.stdout.split()}


def test_the_nearest_image(monkeypatch: pytest.MonkeyPatch) -> None:
    def nearest(python: tuple[int, int], torch: str) -> tuple[str, str]:
        version = SimpleNamespace(major=python[0], minor=python[1])
        monkeypatch.setattr(sys, "version_info", version)
        monkeypatch.setattr(metadata, "version", lambda name: torch)
        found = stand_in.nearest()
        return found.name, found.pins["torch"]

    assert nearest((3, 12), "2.11.0+cu128") == ("kaggle", "2.11")
    assert nearest((3, 12), "2.10.1") == ("kaggle", "2.10")
    assert nearest((3, 13), "2.15.0") == ("colab", "2.11")
    assert nearest((3, 11), "2.1.0") == ("kaggle", "2.10")


def test_without_an_index_all_is_this_machine_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none(*_: object) -> dict[str, str]:
        raise SourceError("nobody there", found="no answer")

    monkeypatch.setattr(resolver, "resolve", none)
    python = stand_in.make(tmp_path / "env", images()[0], Progress())
    told = capsys.readouterr().out
    assert "all are this machine's versions: torch " in told
    assert f"numpy {metadata.version('numpy')}" in told
    assert "no answer" in told
    there = held(python)
    assert {"torch", "numpy", "pip", "scipy", "pydantic-core"} <= there
    # Nothing but the image's packages and what they need.
    assert not there & {"kitbox", "imagehash", "segmentation-models-pytorch", "pytest", "ruff"}
    works = "import torch, timm, albumentations; print((torch.ones(2) @ torch.ones(2)).item())"
    done = subprocess.run([str(python), "-c", works], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("2.0\n", 0), done.stderr


def test_an_installer_leaves_this_machine_s_files_alone(tmp_path: Path) -> None:
    venv.create(tmp_path, symlinks=os.name != "nt")
    site = stand_in.site(tmp_path)
    assert stand_in.link(["rich"], site)["rich"] == metadata.version("rich")
    first = site / "rich" / "__init__.py"
    assert first.is_symlink()
    assert not first.parent.is_symlink()
    assert not first.parent.parent.is_symlink()


def test_what_is_not_installed_here(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="Not installed here: no-such-package"):
        stand_in.link(["six", "no-such-package"], tmp_path)
    assert stand_in.link(["six"], tmp_path / "more", without=["six"]) == {}


def test_extras_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """torch 2.15 names its libraries by extras of another package."""
    for name, needs in {
        "first": ["second[more,most]", 'lost; python_version < "3"'],
        "second": ['third; extra == "more"', 'fourth; extra == "less"', "first"],
        "third": ["second[less]"],
        "fourth": [],
    }.items():
        about = tmp_path / f"{name}-1.dist-info"
        about.mkdir()
        lines = [f"Requires-Dist: {one}\n" for one in needs]
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n{''.join(lines)}"
        (about / "METADATA").write_text(text)
        (tmp_path / f"{name}.py").write_text("")
        (about / "RECORD").write_text(f"{name}.py,,\n{about.name}/METADATA,,\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = stand_in.link(["first"], tmp_path / "site")
    assert set(found) == {"first", "second", "third", "fourth"}
    assert (tmp_path / "site" / "fourth.py").is_symlink()
