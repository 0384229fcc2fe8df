"""What `kitbox doctor` says, and what it never says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import torch

from kitbox import doctor, environment
from kitbox.environment import Gpu
from kitbox.models import weights


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "HOSTS", {"127.0.0.1:9": "nothing"})  # nobody listens there


def found() -> dict[str, doctor.Finding]:
    return {one.subject: one for one in doctor.look()}


def test_from_the_command_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from kitbox.cli import main; main()", "doctor"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    for subject in ("place", "device", "cores", "memory", "cache", "internet", "Kaggle keys"):
        assert f"\n{subject} " in f"\n{done.stdout}"
    assert f"torch {torch.__version__}" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_keys_are_named_and_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", "KGAT_0123456789abcdef0123456789abcdef")
    monkeypatch.setenv("KAGGLE_USERNAME", "somebody")
    monkeypatch.setenv("KAGGLE_KEY", "fedcba9876543210fedcba9876543210")
    findings = list(doctor.look())
    text = "\n".join(" ".join(one) for one in findings)
    assert "KAGGLE_API_TOKEN" in text
    assert "KAGGLE_KEY" in text
    assert "KGAT_" not in text
    assert "fedcba" not in text


def test_no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from kitbox.kaggle import keys

    monkeypatch.setattr(keys, "find", list)
    assert found()["Kaggle keys"].said == "none"
    assert "settings/api" in found()["Kaggle keys"].advice


def test_a_gpu_without_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Gpu("Tesla P100", 16 << 30, (6, 0), "failed its first operation (no kernel image)")
    works = Gpu("Tesla T4", 16_106_127_360, (7, 5))
    monkeypatch.setattr(environment, "gpus", lambda: [broken, works])
    said = found()
    assert "works" not in said["GPU 0"].said
    assert "no kernel image" in said["GPU 0"].advice
    assert said["GPU 1"].said == "Tesla T4, 15.0 GiB, compute capability 7.5; works"
    assert "processes: 2" in said["GPU 1"].advice


def test_the_runner_s_facts() -> None:
    """Not a second opinion."""
    here, said = environment.detect(), found()
    assert here.device_name in said["device"].said
    assert here.reason in said["device"].said
    assert said["cache"].said.startswith(str(here.cache))
    assert said["cores"].said.startswith(f"{environment.cores()},")


def test_internet(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = found()["internet"]
    assert missing.said == "127.0.0.1:9 does not answer"
    assert "kitbox pack" in missing.advice
    monkeypatch.setattr(requests, "head", lambda *_, **__: requests.Response())
    assert found()["internet"] == doctor.Finding("internet", "127.0.0.1:9 answers")
    monkeypatch.setenv("KAGGLE_IS_COMPETITION_RERUN", "1")
    assert "not tried" in found()["internet"].said


def test_disks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KITBOX_CACHE", "/proc/nowhere")
    monkeypatch.setenv("KITBOX_PIXELS", "5GB")
    monkeypatch.chdir(tmp_path)
    said = found()
    assert said["cache"].advice == "Set KITBOX_CACHE to a folder with room"
    assert "5 GB" in said["pixels"].said
    assert said["working in"].said.startswith(str(tmp_path))


def test_attached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KITBOX_KAGGLE_INPUT", str(tmp_path))
    assert found()["attached"].said == "nothing"
    for folder in ("competitions/pets", "datasets/me/weights", "old-slug"):
        (tmp_path / folder).mkdir(parents=True)
    assert found()["attached"].said == "competitions/pets, datasets/me/weights, old-slug"


def test_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(weights, "MOUNT", tmp_path / "no-mount")
    monkeypatch.delenv(weights.ATTACHED, raising=False)
    assert found()["weights"].said == "none attached (KITBOX_WEIGHTS names no folder)"
    for name in ("held/deep", "empty"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "held/resnet34.safetensors").touch()
    (tmp_path / "held/deep/b.pth").touch()
    names = [str(tmp_path / name) for name in ("held", "empty", "lost")]
    monkeypatch.setenv(weights.ATTACHED, os.pathsep.join(names))
    lost, held, empty = (one for one in doctor.look() if one.subject == "weights")
    assert held.said == f"{names[0]}: resnet34.safetensors, deep/b.pth"
    assert held.advice == ""
    assert empty.said == f"{names[1]}: no files of weights"
    assert empty.advice
    assert lost.said == f"{names[2]} is no folder"
    assert "KITBOX_WEIGHTS" in lost.advice


def test_packages_that_do_not_do(monkeypatch: pytest.MonkeyPatch) -> None:
    needs = ["pillow>=999", "no-such-package>=1", 'zstandard>=99; extra == "zstd"', "pandas>=2"]
    monkeypatch.setattr(doctor.metadata, "requires", lambda name: needs)
    told = [one for one in doctor.look() if one.subject == "packages"]
    assert len(told) == 3
    assert "expected >=999" in told[1].said
    assert told[2].said == "no-such-package is missing"
