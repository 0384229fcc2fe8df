import pytest

from kitbox.errors import LabelError
from kitbox.labelers import guess


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["a.jpg", "x.csv", "sample_submission.csv"], "x.csv"),
        (["train.csv", "IdLookupTable.csv", "labels.csv"], "train.csv"),
        (["other.csv", "train_labels.csv"], "train_labels.csv"),
        (["other.csv", "Labels.csv", "sampleSubmission.csv"], "Labels.csv"),
        (["d/x.csv", "d/e/train.csv"], "d/x.csv"),
    ],
)
def test_csv_file(files, expected):
    assert guess.csv_file(files) == expected


def test_no_csv_file():
    with pytest.raises(LabelError, match=r"no csv file with labels.*Found: no csv file at all"):
        guess.csv_file(["a.jpg"])
    with pytest.raises(LabelError, match=r"Found: sample_submission.csv"):
        guess.csv_file(["sample_submission.csv"])
    with pytest.raises(LabelError, match=r"Several csv files.*a.csv, b.csv.*Set `csv`"):
        guess.csv_file(["a.csv", "b.csv"])


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"label": ["x", "y"], "image": ["a", "b"]}, "image"),  # known name, no file fits
        ({"foo": ["a", "b"], "bar": ["x", "y"]}, "foo"),  # the first
        ({"id": ["7", "8"], "photo": ["1.jpg", "2.jpg"]}, "photo"),  # files fit
        ({"id": ["7", "8"], "which": ["d\\1", "2"]}, "which"),  # stems fit
        ({"image": ["1", "1"], "which": ["1", "2"]}, "which"),  # unique
        ({"n": ["1", "2"], "name": ["1.jpg", "2.jpg"]}, "name"),  # equal, known name
    ],
)
def test_id_column(columns, expected):
    assert guess.id_column(columns, ["train/1.jpg", "train/2.jpg", "a.txt"]) == expected


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["anything"], "anything"),
        (["Unnamed: 0", "fold", "anything"], "anything"),
        (["width", "Breed"], "Breed"),
        (["class", "label"], "label"),
        (["x", "y0"], None),
        (["part", "split", "fold", "group"], None),
        ([], None),
    ],
)
def test_label_column(columns, expected):
    assert guess.label_column(columns) == expected


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("part", ["Train", " validation ", "test", float("nan")], ["train", "valid", "test", None]),
        ("is_valid", [True, False], ["valid", "train"]),
        ("is_valid", [1.0, 0.0, None], ["valid", "train", None]),
        ("fold", [1, 0], None),
        ("part", ["a"], None),
    ],
)
def test_parts(column, values, expected):
    assert guess.parts(column, values) == expected
