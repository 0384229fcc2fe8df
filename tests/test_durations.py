"""Durations as people write them."""

import pytest

from kitbox.durations import seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90s", 90), ("10min", 600), ("8.5h", 30600), (" 2 m ", 120), ("1sec", 1), ("0.5s", 0.5)],
)
def test_seconds(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "10", "h", "-1h", "1d", "0min", "1h30min", "nan h"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        seconds(text)
