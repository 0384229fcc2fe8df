"""A tiny backbone, for tests: it learns, costs nothing and needs no weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitbox.contracts import Weights
from kitbox.options import Options

if TYPE_CHECKING:
    from kitbox.contracts import Body


class Tiny(Options):
    """A network of five convolutions with random weights, for tests."""

    def find_weights(self) -> Weights:
        """There are none to find."""
        return Weights("random")

    def build(self, size: tuple[int, int], *, load: bool = True, maps: bool = False) -> Body:
        """A new one, for pictures of any size."""
        from kitbox.testing.tiny_body import TinyBody

        return TinyBody(maps)
