"""The built-in augmentations keep what strangers' must."""

from __future__ import annotations

import pytest

from kitbox.data.augment import Albumentations, Document, Heavy, Light, Nothing, Satellite, Standard
from kitbox.testing import AugmentationTests


class TestStandard(AugmentationTests):
    @pytest.fixture
    def plugin(self) -> Standard:
        return Standard(warp=0.2)


class TestLight(AugmentationTests):
    @pytest.fixture
    def plugin(self) -> Light:
        return Light()


class TestHeavy(AugmentationTests):
    @pytest.fixture
    def plugin(self) -> Heavy:
        return Heavy()


class TestSatellite(AugmentationTests):
    @pytest.fixture
    def plugin(self) -> Satellite:
        return Satellite()


class TestDocument(AugmentationTests):
    @pytest.fixture
    def plugin(self) -> Document:
        return Document()


class TestAlbumentations(AugmentationTests):
    @pytest.fixture
    def plugin(self) -> Albumentations:
        return Albumentations(steps=["HorizontalFlip", {"Affine": {"rotate": 20}}])


class TestNothing(AugmentationTests):
    @pytest.fixture
    def plugin(self) -> Nothing:
        return Nothing()
