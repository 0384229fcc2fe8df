"""Resolving and fetching, by the real programs."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import fresh_environment
import pytest
from fresh_environment import needs_uv
from index import needs_index

from kitbox.errors import SourceError
from kitbox.kaggle import resolver


def test_names() -> None:
    assert resolver.canonical("Segmentation__Models.pytorch") == "segmentation-models-pytorch"
    found = resolver.NAME.match("PyYAML>=6 ; python_version > '3'")
    assert found is not None
    assert found[0] == "PyYAML"


def test_neither_pip_nor_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SourceError, match=r"neither pip nor uv is installed here.*ensurepip"):
        resolver.resolve(["six"], (), "3.12")


def test_a_missing_uv_fails_in_ci_and_skips_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fresh_environment, "UV", None)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="uv is not here"):
        needs_uv()
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="uv is not here"):
        needs_uv()


@pytest.mark.parametrize("way", ["uv", "pip"])
def test_both_ways_agree(tmp_path: Path, way: str) -> None:
    needs_index()
    wanted, limits = tmp_path / "wanted.txt", tmp_path / "limits.txt"
    wanted.write_text("python-dateutil==2.9.0.post0\n")
    limits.write_text("six==1.16.0\nnumpy==2.0.*\n")
    found = (
        resolver._by_uv(needs_uv(), wanted, limits, "3.12")
        if way == "uv"
        else resolver._by_pip(wanted, limits, "3.12")
    )
    assert found == {"python-dateutil": "2.9.0.post0", "six": "1.16.0"}


def test_what_does_not_go_together(tmp_path: Path) -> None:
    needs_index()
    with pytest.raises(SourceError, match=r"no set of packages for Python 3.12.*numpy"):
        resolver.resolve(["numpy>=2.2"], ["numpy==2.0.*"], "3.12")


def test_wheels_for_another_python(tmp_path: Path) -> None:
    needs_index()
    resolver.download({"six": "1.17.0", "pywavelets": "1.8.0"}, "3.13", tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert [name.partition("-")[0] for name in names] == ["pywavelets", "six"]
    assert "cp313" in names[0]
    resolver.download({}, "3.13", tmp_path)
    with pytest.raises(SourceError, match="no-such-package"):
        resolver.download({"no-such-package-of-kitbox": "1"}, "3.13", tmp_path)
