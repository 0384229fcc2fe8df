"""Which pictures a network was trained on, so that it is not measured on them unnoticed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import torch


class Seen:
    """Pictures, known by their paths below the source's folder.

    A path is kept as a number of 64 bits: the same in every folder and on every machine.

    Args:
        numbers: of pictures, as `tensor` gives them.
    """

    def __init__(self, numbers: torch.Tensor | None = None) -> None:
        self._numbers: set[int] = set() if numbers is None else set(numbers.tolist())

    def add(self, images: Iterable[str]) -> None:
        """These pictures were trained on."""
        self._numbers.update(map(_number, images))

    def count(self, images: Iterable[str]) -> int:
        """How many of these pictures were trained on."""
        return sum(_number(image) in self._numbers for image in images)

    def tensor(self) -> torch.Tensor:
        """All of them (N,) int64, ascending."""
        return torch.tensor(sorted(self._numbers), dtype=torch.int64)


def _number(image: str) -> int:
    text = str(image).encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big", signed=True)
