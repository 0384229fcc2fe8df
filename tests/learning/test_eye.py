"""What pictures are shown for where there is no network."""

from __future__ import annotations

import pytest

from kitbox.learning.eye import Eye


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_values_stay_as_they_are(channels: int) -> None:
    eye = Eye(channels)
    assert (eye.mean, eye.std) == ((0.0,) * channels, (1.0,) * channels)
