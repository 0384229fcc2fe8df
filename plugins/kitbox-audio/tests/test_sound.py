"""All sorts of WAV files, and what is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import RATE, tone
from kitbox_audio.sound import of_length, read
from scipy.io import wavfile


def test_every_kind_of_file_gives_the_same_sound(tmp_path: Path) -> None:
    sound = tone(True, 0).astype(np.float64) / 2**15
    kinds = {
        "u1": np.rint(sound * 128 + 128).astype(np.uint8),
        "i2": (sound * 2**15).astype(np.int16),
        "i4": (sound * 2**31).astype(np.int32),
        "f4": sound.astype(np.float32),
        "stereo": (np.stack([sound, sound], axis=1) * 2**15).astype(np.int16),
    }
    for name, values in kinds.items():
        wavfile.write(tmp_path / f"{name}.wav", RATE, values)
        found = read(tmp_path / f"{name}.wav", RATE)
        assert np.allclose(found, sound, atol=0.01), name
    twice = read(tmp_path / "f4.wav", 2 * RATE)
    assert len(twice) == 2 * len(sound)
    assert np.allclose(twice[::2][50:-50], sound[50:-50], atol=0.06)


def test_every_cut_and_every_flipped_byte_is_sound_or_a_reason(tmp_path: Path) -> None:
    """Whatever a damaged header says, no other exception comes out."""
    file = tmp_path / "x.wav"
    wavfile.write(file, RATE, tone(True, 0, 0.01))
    whole = file.read_bytes()
    damaged = [whole[:length] for length in range(60)]
    for place in range(44):
        for value in (0, 1, 127, 255):
            damaged.append(whole[:place] + bytes([value]) + whole[place + 1 :])
    reasons = set()
    for data in damaged:
        file.write_bytes(data)
        try:
            assert np.isfinite(read(file, RATE)).all()
        except ValueError as error:
            reasons.add(str(error))
    assert len(reasons) > 5


@pytest.mark.parametrize(
    ("values", "rate", "told"),
    [
        (np.zeros(0, np.int16), RATE, "no sound"),
        (np.array([0, np.nan, 0.5], np.float32), RATE, "no numbers"),
        (np.array([0, np.inf, 0.5], np.float32), RATE, "no numbers"),
        (np.zeros(9, np.int16), 3, "3 samples a second"),
    ],
)
def test_what_is_no_sound(values: np.ndarray, rate: int, told: str, tmp_path: Path) -> None:
    wavfile.write(tmp_path / "x.wav", rate, values)
    with pytest.raises(ValueError, match=told):
        read(tmp_path / "x.wav", RATE)


def test_a_file_that_is_not_there_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "x.wav", RATE)


def test_lengths() -> None:
    assert of_length(np.ones(5), 3).tolist() == [1, 1, 1]
    assert of_length(np.ones(2), 3).tolist() == [1, 1, 0]
