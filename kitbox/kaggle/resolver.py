"""Which versions of packages go together, and their wheels: uv or pip is asked, as a program."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from kitbox.errors import SourceError, some

PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64")
"""Of wheels that run on the images; the older name of the last is `manylinux2014_x86_64`."""
_TIMEOUT = 600
NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
"""The name that a requirement begins with."""
_LINE = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;]+)")


def resolve(requirements: Sequence[str], constraints: Sequence[str], python: str) -> dict[str, str]:
    """Package to version: all that the requirements need, within the constraints.

    Args:
        requirements, constraints: as pip reads them.
        python: the version to resolve for, such as 3.12.

    Raises:
        SourceError: when there is no such set, neither uv nor pip is here, or no index answers.
    """
    with tempfile.TemporaryDirectory() as scratch:
        wanted, limits = Path(scratch, "wanted.txt"), Path(scratch, "limits.txt")
        wanted.write_text("\n".join(requirements) + "\n", encoding="utf-8")
        limits.write_text("\n".join(constraints) + "\n", encoding="utf-8")
        uv = shutil.which("uv")
        return _by_pip(wanted, limits, python) if uv is None else _by_uv(uv, wanted, limits, python)


def _by_uv(uv: str, wanted: Path, limits: Path, python: str) -> dict[str, str]:
    words = [uv, "pip", "compile", "--quiet", "--no-annotate", "--no-header"]
    words += ["--python-version", python, "--python-platform", "x86_64-manylinux_2_28"]
    told = _ask([*words, "--constraint", str(limits), str(wanted)], python)
    matches = map(_LINE.match, told.splitlines())
    return {canonical(match[1]): match[2] for match in matches if match}


def _by_pip(wanted: Path, limits: Path, python: str) -> dict[str, str]:
    words = [*pip(), "install", "--dry-run", "--quiet", "--ignore-installed", "--report", "-"]
    words += [*_of(python), "--target", str(wanted.parent), "--constraint", str(limits)]
    report = json.loads(_ask([*words, "--requirement", str(wanted)], python))
    found = [entry["metadata"] for entry in report["install"]]
    return {canonical(one["name"]): one["version"] for one in found}


def download(packages: Mapping[str, str], python: str, folder: Path) -> None:
    """Put the wheels of packages (name to version) into a folder; not what they need.

    Raises:
        SourceError: when there is no pip, or a wheel cannot be had.
    """
    if not packages:
        return
    exact = [f"{name}=={version}" for name, version in packages.items()]
    words = [*pip(), "download", "--quiet", "--no-deps", *_of(python), "--dest", str(folder)]
    _ask([*words, *exact], python)


def install(packages: Mapping[str, str], python: Path) -> None:
    """Install packages (name to version) into the environment of a Python; not what they need.

    Raises:
        SourceError: when there is neither uv nor pip, or one cannot be had.
    """
    exact = [f"{name}=={version}" for name, version in packages.items()]
    if uv := shutil.which("uv"):
        words = [uv, "pip", "install", "--python", str(python)]
    else:
        words = [*pip(), "--python", str(python), "install"]
    _ask([*words, "--quiet", "--no-deps", *exact], "")


def build(project: str, folder: Path) -> None:
    """Build the wheel of a package's source (a folder or address) into a folder.

    Raises:
        SourceError: when it cannot be built.
    """
    words = [*pip(), "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), project]
    _ask(words, "")


def pip() -> list[str]:
    """How pip is called here.

    Raises:
        SourceError: when neither pip nor uv is installed.
    """
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    if uv := shutil.which("uv"):
        return [uv, "tool", "run", "--quiet", "pip", "--disable-pip-version-check"]
    raise SourceError(
        "Wheels cannot be fetched: neither pip nor uv is installed here",
        do="Install one of them, as by `python -m ensurepip`, and run this again",
    )


def canonical(name: str) -> str:
    """A package's name as indexes have it (PEP 503).

    >>> canonical("Segmentation_Models.pytorch")
    'segmentation-models-pytorch'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def _of(python: str) -> list[str]:
    platforms = [
        word for name in (*PLATFORMS, "manylinux2014_x86_64") for word in ("--platform", name)
    ]
    return ["--only-binary=:all:", "--implementation", "cp", "--python-version", python, *platforms]


def _ask(words: Sequence[str], python: str) -> str:
    """What a program says.

    Raises:
        SourceError: when it fails, with what it said.
    """
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=_TIMEOUT, check=False, encoding="utf-8"
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceError(
            f"{Path(words[0]).name} did not answer", found=str(error), do="Try again"
        ) from error
    if done.returncode == 0:
        return done.stdout
    lines = [" ".join(line.split()) for line in done.stderr.splitlines() if line.strip()]
    told = [line for line in lines if not line.lower().startswith("warning")]
    where = f" for Python {python}" if python else ""
    raise SourceError(
        f"There is no set of packages{where} that goes together, or no index answers",
        found=some(told[:12], 12) or f"exit code {done.returncode} of {Path(words[0]).name}",
        do="Packing needs the network; a package that the image has is never changed",
    )
