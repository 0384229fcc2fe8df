"""The source keeps its contract and reads all sorts of WAV files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import RATE, tone
from kitbox_audio.labeler import RecordingLabels
from kitbox_audio.source import BROKEN, Recordings
from PIL import Image
from pydantic import ValidationError
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
    assert (folder / "train" / "000.png").read_bytes() == b""
    for file in raw.rglob("*.wav"):
        file.write_bytes(b"nothing")
    with pytest.raises(SourceError, match="no WAV files that can be read"):
        Recordings(path=raw, rate=RATE).fetch(tmp_path)


def seen(path: Path) -> bool:
    """Whether the tone of a picture rises."""
    with Image.open(path) as file:
        rows = np.asarray(file).argmax(axis=0)
    return bool(rows[2] > rows[-3])


def test_recordings_of_one_name_have_a_picture_each(tmp_path: Path) -> None:
    """In two folders, with a suffix in capitals, beside a picture of the user's."""
    raw = tmp_path / "raw"
    rises = {"a/x.wav": True, "b/x.wav": False, "c/x.wav": True, "c/x.WAV": False, "d/x.wav": True}
    for number, (name, up) in enumerate(rises.items()):
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        wavfile.write(raw / name, RATE, tone(up, number))
    Image.new("L", (3, 3)).save(raw / "d" / "x.png")
    (raw / "a" / "x.mp3").write_bytes(b"not read")
    folder = Recordings(path=raw, rate=RATE).fetch(tmp_path / "cache")
    made = {"a/x.wav": "a/x.png", "b/x.wav": "b/x.png", "d/x.wav": "d/x.wav.png"}
    made |= {"c/x.wav": "c/x.wav.png", "c/x.WAV": "c/x.WAV.png"}
    assert {name: seen(folder / picture) for name, picture in made.items()} == rises
    with Image.open(folder / "d" / "x.png") as file:
        assert file.size == (3, 3)
    assert (folder / "a" / "x.mp3").read_bytes() == b"not read"
    lines = "".join(f"{name},{up}\n" for name, up in rises.items()) + "a/x.mp3,True\n"
    (folder / "train.csv").write_text(f"audio,label\n{lines}")
    rows = RecordingLabels().label(folder).rows.set_index("audio")
    assert rows["image"].to_dict() == {**made, "a/x.mp3": "a/x.mp3.png"}
    assert rows["id"].is_unique


def test_the_suffix_may_stay(raw: Path, tmp_path: Path) -> None:
    folder = Recordings(path=raw, rate=RATE, keep_suffix=True).fetch(tmp_path / "cache")
    assert (folder / "test" / "030.wav.png").is_file()
    labels = RecordingLabels(labels="what", folder="train").label(folder)
    assert labels.rows.iloc[1][["id", "image"]].tolist() == ["001.wav", "train/001.wav.png"]


@pytest.mark.parametrize("name", [BROKEN, "train/000.wav.png"])
def test_files_of_the_user_s_are_not_overwritten(name: str, raw: Path, tmp_path: Path) -> None:
    (raw / name).write_text("mine")
    with pytest.raises(SourceError, match="names that this source gives") as caught:
        Recordings(path=raw, rate=RATE).fetch(tmp_path / "cache")
    assert name in str(caught.value)


def test_other_kinds_of_recordings_are_named(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "x.mp3").write_bytes(b"not read")
    with pytest.raises(SourceError, match=r"no WAV files.*files that end with \.mp3"):
        Recordings(path=tmp_path / "raw").fetch(tmp_path / "cache")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"rate": 8000, "high": 8000}, "`high` 8000, expected at most half of `rate`, 4000"),
        ({"low": 500, "high": 500}, "`low` 500, expected less than `high`, 500"),
        ({"low": 8000}, "`low` 8000, expected less than `high`, 8000"),
        ({"rate": 1000, "hop": 0.0001}, "`hop` 0.0001, which is 0 samples, expected 1 or more"),
        ({"rate": 1000, "window": 0.001}, "`window` 0.001, which is 1 samples, expected 2"),
        ({"hop": 0}, "greater than 0"),
        ({"hop": float("nan")}, "less than or equal to 1"),
        ({"seconds": float("inf")}, "less than or equal"),
    ],
)
def test_options_that_make_no_picture(options: dict[str, float], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Recordings.model_validate({"path": "x", **options})
    assert told in str(caught.value)


def test_recordings_of_several_rates_fit_together(tmp_path: Path) -> None:
    """8,000 and 44,100 samples a second: the same tone in the same row of as many columns."""
    (tmp_path / "raw").mkdir()
    for rate in (8000, 16_000, 44_100):
        sound = np.sin(2 * np.pi * 1000 * np.arange(rate) / rate)
        wavfile.write(tmp_path / "raw" / f"{rate}.wav", rate, (sound * 2**14).astype(np.int16))
    folder = Recordings(path=tmp_path / "raw").fetch(tmp_path / "cache")
    pictures = []
    for file in sorted(folder.glob("*.png")):
        with Image.open(file) as image:
            pictures.append(np.asarray(image))
    assert len({picture.shape for picture in pictures}) == 1
    assert len({int(picture[:, 20].argmax()) for picture in pictures}) == 1
    assert len(pictures) == 3
