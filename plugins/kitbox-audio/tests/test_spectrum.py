"""Pictures show what was heard, when, and at which pitch."""

from __future__ import annotations

import numpy as np
import pytest
from kitbox_audio import spectrum
from kitbox_audio.spectrum import filters, hertz_to_mel, log_mel, mel_to_hertz

OPTIONS = {"bands": 40, "window": 400, "hop": 160, "low": 20, "high": 8000, "decibels": 80}


def picture(sound: np.ndarray) -> np.ndarray:
    return log_mel(sound, 16_000, **OPTIONS)  # type: ignore[arg-type]


def test_mel_and_back() -> None:
    assert float(hertz_to_mel(1000)) == pytest.approx(1000, abs=0.1)
    hertz = np.array([20.0, 440, 7000])
    assert np.allclose(mel_to_hertz(hertz_to_mel(hertz)), hertz)


@pytest.mark.parametrize("bands", [8, 40, 256])
def test_filters_cover_all_frequencies_once(bands: int) -> None:
    made = filters(bands, 400, 16_000, 20, 8000)
    assert made.shape == (bands, 201)
    assert np.allclose(made.sum(axis=1), 1)
    middles = made.argmax(axis=1)
    assert (np.diff(middles) >= 0).all()


@pytest.mark.parametrize("hertz", [200, 1000, 5000])
def test_a_tone_is_a_line_at_its_pitch(hertz: float) -> None:
    time = np.arange(16_000) / 16_000
    rows = picture(np.sin(2 * np.pi * hertz * time)).argmax(axis=0)
    assert len(set(rows.tolist())) == 1
    edges = mel_to_hertz(np.linspace(hertz_to_mel(20), hertz_to_mel(8000), 42))
    band = 39 - rows[0]  # high tones above
    assert edges[band] <= hertz <= edges[band + 2]


def test_a_click_is_a_column_at_its_time() -> None:
    sound = np.zeros(16_000)
    sound[8000] = 1
    loud = picture(sound).mean(axis=0)
    assert abs(loud.argmax() * 160 + 200 - 8000) <= 240
    assert loud[0] == loud[-1] == 0


def test_loudness_does_not_matter_but_differences_do() -> None:
    time = np.arange(16_000) / 16_000
    sound = np.sin(2 * np.pi * 1000 * time) * np.where(time < 0.5, 1, 0.01)
    one = picture(sound)
    assert np.array_equal(one, picture(sound / 8))
    assert one.max() == 255
    loud, soft = one[:, 20].max().astype(int), one[:, -20].max().astype(int)
    assert loud - soft == pytest.approx(255 * 40 / 80, abs=2)  # 40 decibels


def test_silence_and_shortness() -> None:
    assert not picture(np.zeros(16_000)).any()
    assert picture(np.ones(3)).shape == (40, 1)
    assert picture(np.ones(16_000)).shape == (40, 98)


def test_long_sounds_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 16_000)
    whole = picture(sound)
    monkeypatch.setattr(spectrum, "BLOCK", 7)
    assert np.array_equal(picture(sound), whole)
