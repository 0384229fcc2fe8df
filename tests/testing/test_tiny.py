"""Tests of the tiny backbone; its contract is tested with the other backbones'."""

from __future__ import annotations

from kitbox import registry
from kitbox.testing import Tiny, TinyBody, isolated


def test_it_goes_into_recipes() -> None:
    with isolated(backbone={"tiny": Tiny}):
        built = registry.backbones.build("tiny")
        assert registry.backbones.describe(built) == {"use": "tiny"}
        body = built.build((32, 32))
    assert isinstance(body, TinyBody)
    assert sum(parameter.numel() for parameter in body.parameters()) < 3000
