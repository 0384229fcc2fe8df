"""What augmentations are seen to do."""

from __future__ import annotations

from typing import Any

import pytest

from kitbox.contracts import Variation
from kitbox.data.augment import Nothing, Standard, albumentations
from kitbox.data.variation import seen
from kitbox.options import Options


class Own(Options):
    """A stranger's augmentation: transposed, which mirrors, or none that can be tried."""

    broken: bool = False

    def transforms(self, height: int, width: int, interpolation: int) -> list[Any]:
        if self.broken:
            raise ZeroDivisionError
        module = albumentations()
        return [module.Resize(height, width), module.Transpose(p=0.2)]


@pytest.mark.parametrize(
    ("augmentation", "mirrors", "kept"),
    [
        (Standard(), True, 0.4),
        (Standard(flip=0, area=(0.7, 0.9)), False, 0.7),
        (Standard(flip=0.1, area=(1, 1), stretch=1), True, 1),
        (Standard(flip=0, area=(1, 1), stretch=1, rotate=180, rotate_share=1), False, 1),
        (Standard(flip=0, flip_vertical=0.5, area=(1, 1), stretch=1), True, 1),
        (Nothing(), False, 1),
        (Own(), True, 1),
    ],
)
def test_seen(augmentation: Any, mirrors: bool, kept: float) -> None:
    found = seen(augmentation)
    assert found.mirrors is mirrors
    assert found.kept == pytest.approx(kept, abs=0.03)
    assert seen(augmentation) == found


def test_nothing_is_said_of_what_cannot_be_tried() -> None:
    assert seen(Own(broken=True)) == Variation()
