from pathlib import Path

import pytest
from pydantic import ValidationError

from kitbox.data import table
from kitbox.errors import LabelError
from kitbox.labelers.folder import FolderLabels

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def read(folder, **options):
    """(label, part) by image, after the table's own checks."""
    labels = FolderLabels(**options).label(folder)
    assert labels.targets == ("label",)
    made = table.make(labels, folder)
    assert made["id"].tolist() == made["image"].tolist()
    parts = made["part"] if "part" in made else [None] * len(made)
    found = dict(zip(made["image"], zip(made["label"], parts, strict=True), strict=True))
    return found, labels.notes


def test_a_folder_per_class(tmp_path, touch):
    touch("cat/1.jpg", "cat/2.JPG", "dog/1.jpg", "dog/deeper/2.jpg", "dog/notes.txt", "readme.md")
    found, notes = read(tmp_path)
    assert found == {
        "cat/1.jpg": ("cat", None),
        "cat/2.JPG": ("cat", None),
        "dog/1.jpg": ("dog", None),
        "dog/deeper/2.jpg": ("dog", None),
    }
    assert notes == ("4 pictures of 2 classes, 2 each.",)


@pytest.mark.parametrize("train", ["train", "Train", "training"])
@pytest.mark.parametrize("valid", ["valid", "val", "Validation"])
def test_train_and_valid_parents(tmp_path, touch, train, valid):
    touch(
        f"{train}/cat/1.jpg", f"{train}/dog/1.jpg", f"{valid}/cat/9.jpg", "test/5.jpg", "test/6.jpg"
    )
    found, notes = read(tmp_path)
    assert found == {
        f"{train}/cat/1.jpg": ("cat", "train"),
        f"{train}/dog/1.jpg": ("dog", "train"),
        f"{valid}/cat/9.jpg": ("cat", "valid"),
    }
    assert "2 train and 1 valid by folder." in notes
    assert "Left alone: test (2)." in notes


def test_train_alone_says_nothing_about_parts(tmp_path, touch):
    touch("train/cat/1.jpg", "train/dog/1.jpg", "test/cat/1.jpg")
    found, _ = read(tmp_path)
    assert found == {"train/cat/1.jpg": ("cat", None), "train/dog/1.jpg": ("dog", None)}


def test_test_beside_classes_is_left_alone(tmp_path, touch):
    touch("cat/1.jpg", "dog/1.jpg", "test/1.jpg")
    found, notes = read(tmp_path)
    assert {label for label, _ in found.values()} == {"cat", "dog"}
    assert "Left alone: test (1)." in notes


def test_trains_buses_and_cars(tmp_path, touch):
    touch("train/1.jpg", "bus/1.jpg", "car/1.jpg")
    found, _ = read(tmp_path)
    assert {label for label, _ in found.values()} == {"train", "bus", "car"}


def test_a_folder_around_everything(tmp_path, touch):
    touch("pack/v1/train/cat/1.jpg", "pack/v1/train/dog/1.jpg", "pack/v1/valid/cat/2.jpg")
    found, notes = read(tmp_path)
    assert found["pack/v1/valid/cat/2.jpg"] == ("cat", "valid")
    assert found["pack/v1/train/dog/1.jpg"] == ("dog", "train")
    assert "Guessed: the class folders are in 'pack/v1'." in notes


def test_one_class(tmp_path, touch):
    touch("cat/1.jpg", "cat/2.jpg")
    assert set(read(tmp_path)[0].values()) == {("cat", None)}


def test_path(tmp_path, touch):
    touch("a/cat/1.jpg", "a/dog/1.jpg", "b/owl/1.jpg")
    found, _ = read(tmp_path, path="a")
    assert found == {"a/cat/1.jpg": ("cat", None), "a/dog/1.jpg": ("dog", None)}


def test_other_names_for_the_parents(tmp_path, touch):
    touch("fit/cat/1.jpg", "fit/dog/1.jpg", "hold/out/cat/2.jpg", "rest/cat/3.jpg")
    found, notes = read(tmp_path, train="fit", valid="hold/out")
    assert found == {
        "fit/cat/1.jpg": ("cat", "train"),
        "fit/dog/1.jpg": ("dog", "train"),
        "hold/out/cat/2.jpg": ("cat", "valid"),
    }
    assert "Left alone: rest (1)." in notes


def test_valid_beside_the_classes(tmp_path, touch):
    touch("cat/1.jpg", "dog/1.jpg", "later/cat/2.jpg")
    found, _ = read(tmp_path, valid="later")
    assert found == {
        "cat/1.jpg": ("cat", "train"),
        "dog/1.jpg": ("dog", "train"),
        "later/cat/2.jpg": ("cat", "valid"),
    }


def test_mistakes(tmp_path, touch):
    with pytest.raises(LabelError, match="no pictures below"):
        FolderLabels().label(tmp_path)
    touch("cat/1.jpg", "loose.jpg")
    with pytest.raises(LabelError, match=r"1 picture is in no class folder.*Found: loose.jpg"):
        FolderLabels().label(tmp_path)
    with pytest.raises(LabelError, match=r"no folder 'cta'.*Did you mean 'cat'"):
        FolderLabels(path="cta").label(tmp_path)
    with pytest.raises(LabelError, match="no folder 'later'"):
        FolderLabels(valid="later").label(tmp_path)
    with pytest.raises(ValidationError, match="below the source's folder"):
        FolderLabels(path="../elsewhere")


def test_pictures_directly_in_train(tmp_path, touch):
    touch("train/1.jpg", "train/2.jpg", "test/1.jpg")
    with pytest.raises(LabelError, match=r"2 pictures are in no class folder.*train/1.jpg"):
        FolderLabels().label(tmp_path)


def test_only_a_test_folder(tmp_path, touch):
    touch("test/1.jpg")
    with pytest.raises(LabelError, match="no class folders"):
        FolderLabels().label(tmp_path)


def test_flowers():
    if not (DATA / "flowers17").is_dir():
        pytest.skip(f"the real data is not in {DATA}")
    found, _ = read(DATA / "flowers17")
    assert len(found) == 1088
    assert {label for label, _ in found.values()} == {
        path.name for path in (DATA / "flowers17" / "train").iterdir()
    }
