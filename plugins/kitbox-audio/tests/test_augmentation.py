"""The augmentation keeps its contract, and blacks out what it says."""

from __future__ import annotations

import numpy as np
import pytest
from kitbox_audio.augmentation import Spectrogram

from kitbox.testing import AugmentationTests


class TestAugmentation(AugmentationTests):
    @pytest.fixture
    def plugin(self) -> Spectrogram:
        return Spectrogram(time=0.1, frequency=0.1)


class TestWithoutMasks(AugmentationTests):
    @pytest.fixture
    def plugin(self) -> Spectrogram:
        return Spectrogram(times=0, frequencies=0)


def test_whole_columns_and_rows_are_black_and_the_rest_stays() -> None:
    import albumentations

    rng = np.random.default_rng(0)
    picture = rng.integers(1, 255, (64, 96, 1), np.uint8)
    pipeline = albumentations.Compose(Spectrogram().transforms(64, 96, 1))
    pipeline.set_random_seed(0)
    seen = np.zeros(2)
    for _ in range(50):
        varied = pipeline(image=picture)["image"]
        columns, rows = (varied == 0).all(axis=(0, 2)), (varied == 0).all(axis=(1, 2))
        kept = ~(columns[None, :] | rows[:, None])
        assert np.array_equal(varied[kept], picture[kept])
        assert not varied[~kept].any()
        assert columns.sum() <= 2 * 0.2 * 96
        assert rows.sum() <= 2 * 0.15 * 64
        seen += columns.sum(), rows.sum()
    assert (seen > 100).all()
