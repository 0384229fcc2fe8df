"""The demonstration: a recipe that needs nothing from outside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kitbox.recipe import Recipe

PATH = Path(__file__).with_name("demo.yaml")


def demo_recipe() -> Recipe:
    """The recipe of `kitbox demo`: digits, two stages, a submission."""
    from kitbox.recipe import read

    return read(PATH)
