"""The source keeps its contract and reads all sorts of WAV files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import RATE, tone
from kitbox_audio.source import BROKEN, Recordings, read
from PIL import Image
from scipy.io import wavfile

from kitbox.errors import SourceError
from kitbox.testing import SourceTests


class TestSource(SourceTests):
    @pytest.fixture
    def plugin(self, raw: Path) -> Recordings:
        return Recordings(path=raw, rate=RATE, seconds=0.5)

    @pytest.fixture
    def hopeless(self, tmp_path: Path) -> Recordings:
        return Recordings(path=tmp_path / "nowhere")


def test_pictures_lie_where_recordings_lay(raw: Path, tmp_path: Path) -> None:
    folder = Recordings(path=raw, rate=RATE, bands=32).fetch(tmp_path / "cache")
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")}
    assert "train/000.png" in names
    assert "train.csv" in names
    assert not any(name.endswith(".wav") for name in names)
    with Image.open(folder / "train/001.png") as file:  # it rises
        picture = np.asarray(file)
    assert picture.shape == (32, 1 + (4000 - 200) // 80)
    rows = picture.argmax(axis=0)
    assert rows[2] > rows[-3] + 4


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


def test_a_changed_recording_is_another_source(raw: Path, tmp_path: Path) -> None:
    source = Recordings(path=raw, rate=RATE)
    first = source.fetch(tmp_path)
    wavfile.write(raw / "train" / "000.wav", RATE, tone(False, 99, 0.7))
    assert source.find(tmp_path) is None
    assert source.fetch(tmp_path) != first
    assert Recordings(path=raw, rate=RATE, bands=32).find(tmp_path) is None


def test_broken_recordings_are_listed(raw: Path, tmp_path: Path) -> None:
    (raw / "train" / "000.wav").write_bytes(b"RIFF this is no sound")
    (raw / "train" / "001.wav").write_bytes(b"")
    folder = Recordings(path=raw, rate=RATE).fetch(tmp_path)
    text = (folder / BROKEN).read_text()
    assert "train/000.wav" in text
    assert "train/001.wav" in text
    assert not (folder / "train" / "000.png").exists()
    for file in raw.rglob("*.wav"):
        file.write_bytes(b"nothing")
    with pytest.raises(SourceError, match="no WAV files that can be read"):
        Recordings(path=raw, rate=RATE).fetch(tmp_path)
