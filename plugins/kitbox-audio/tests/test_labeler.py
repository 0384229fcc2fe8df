"""The labeler keeps its contract."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import RATE
from kitbox_audio.labeler import RecordingLabels
from kitbox_audio.source import Recordings

from kitbox.errors import LabelError
from kitbox.testing import LabelerTests


@pytest.fixture
def folder(raw: Path, tmp_path: Path) -> Path:
    return Recordings(path=raw, rate=RATE).fetch(tmp_path / "cache")


class TestLabeler(LabelerTests):
    @pytest.fixture
    def plugin(self) -> RecordingLabels:
        return RecordingLabels(labels="what", folder="train")

    @pytest.fixture
    def folder(self, raw: Path, tmp_path: Path) -> Path:
        return Recordings(path=raw, rate=RATE).fetch(tmp_path / "cache")


def test_rows(folder: Path) -> None:
    labels = RecordingLabels(labels="what", folder="train").label(folder)
    first = labels.rows.iloc[1]
    assert (first["id"], first["image"], first["what"]) == ("001", "train/001.png", "up")
    assert first["who"] == "p0"
    assert labels.targets == ("what",)


def test_what_is_missing_is_named(folder: Path) -> None:
    with pytest.raises(LabelError, match=r"no column 'wat'.*Did you mean 'what'"):
        RecordingLabels(labels="wat").label(folder)
    with pytest.raises(LabelError, match=r"trian\.csv cannot be read.*'train\.csv'"):
        RecordingLabels(csv="trian.csv").label(folder)


def test_rows_without_a_recording(folder: Path) -> None:
    (folder / "more.csv").write_text("audio,label\n000.wav,a\n,b\n")
    with pytest.raises(LabelError, match=r"1 row of more\.csv without a recording.*row 2"):
        RecordingLabels(csv="more.csv", folder="train").label(folder)


def test_names_with_and_without_a_suffix(folder: Path) -> None:
    """A dot in a name is no suffix."""
    (folder / "train" / "take.2.png").touch()
    (folder / "more.csv").write_text("audio,label\n000,a\ntake.2,b\n")
    rows = RecordingLabels(csv="more.csv", folder="train").label(folder).rows
    assert rows["id"].tolist() == ["000", "take.2"]
    assert rows["image"].tolist() == ["train/000.png", "train/take.2.png"]
