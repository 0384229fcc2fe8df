"""What Kaggle's and Colab's images have installed: Python, and packages with their versions."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import chain
from typing import Any


@dataclass(frozen=True)
class Image:
    """One of the images, in one of its versions.

    Attributes:
        name: kaggle or colab; `colab 2026.01`, say, of an older runtime.
        python: its version, two numbers.
        pins: package to version.
        inferred: packages whose pins no list of the image tells.
        older: a runtime of Colab's past that a notebook may be pinned to.
        replaced: packages that are too old there: kitbox needs newer ones.
    """

    name: str
    python: str
    pins: Mapping[str, str]
    inferred: frozenset[str] = frozenset()
    older: bool = False
    replaced: frozenset[str] = frozenset()

    def constraints(self) -> list[str]:
        """The pins as pip reads constraints: two numbers stand for all patches."""
        return [
            f"{package}=={version}{'.*' if version.count('.') < 2 else ''}"
            for package, version in self.pins.items()
        ]

    @property
    def title(self) -> str:
        """The image in words."""
        place, _, of = self.name.partition(" ")
        return f"{place.capitalize()}'s image{f' of {of}' if of else ''}"


def images() -> tuple[Image, ...]:
    """The images of now; several of one name where its packages come in several versions."""
    return tuple(one for one in every() if not one.older)


@cache
def every() -> tuple[Image, ...]:
    """The images of now, and the older runtimes."""
    text = resources.files("kitbox.kaggle").joinpath("images.toml").read_text(encoding="utf-8")
    held = tomllib.loads(text)
    return tuple(chain.from_iterable(_versions(name, about) for name, about in held.items()))


def _versions(name: str, about: Mapping[str, Any]) -> list[Image]:
    pins = about["pins"]
    count = max(len(pin) if isinstance(pin, list) else 1 for pin in pins.values())
    return [
        Image(
            name,
            str(about["python"]),
            {p: pin[n] if isinstance(pin, list) else pin for p, pin in pins.items()},
            frozenset(about.get("inferred", ())),
            bool(about.get("older", False)),
            frozenset(about.get("replaced", ())),
        )
        for n in range(count)
    ]
