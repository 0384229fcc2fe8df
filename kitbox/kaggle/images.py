"""What Kaggle's and Colab's images have installed: Python, and packages with their versions."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import chain


@dataclass(frozen=True)
class Image:
    """One of the images, in one of its versions.

    Attributes:
        name: kaggle or colab.
        python: its version, two numbers.
        pins: package to version.
    """

    name: str
    python: str
    pins: Mapping[str, str]

    def constraints(self) -> list[str]:
        """The pins as pip reads constraints: two numbers stand for all patches."""
        return [
            f"{package}=={version}{'.*' if version.count('.') < 2 else ''}"
            for package, version in self.pins.items()
        ]


@cache
def images() -> tuple[Image, ...]:
    """Every image; several of one name where its packages come in several versions."""
    text = resources.files("kitbox.kaggle").joinpath("images.toml").read_text(encoding="utf-8")
    held = tomllib.loads(text)
    return tuple(chain.from_iterable(_versions(name, about) for name, about in held.items()))


def _versions(name: str, about: Mapping[str, object]) -> list[Image]:
    pins = about["pins"]
    assert isinstance(pins, dict)
    count = max(len(pin) if isinstance(pin, list) else 1 for pin in pins.values())
    return [
        Image(
            name,
            str(about["python"]),
            {p: pin[n] if isinstance(pin, list) else pin for p, pin in pins.items()},
        )
        for n in range(count)
    ]
