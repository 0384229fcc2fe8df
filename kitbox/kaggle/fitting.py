"""Whether what an image has satisfies what packages need, told from their metadata alone."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from email.parser import Parser
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.version import Version

from kitbox.errors import SourceError, some
from kitbox.kaggle.images import Image
from kitbox.kaggle.resolver import canonical

_LAST = 9999
"""Stands for the last patch of a version of which two numbers are known."""


class Misfit(NamedTuple):
    """A package of an image that does not do.

    Attributes:
        package: its name, canonical.
        said: who needs what of it, and what the image has.
    """

    package: str
    said: str


def misfits(image: Image, needs: Mapping[str, Iterable[str]]) -> list[Misfit]:
    """What an image has and does not satisfy a requirement.

    Where two numbers of a version are known, the first and the last patch have to do.

    Args:
        needs: package to its requirements, as metadata has them.
    """
    pins = {canonical(name): version for name, version in image.pins.items()}
    found = []
    for owner, lines in needs.items():
        for line in lines:
            wanted = Requirement(line)
            pin = pins.get(canonical(wanted.name))
            if pin is None or not _counts(wanted, image):
                continue
            if not all(wanted.specifier.contains(one, prereleases=True) for one in _ends(pin)):
                said = f"{owner} needs {wanted.name}{wanted.specifier}, the image has {pin}"
                found.append(Misfit(canonical(wanted.name), said))
    return found


def refuse(image: Image, needs: Mapping[str, Iterable[str]]) -> None:
    """Stop where a package of an image would have to change.

    Raises:
        SourceError: naming what does not do, and who needs it.
    """
    if found := misfits(image, needs):
        raise SourceError(
            f"What the recipe needs does not go with what {image.title} has",
            found=some(one.said for one in found),
            do="Nothing there may change; loosen what your plugins' packages require",
        )


def of_wheels(folder: Path) -> dict[str, list[str]]:
    """What the wheels in a folder need, by their names."""
    needs = {}
    for path in sorted(folder.glob("*.whl")):
        with zipfile.ZipFile(path) as archive:
            (name,) = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
            held = Parser().parsestr(archive.read(name).decode(), headersonly=True)
        needs[canonical(str(held["Name"]))] = [
            str(one) for one in held.get_all("Requires-Dist", ())
        ]
    return needs


def _counts(wanted: Requirement, image: Image) -> bool:
    """Whether a requirement holds on an image: its marker says so, and it is of no extra."""
    there = {
        "python_version": image.python,
        "python_full_version": f"{image.python}.0",
        "platform_system": "Linux",
        "sys_platform": "linux",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "extra": "",
    }
    return wanted.marker is None or wanted.marker.evaluate(there)


def _ends(pin: str) -> tuple[Version, ...]:
    """The first and the last version that a pin stands for."""
    return (
        (Version(pin),) if pin.count(".") > 1 else (Version(f"{pin}.0"), Version(f"{pin}.{_LAST}"))
    )
