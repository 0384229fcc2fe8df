"""The built-in backbone keeps what strangers' must, and so does the tiny one."""

from __future__ import annotations

import pytest

from kitbox.models.backbone import Timm
from kitbox.testing import BackboneTests, Tiny


class TestTimm(BackboneTests):
    @pytest.fixture(params=["test_resnet", "test_vit", "test_efficientnet"])
    def plugin(self, request: pytest.FixtureRequest) -> Timm:
        return Timm(name=request.param, pretrained=False)


class TestTiny(BackboneTests):
    @pytest.fixture
    def plugin(self) -> Tiny:
        return Tiny()
