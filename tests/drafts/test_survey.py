"""What lies in a competition's folder."""

from pathlib import Path

import pytest
from competitions import picture, table

from kitbox.drafts import survey
from kitbox.errors import SourceError


def test_sample_lookup_and_tables(tmp_path: Path) -> None:
    picture(tmp_path / "train/a.png")
    table(tmp_path / "train.csv", ["id", "label"], [["a", 1]])
    table(tmp_path / "deeper/sample_submission.csv", ["id", "label"], [["b", 0]])
    table(tmp_path / "stage1_sample_submission.csv", ["RowId", "Location"], [["1", 0]])
    table(tmp_path / "IdLookupTable.csv", ["RowId", "ImageId", "FeatureName"], [["1", "b", "x"]])
    (tmp_path / "empty.csv").touch()
    found = survey.look(tmp_path)
    assert found.sample == "stage1_sample_submission.csv"
    assert found.samples[1:] == ["deeper/sample_submission.csv"]
    assert found.lookup == "IdLookupTable.csv"
    assert "empty.csv" not in found.csvs
    assert found.tops() == "train (1)"


def test_the_likeliest_sample(tmp_path: Path) -> None:
    picture(tmp_path / "train/a.png")
    names = (
        "data/sample_submission.csv",
        "a/submit.csv",
        "sample.csv",
        "train_sample.csv",
        "train_submit.csv",
    )
    for name in reversed(names):
        table(tmp_path / name, ["id", "label"], [["b", 0]])
    assert survey.look(tmp_path).samples == [*names[:3], "train_submit.csv", "train_sample.csv"]


@pytest.mark.parametrize(
    ("folder", "test"),
    [
        ("contest/train", False),
        ("latest/train", False),
        ("contest/test", True),
        ("stage1_test", True),
        ("test2", True),
        ("TestImages", True),
        ("imagesTest", True),
        ("TEST", True),
        ("testing", True),
    ],
)
def test_folders_of_the_test(folder: str, test: bool) -> None:
    assert survey.says_test(f"{folder}/a.jpg") is test


def test_pictures_in_cells(tmp_path: Path) -> None:
    """As facial-keypoints-detection and digit-recognizer have them."""
    table(tmp_path / "training.csv", ["nose_x", "Image"], [[3.5, " ".join(["238"] * 100)]])
    with pytest.raises(SourceError, match=r"column 'Image' of training.csv.*Write them as png"):
        survey.look(tmp_path)
    table(tmp_path / "training.csv", ["label", *(f"pixel{n}" for n in range(100))], [])
    with pytest.raises(SourceError, match=r"columns of training.csv, a pixel each"):
        survey.look(tmp_path)


def test_without_any_sample(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    found = survey.look(tmp_path)
    assert (found.sample, found.asked, found.lookup) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("train.zip", "are packed.*train.zip.*Unpack them"),
        ("train/a.dcm", "no pictures in .* that kitbox reads.*1 .dcm files.*png or jpg"),
        ("train.csv", "There are no pictures.*1 .csv"),
    ],
)
def test_no_pictures(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(SourceError, match=why):
        survey.look(tmp_path)
