"""Wheels made of what is installed."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest
from index import needs_index

import kitbox
from kitbox.errors import SourceError
from kitbox.kaggle import wheels


def sound(path: Path) -> dict[str, bytes]:
    """The files of a wheel, each as its record says."""
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    (record,) = [name for name in held if name.endswith(".dist-info/RECORD")]
    rows = list(csv.reader(io.StringIO(held[record].decode())))
    assert {row[0] for row in rows} == held.keys()
    for name, digest, size in rows:
        if name != record:
            found = base64.urlsafe_b64encode(hashlib.sha256(held[name]).digest()).rstrip(b"=")
            assert digest == f"sha256={found.decode()}"
            assert int(size) == len(held[name])
    return held


def test_kitbox_itself(tmp_path: Path) -> None:
    wheels.make("kitbox", tmp_path)
    (path,) = tmp_path.iterdir()
    assert path.name == f"kitbox-{kitbox.__version__}-py3-none-any.whl"
    held = sound(path)
    root = Path(kitbox.__file__).parent
    files = [p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    assert {f"kitbox/{p.relative_to(root).as_posix()}" for p in files} <= held.keys()
    assert held["kitbox/runner.py"] == (root / "runner.py").read_bytes()
    about = f"kitbox-{kitbox.__version__}.dist-info"
    assert b"[kitbox.tasks]" in held[f"{about}/entry_points.txt"]
    assert b"Requires-Dist: timm" in held[f"{about}/METADATA"]
    first = path.read_bytes()
    wheels.make("kitbox", tmp_path)
    assert path.read_bytes() == first


def test_another_package_and_what_it_needs(tmp_path: Path) -> None:
    wheels.make("six", tmp_path)
    (path,) = tmp_path.iterdir()
    assert "six.py" in sound(path)
    needs = wheels.requirements("kitbox")
    assert any(one.startswith("torch") for one in needs)
    assert not any(one.startswith("zstandard") for one in needs), "an extra"


def test_what_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no-such-package is not installed"):
        wheels.make("no-such-package", tmp_path)
    with pytest.raises(SourceError, match=r"PyYAML|pyyaml has compiled parts"):
        wheels.make("pyyaml", tmp_path)


def test_what_is_installed_for_editing_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_index()
    project, site = tmp_path / "project", tmp_path / "site"
    (project / "some_kitbox_plugin").mkdir(parents=True)
    (project / "some_kitbox_plugin/__init__.py").write_text("X = 1\n")
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "some-kitbox-plugin"\nversion = "0.3"\n'
    )
    about = site / "some_kitbox_plugin-0.3.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: some-kitbox-plugin\nVersion: 0.3")
    told = {"url": project.as_uri(), "dir_info": {"editable": True}}
    (about / "direct_url.json").write_text(json.dumps(told))
    monkeypatch.syspath_prepend(str(site))
    wheels.make("some-kitbox-plugin", tmp_path / "out")
    (path,) = (tmp_path / "out").iterdir()
    assert "some_kitbox_plugin/__init__.py" in sound(path)
