"""Where am I: the place, the device and its number format, workers and folders."""

from __future__ import annotations

import os
import platform
import re
import sys
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from kitbox.errors import StorageError

Place = Literal["kaggle", "colab", "elsewhere"]
Precision = Literal["no", "fp16", "bf16"]

CACHE = "KITBOX_CACHE"
PIXELS = "KITBOX_PIXELS"
CGROUP = Path("/sys/fs/cgroup")
"""Where a container's limits are told."""
BEGAN = "KITBOX_BEGAN"
"""When the process began that started this one, for the time budget; on time.monotonic's clock."""
_IMPORTED = time.monotonic()


@dataclass(frozen=True)
class Environment:
    """What a run may use.

    Attributes:
        place: 'kaggle', 'colab' or 'elsewhere'.
        device: 'cuda', 'mps' or 'cpu'; 'cuda:1', say, in one of several processes.
        device_name: as the maker calls it.
        precision: of the forward and backward pass, as Accelerate names it.
        reason: why this device and precision, a sentence.
        workers: threads that prepare pictures.
        cache: folder for fetched data and decoded pictures.
    """

    place: Place
    device: str
    device_name: str
    precision: Precision
    reason: str
    workers: int
    cache: Path


def detect() -> Environment:
    """Look once; imports torch and touches the device."""
    device, name, precision, reason = _device()
    return Environment(
        place=place(),
        device=device,
        device_name=name,
        precision=precision,
        reason=reason,
        workers=max(1, min(16, cores() // int(os.environ.get("LOCAL_WORLD_SIZE") or 1))),
        cache=cache_folder(),
    )


def place() -> Place:
    """Where this process runs, by its environment.

    A folder /kaggle alone proves nothing: Colab's kagglehub makes one too. Kaggle
    is asked for first, because its image is built on Colab's and inherits
    COLAB_RELEASE_TAG (github.com/Kaggle/kagglehub/pull/230).
    """
    if os.environ.get("KAGGLE_KERNEL_RUN_TYPE") or os.environ.get("KAGGLE_URL_BASE"):
        return "kaggle"
    if "google.colab" in sys.modules or os.environ.get("COLAB_RELEASE_TAG"):
        return "colab"
    return "elsewhere"


def stays_offline() -> bool:
    """Whether a place that does not reach the network now is not meant to reach it later either.

    So where HF_HUB_OFFLINE is set, and in Kaggle's kernels, whose internet is on or off.
    """
    off = os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")
    return off or place() == "kaggle"


def cache_folder() -> Path:
    """$KITBOX_CACHE, or the user's cache folder; in a kernel a folder that is not saved."""
    if given := os.environ.get(CACHE):
        return Path(given).expanduser()
    if place() == "kaggle":
        return Path("/tmp/kitbox")
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "kitbox"


def cores() -> int:
    """Logical cores that this process may use: its affinity, and its container's share."""
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    try:
        quota, period = (CGROUP / "cpu.max").read_text().split()
        allowed = min(allowed, max(1, round(int(quota) / int(period))))
    except (OSError, ValueError):  # no container, or no limit ("max")
        pass
    return allowed


def launched() -> bool:
    """Whether Accelerate's launcher (or torchrun) started this process, as one of several."""
    several = int(os.environ.get("WORLD_SIZE") or 1) > 1
    return several and "RANK" in os.environ and "LOCAL_RANK" in os.environ


def free_memory() -> int:
    """Bytes of memory that can be taken without swapping or being killed; a guess where unknown."""
    free = 4 << 30
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                free = int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:
        limit = int((CGROUP / "memory.max").read_text())
        used = int((CGROUP / "memory.current").read_text())
        facts = dict(line.split() for line in (CGROUP / "memory.stat").read_text().splitlines())
        cached = int(facts.get("inactive_file", 0))  # files that may be forgotten
        free = min(free, max(0, limit - used + cached))
    except (OSError, ValueError):  # no container, or no limit ("max")
        pass
    return free


def pixel_limit() -> int | None:
    """$KITBOX_PIXELS: bytes that decoded pictures may take, such as `500MB` or `20GB`; else None.

    A number needs its unit (B, KB, MB, GB or TB, powers of 1000), but for 0.

    Raises:
        StorageError: when it is no number of bytes.
    """
    given = os.environ.get(PIXELS, "").strip()
    if not given:
        return None
    found = re.fullmatch(r"(?i)(\d+(?:\.\d+)?)\s*(?:([kmgt]?)b|([kmgt]))", given)
    if found is None and given == "0":
        return 0
    if found is None:
        raise StorageError(
            f"{PIXELS} holds no size: {given!r}", do="Write a size such as 500MB, 20GB or 0"
        )
    return int(float(found[1]) * 1000 ** " kmgt".index((found[2] or found[3] or " ").lower()))


def began() -> float:
    """When this process (a notebook's kernel, say) began, on the clock of `time.monotonic`.

    One that a run has started to share its work has that run's beginning.
    """
    try:
        if given := os.environ.get(BEGAN):
            return float(given)
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        ticks = float(fields[19])  # since the machine was started
        up = float(Path("/proc/uptime").read_text().split()[0])
        age = up - ticks / os.sysconf("SC_CLK_TCK")
        return time.monotonic() - max(0.0, age)
    except (OSError, ValueError, IndexError):
        return _IMPORTED


def versions() -> dict[str, Any]:
    """Versions of Python and of the libraries that shape a result."""
    import cv2
    import torch

    names = ["kitbox", "timm", "accelerate", "albumentations"]
    names += ["numpy", "pandas", "pillow", "scikit-learn"]
    found: dict[str, Any] = {"python": platform.python_version(), "platform": platform.platform()}
    found["torch"] = torch.__version__  # with the build's tag, which the package's lacks
    found["opencv"] = cv2.__version__  # of whichever package brings it
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


@dataclass(frozen=True)
class Gpu:
    """A CUDA device.

    Attributes:
        name: as its maker calls it.
        memory: bytes in all.
        capability: compute capability, major and minor.
        trouble: why it cannot be used, from an operation that was tried; '' where it can.
    """

    name: str
    memory: int
    capability: tuple[int, int]
    trouble: str = ""


def gpus() -> list[Gpu]:
    """Every CUDA device; an operation is tried on each."""
    import torch

    if not torch.cuda.is_available():
        return []
    return [_gpu(number) for number in range(torch.cuda.device_count())]


def _gpu(number: int) -> Gpu:
    import torch

    there = f"cuda:{number}"
    try:
        # is_available() says yes on GPUs that this build has no kernels for.
        (torch.ones(8, 8, device=there) @ torch.ones(8, 8, device=there)).sum().item()
        trouble = ""
    except RuntimeError as error:
        built = ", ".join(torch.cuda.get_arch_list())
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        trouble = f"failed its first operation ({first}; torch is built for {built})"
    try:
        memory = int(torch.cuda.get_device_properties(number).total_memory)
    except (RuntimeError, AssertionError):
        memory = 0
    capability = torch.cuda.get_device_capability(number)
    return Gpu(torch.cuda.get_device_name(number), memory, capability, trouble)


def _device() -> tuple[str, str, Precision, str]:
    """The device that really works, its name, its number format, and why."""
    import torch

    if torch.cuda.is_available():
        number, device = 0, "cuda"
        if launched():  # a GPU for each process
            number = int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count()
            device = f"cuda:{number}"
        gpu = _gpu(number)
        if gpu.trouble:
            return "cpu", _cpu_name(), "no", f"{gpu.name} {gpu.trouble}"
        major, minor = gpu.capability
        # Not is_bf16_supported(): it says yes on a T4, through slow emulation.
        if major >= 8:
            return device, gpu.name, "bf16", f"compute capability {major}.{minor} has bf16 natively"
        why = f"compute capability {major}.{minor} has no native bf16"
        return device, gpu.name, "fp16", why
    if torch.backends.mps.is_available() and not launched():
        return "mps", "Apple GPU", "no", "no mixed precision on this device"
    return "cpu", _cpu_name(), "no", f"no GPU; {cores()} cores, plain fp32"


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
