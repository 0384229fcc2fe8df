"""A saved model: what it says of itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from kitbox.errors import WeightsError
from kitbox.results import saved
from results import finished


def facts() -> saved.Facts:
    return saved.read(finished() / "model")


def test_facts_come_back_equal(tmp_path: Path) -> None:
    given = replace(facts(), size=(8, 16), fit="pad")
    saved.save(tmp_path / "model", {"w": torch.ones(2)}, given)
    assert saved.read(tmp_path / "model") == given
    assert sorted(p.name for p in (tmp_path / "model").iterdir()) == [
        "model.json",
        "model.safetensors",
    ]


def test_the_facts_hold_what_was_learned() -> None:
    assert facts().size == (32, 32)
    assert facts().task["classes"] == [str(digit) for digit in range(10)]


def test_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no saved model"):
        saved.read(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 1}', '{"format": 1, "more": 2}'])
def test_damaged(tmp_path: Path, text: str) -> None:
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(WeightsError, match="damaged"):
        saved.read(tmp_path)


def test_another_format(tmp_path: Path) -> None:
    values = json.loads((finished() / "model" / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps({**values, "format": 99}))
    with pytest.raises(WeightsError, match="format 99"):
        saved.read(tmp_path)
