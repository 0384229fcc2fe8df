"""Where a process runs and what it may use."""

from __future__ import annotations

import os
import sys
import types
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from kitbox import environment
from kitbox.errors import StorageError

NAMES = [
    "KAGGLE_KERNEL_RUN_TYPE",
    "KAGGLE_URL_BASE",
    "COLAB_RELEASE_TAG",
    "KITBOX_CACHE",
    "XDG_CACHE_HOME",
    "KAGGLE_USERNAME",
    "KAGGLE_KEY",
    "WORLD_SIZE",
    "LOCAL_WORLD_SIZE",
    "RANK",
    "LOCAL_RANK",
    "KITBOX_BEGAN",
]


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({}, "elsewhere"),
        ({"KAGGLE_KERNEL_RUN_TYPE": "Batch"}, "kaggle"),
        ({"KAGGLE_KERNEL_RUN_TYPE": ""}, "elsewhere"),
        ({"KAGGLE_URL_BASE": "https://www.kaggle.com"}, "kaggle"),
        ({"COLAB_RELEASE_TAG": "release-colab_2025"}, "colab"),
        # Kaggle's image is built on Colab's and keeps its variable.
        ({"COLAB_RELEASE_TAG": "x", "KAGGLE_KERNEL_RUN_TYPE": "Interactive"}, "kaggle"),
        # A person's Kaggle key, on Colab and at home.
        ({"KAGGLE_USERNAME": "me", "KAGGLE_KEY": "k", "COLAB_RELEASE_TAG": "x"}, "colab"),
        ({"KAGGLE_USERNAME": "me", "KAGGLE_KEY": "k"}, "elsewhere"),
    ],
)
def test_place(variables: dict[str, str], place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert environment.place() == place


def test_colab_by_its_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    assert environment.place() == "colab"


def test_a_folder_kaggle_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("exists", "is_dir"):
        monkeypatch.setattr(Path, name, lambda self, **_: True)
    for name in ("exists", "isdir"):
        monkeypatch.setattr(os.path, name, lambda path: True)
    assert environment.place() == "elsewhere"


def test_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert environment.cache_folder() == tmp_path / ".cache" / "kitbox"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert environment.cache_folder() == tmp_path / "xdg" / "kitbox"
    monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Batch")
    # /kaggle/working would be saved with the kernel's output.
    assert environment.cache_folder() == Path("/tmp/kitbox")
    monkeypatch.setenv("KITBOX_CACHE", "~/mine")
    assert environment.cache_folder() == tmp_path / "mine"
    monkeypatch.setenv("KITBOX_CACHE", "")
    assert environment.cache_folder() == Path("/tmp/kitbox")


def fake_cuda(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], works: bool = True, text: str = ""
) -> None:
    """torch with one GPU; `works` says whether its build has kernels for it."""
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: "Some GPU")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda index: capability)
    properties = SimpleNamespace(total_memory=16_106_127_360)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: properties)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_75", "sm_90"])
    # Says yes on a T4, through emulation: must not be believed.
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *_: True)
    real = torch.ones

    def ones(*shape: int, device: Any = None) -> torch.Tensor:
        assert device.startswith("cuda")
        if not works:
            raise RuntimeError(text)
        return real(*shape)

    monkeypatch.setattr(torch, "ones", ones)


