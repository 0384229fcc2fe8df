"""A new environment with what an image has, for a pack to be tried in."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Collection, Iterable, Iterator, Mapping
from importlib import metadata
from importlib.util import cache_from_source
from pathlib import Path

from packaging.requirements import Requirement

from kitbox.errors import SourceError, counted, some
from kitbox.kaggle import resolver
from kitbox.kaggle.images import Image, images
from kitbox.progress import Progress

TORCH = ("torch", "torchvision")
HEAVY = ("nvidia-", "cuda-", "triton", *TORCH)
"""How names begin of what takes gigabytes."""


def nearest() -> Image:
    """The image of this Python, and of this torch where there are several; else the first."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    known = [one for one in images() if one.python == here] or list(images())
    torch = _versions(TORCH[:1]).get("torch", "")
    same = [one for one in known if torch.startswith(f"{one.pins['torch']}.")]
    return (same or known)[0]


def make(folder: Path, image: Image, progress: Progress, *, torch: bool = False) -> Path:
    """Make an environment that holds what an image has, and say what is not the image's.

    It begins empty. The image's pins and what they need come from the package index, for this
    machine's Python. torch, which is gigabytes, and all where no index answers, is this
    machine's: linked, not copied.

    Args:
        torch: fetch the image's torch too.

    Returns:
        The environment's Python.

    Raises:
        SourceError: when neither the index nor this machine has a package.
    """
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    progress.say(
        f"{image.title} (Python {image.python}, torch {image.pins['torch']}) is stood in for by a "
        f"new environment (Python {platform.python_version()})"
    )
    names = [resolver.canonical(name) for name in image.pins]
    try:
        fetched = _fetch(python, image, torch=torch)
    except SourceError as error:
        linked = link([*names, "pip"], site(folder))
        progress.warn(
            "the image's packages cannot be had here, so all are this machine's versions: "
            f"{_said(linked, names)} ({' '.join((error.found or error.wrong).split())[:200]})"
        )
    else:
        own = {name: version for name, version in fetched.items() if name in names}
        progress.say(
            f"  the image's versions: {_said(own, names)}; and {len(fetched) - len(own)} packages "
            "that these need, in any version that does"
        )
        if not torch:
            linked = link(TORCH, site(folder), without=fetched)
            own = {name: version for name, version in linked.items() if name in TORCH}
            wanted = ", ".join(image.pins[name] for name in TORCH)
            progress.say(
                f"  this machine's, not the image's: {_said(own, names)} (there {wanted}), and "
                f"{counted(len(linked) - len(own), 'package')} with them"
            )
    if not (site(folder) / "pip").exists():
        _bootstrap(python)
    return python


def site(folder: Path) -> Path:
    """Where an environment keeps its packages."""
    base = {"base": str(folder), "platbase": str(folder)}
    return Path(sysconfig.get_path("purelib", "venv", base))


def link(names: Iterable[str], folder: Path, without: Collection[str] = ()) -> dict[str, str]:
    """Link this machine's packages, and what they need, into a folder of packages.

    Args:
        without: names of packages that are not linked, nor what only they need.

    Returns:
        What was linked, name to version.

    Raises:
        SourceError: when one of `names` is not installed here.
    """
    found: dict[str, str] = {}
    for one in closure(names, without):
        _link(one, folder)
        found[resolver.canonical(one.metadata["Name"])] = one.version
    if lost := [name for name in names if name not in (*found, *without, "pip")]:
        raise SourceError(f"Not installed here: {some(lost)}", do="Install it, or give an index")
    return found


def _fetch(python: Path, image: Image, *, torch: bool) -> dict[str, str]:
    """Install the image's pins and what they need from the index; name to version."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise SourceError("The images are Linux on x86_64", found=platform.platform())
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    versions = resolver.resolve([*image.constraints(), "pip"], (), here)
    chosen = {n: v for n, v in versions.items() if torch or not n.startswith(HEAVY)}
    resolver.install(chosen, python)
    return chosen


def _link(package: metadata.Distribution, folder: Path) -> None:
    """Link each file of a package: of folders, an installer would write into this machine's."""
    made: set[Path] = set()
    home = str(package.locate_file(""))
    for path in package.files or ():
        if ".." in path.parts or "__pycache__" in path.parts or path.name.endswith(".pth"):
            continue
        real = Path(str(path.locate()))
        compiled = Path(cache_from_source(str(real))) if path.suffix == ".py" else None
        for file in (real, *filter(None, [compiled])):
            target = folder / file.relative_to(home)
            if target.parent not in made:
                target.parent.mkdir(parents=True, exist_ok=True)
                made.add(target.parent)
            if file.is_file() and not target.is_symlink():
                target.symlink_to(file)


def closure(names: Iterable[str], without: Collection[str]) -> Iterator[metadata.Distribution]:
    """Installed packages and what they need, each once; what is not installed is left out."""
    wanted, given = [Requirement(name) for name in names], set[str]()
    seen: set[tuple[str, str]] = set()
    while wanted:
        one = wanted.pop()
        name = resolver.canonical(one.name)
        new = {"", *one.extras} - {extra for known, extra in seen if known == name}
        if name in without or not new:
            continue
        seen |= {(name, extra) for extra in new}
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        if name not in given:
            given.add(name)
            yield found
        for need in map(Requirement, found.requires or ()):
            if need.marker is None or any(need.marker.evaluate({"extra": e}) for e in new):
                wanted.append(need)


def _versions(names: Iterable[str]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _said(versions: Mapping[str, str], order: Collection[str]) -> str:
    return some((f"{name} {versions[name]}" for name in order if name in versions), 20)


def _bootstrap(python: Path) -> None:
    words = [str(python), "-m", "ensurepip", "--default-pip"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SourceError(
            "The new environment has no pip", found=done.stderr[-200:], do="Install pip here"
        )
