"""What is asked in a cell, and what cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kitbox.errors import RecipeError
from kitbox.learning import asked
from kitbox.learning.suggestion import Suggestion
from kitbox.training.finder import read


@pytest.mark.parametrize("given", [0, -2, np.int64(3), np.int32(-1), "layer3", "-2"])
def test_layers(given: Any) -> None:
    found = asked.layer(given)
    assert found == given
    assert type(found) in (int, str)


@pytest.mark.parametrize("given", [True, False, None, 1.0, np.float64(1), [1]])
def test_no_layers(given: Any) -> None:
    with pytest.raises(RecipeError, match="is no layer"):
        asked.layer(given)


def test_rates() -> None:
    curve = read(list(np.geomspace(1e-7, 10, 50)), list(np.linspace(3, 1, 50)))
    for given, made in (
        (None, None),
        ("find", "find"),
        (np.float32(0.5), 0.5),
        ([1, 2], (1.0, 2.0)),
        (slice(1e-5, 1e-3), (1e-5, 1e-3)),
        (slice(1e-3), (1e-4, 1e-3)),
        (Suggestion(2e-3, curve), 2e-3),
    ):
        assert asked.rate(given) == made
    with pytest.raises(RecipeError, match="no range of rates"):
        asked.rate(slice(1, 2, 3))


def test_a_backbone_by_name() -> None:
    assert asked.backbone("resnet34") == {"use": "kitbox:timm", "name": "resnet34"}
    assert asked.backbone("timm") == "timm"
    assert asked.backbone({"use": "timm"}) == {"use": "timm"}