@pytest.mark.parametrize(
    ("capability", "precision"),
    [((7, 5), "fp16"), ((7, 0), "fp16"), ((8, 0), "bf16"), ((8, 9), "bf16"), ((10, 0), "bf16")],
)
def test_precision_follows_the_capability(
    capability: tuple[int, int], precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_cuda(monkeypatch, capability)
    found = environment.detect()
    assert (found.device, found.device_name, found.precision) == ("cuda", "Some GPU", precision)
    assert f"{capability[0]}.{capability[1]}" in found.reason
    assert "bf16" in found.reason
    (gpu,) = environment.gpus()
    assert gpu == environment.Gpu("Some GPU", 16_106_127_360, capability)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no kernel image is available\nsecond line", "(no kernel image is available;"),
        ("", "(RuntimeError;"),
    ],
)
def test_a_gpu_without_kernels_is_not_used(
    text: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_cuda(monkeypatch, (6, 0), works=False, text=text)
    found = environment.detect()
    assert (found.device, found.precision) == ("cpu", "no")
    assert found.device_name != "Some GPU"
    assert "Some GPU failed its first operation" in found.reason
    assert said in found.reason
    (gpu,) = environment.gpus()
    assert said in gpu.trouble
    assert "sm_75, sm_90" in found.reason
    assert "\n" not in found.reason


def test_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(environment, "cores", lambda: 64)
    found = environment.detect()
    assert (found.device, found.precision, found.workers) == ("cpu", "no", 16)
    assert "no GPU" in found.reason
    assert found.device_name
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert environment.detect().device == "mps"


def test_cores_are_those_that_may_be_used() -> None:
    assert environment.cores() == len(os.sched_getaffinity(0))


def test_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name == "timm":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    found = environment.versions()
    assert found["torch"] == torch.__version__
    assert found["torch"].partition("+")[0] == real("torch").partition("+")[0]
    assert found["numpy"] == real("numpy")
    assert found["timm"] is None
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))


def test_free_memory_is_a_likely_number() -> None:
    assert 1 << 20 < environment.free_memory() < 1 << 50


def test_a_containers_limits_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "CGROUP", tmp_path)
    free, cores = environment.free_memory(), environment.cores()
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("700000\n")
    (tmp_path / "memory.stat").write_text("anon 500000\ninactive_file 100000\n")
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    assert environment.free_memory() == 400_000
    assert environment.cores() == 1
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert abs(environment.free_memory() - free) < free / 2
    assert environment.cores() == cores


def launch(monkeypatch: pytest.MonkeyPatch, rank: int, count: int) -> None:
    """The variables that a launcher gives each of several processes on a machine."""
    for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"):
        monkeypatch.setenv(name, str(count))
    for name in ("RANK", "LOCAL_RANK"):
        monkeypatch.setenv(name, str(rank))


def test_launched(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not environment.launched()
    launch(monkeypatch, 0, 1)
    assert not environment.launched()
    launch(monkeypatch, 1, 2)
    assert environment.launched()
    monkeypatch.delenv("RANK")  # set by something else
    assert not environment.launched()


def test_each_process_has_its_gpu_and_its_part_of_the_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake_cuda(monkeypatch, (7, 5))
    monkeypatch.setattr(environment, "cores", lambda: 4)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert (environment.detect().device, environment.detect().workers) == ("cuda", 4)
    for rank in (0, 1):
        launch(monkeypatch, rank, 2)
        found = environment.detect()
        assert (found.device, found.workers) == (f"cuda:{rank}", 2)


def test_a_process_that_a_run_started_began_with_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITBOX_BEGAN", "12.5")
    assert environment.began() == 12.5


@pytest.mark.parametrize(
    ("given", "limit"),
    [
        ("", None),
        ("0", 0),
        ("0GB", 0),
        ("512B", 512),
        ("4GB", 4 * 10**9),
        ("4096 mb", 4096 * 10**6),
        ("1.5g", 15 * 10**8),
        ("2tb", 2 * 10**12),
    ],
)
def test_the_room_for_pixels(monkeypatch: pytest.MonkeyPatch, given: str, limit: int) -> None:
    monkeypatch.setenv(environment.PIXELS, given)
    assert environment.pixel_limit() == limit


@pytest.mark.parametrize("given", ["4096", "20", "4 GiB", "-1GB", ".", "GB"])
def test_a_room_that_is_none(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    """A bare number too: nobody means bytes."""
    monkeypatch.setenv(environment.PIXELS, given)
    with pytest.raises(StorageError, match=r"KITBOX_PIXELS holds no size.*500MB, 20GB or 0"):
        environment.pixel_limit()


def test_who_stays_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_OFFLINE", "KAGGLE_KERNEL_RUN_TYPE", "KAGGLE_URL_BASE"):
        monkeypatch.delenv(name, raising=False)
    assert not environment.stays_offline()
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert not environment.stays_offline()
    monkeypatch.setenv("HF_HUB_OFFLINE", "true")
    assert environment.stays_offline()
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Batch")
    assert environment.stays_offline()
