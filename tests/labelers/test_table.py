from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

from kitbox.data import table
from kitbox.errors import LabelError
from kitbox.labelers.table import TableLabels

TV = ("train", "valid")
DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


@pytest.fixture
def make(tmp_path, touch):
    """A source's folder with a train.csv and empty pictures, labelled."""

    def make(text, *paths, **options):
        touch(*paths)
        (tmp_path / "train.csv").write_text(text, encoding="utf-8")
        return TableLabels(**options).label(tmp_path)

    return make


def test_all_is_guessed_and_told(make, tmp_path):
    labels = make(
        "image_id,breed,width\n001,pug,3\n002,NA,4\n",
        *("train/001.jpg", "train/002.jpg", "test/001.jpg", "test/002.jpg"),
    )
    assert labels.targets == ("breed",)
    assert labels.rows["id"].tolist() == ["001", "002"]
    assert labels.rows["image"].tolist() == ["train/001.jpg", "train/002.jpg"]
    assert labels.rows["breed"].tolist() == ["pug", "NA"]
    assert labels.rows["width"].tolist() == [3, 4]
    assert "part" not in labels.rows
    assert labels.notes == (
        "2 pictures of 2 classes, 1 each.",
        "Guessed: the labels are in train.csv.",
        "Guessed: the column 'image_id' names the pictures.",
        "Guessed: the column 'breed' has the labels.",
        "Guessed: the pictures are in 'train'.",
        "Pictures of the same names are in test too.",
        "Guessed: the names lack the suffix .jpg.",
    )
    table.make(labels, tmp_path)


@pytest.mark.parametrize("labels", ["label", [f"n{i}" for i in range(150)]])
def test_many_columns_without_a_warning(make, labels):
    header = ",".join(["id", "label", "part", *(f"n{i}" for i in range(300))])
    lines = [
        f"{name},cat,{part},{','.join(['3'] * 300)}" for name, part in zip("ab", TV, strict=True)
    ]
    found = make("\n".join([header, *lines]), "a.jpg", "b.jpg", id="id", labels=labels)
    assert found.rows.columns[:3].tolist() == ["id", "image", "part"]
    assert found.rows["part"].tolist() == list(TV)
    assert found.rows["n299"].tolist() == [3, 3]
    assert found.targets == (("label",) if labels == "label" else tuple(labels))


def test_what_is_set_is_not_guessed(make, tmp_path, touch):
    touch("lists/a.csv")
    (tmp_path / "lists/a.csv").write_text("x;y;z\n1;9;7\n")
    labels = make(
        "",
        "pics/1.png",
        "1.png",
        csv="lists/a.csv",
        id="x",
        labels="z",
        folder="pics",
        suffix="png",
    )
    assert labels.rows.to_dict("records") == [{"id": "1", "image": "pics/1.png", "y": 9, "z": 7}]
    assert labels.notes == ("1 picture of 1 class, 1 each.",)


def test_ids_keep_zeros_and_na(make):
    rows = make("image,label\n007,1\nNA,2\n1e5,3\n", "007.jpg", "NA.jpg", "1e5.jpg").rows
    assert rows["id"].tolist() == ["007", "NA", "1e5"]
    assert rows["label"].tolist() == [1, 2, 3]


def test_paths_of_windows(make):
    rows = make(
        "image,label\ntrain\\1.jpg,a\n.\\train\\2.jpg,b\n", "train/1.jpg", "train/2.jpg"
    ).rows
    assert rows["image"].tolist() == ["train/1.jpg", "train/2.jpg"]


def test_several_label_columns(make):
    labels = make("image,x,y,z\na,1,0.5,q\n", "a.jpg", labels=["y", "x"])
    assert labels.targets == ("y", "x")
    assert labels.rows[["y", "x"]].to_numpy().tolist() == [[0.5, 1.0]]
    assert labels.notes[0] == (
        "1 picture with 2 values each: y from 0.5 to 0.5, mean 0.5; x from 1 to 1, mean 1."
    )


def test_delimiter(make):
    labels = make("image,tags\na,sky  sea sky\nb,\nc,1\n", "a.jpg", "b.jpg", "c.jpg", delimiter=" ")
    assert labels.rows["tags"].tolist() == [("sky", "sea"), (), ("1",)]
    assert make("image,tags\na,1\n", delimiter=",").rows["tags"].tolist() == [("1",)]
    assert make('image,tags\na," x , y,"\n', delimiter=",").rows["tags"].tolist() == [("x", "y")]


@pytest.mark.parametrize(
    ("column", "values"),
    [("part", ["train", "valid", "test"]), ("split", ["Training", "val", "test"])],
)
def test_parts(make, column, values):
    rows = "".join(f"{n},{value},{'' if n == 2 else n}\n" for n, value in enumerate(values))
    labels = make(f"image,{column},label\n{rows}", "0.jpg", "1.jpg", "2.jpg")
    assert labels.rows["part"].tolist() == ["train", "valid"]
    assert labels.rows["id"].tolist() == ["0", "1"]
    assert f"the column '{column}' says train or valid" in labels.parted
    assert not any("says train or valid" in note for note in labels.notes)
    # The test row's empty cell made no fractions of the labels.
    assert labels.rows["label"].dtype == "int64"
    assert f"Dropped 1 row that '{column}' calls test." in labels.notes


def test_is_valid(make):
    labels = make("image,is_valid,label\na,0,x\nb,1,y\n", "a.jpg", "b.jpg")
    assert labels.rows["part"].tolist() == ["train", "valid"]
    assert labels.rows["is_valid"].tolist() == [0, 1]


def test_a_part_that_is_set(make):
    labels = make("image,use,label\na,train,x\nb,valid,y\nc,,z\n", "a.jpg", "b.jpg", part="use")
    assert labels.rows["part"][:2].tolist() == ["train", "valid"]
    assert labels.rows["part"].isna().tolist() == [False, False, True]
    with pytest.raises(LabelError, match=r"'use' .* does not say train or valid.*Found: x, y"):
        make("image,use,label\na,x,1\nb,y,2\n", part="use")


def test_columns_that_have_our_names(make, tmp_path):
    labels = make("id,photo,image,part,label\n7,a,x,3,q\n8,b,y,4,r\n", "a.jpg", "b.jpg")
    assert labels.rows.iloc[0].to_dict() == {
        "id": "a",
        "image": "a.jpg",
        "csv_id": 7,
        "csv_image": "x",
        "csv_part": 3,
        "label": "q",
    }
    table.make(labels, tmp_path)


def test_missing_pictures_stay(make):
    labels = make("image,label\n1,x\n2,y\n3,z\n", "train/1.jpg", "train/3.jpg")
    assert labels.rows["image"].tolist() == ["train/1.jpg", "train/2.jpg", "train/3.jpg"]
    assert "1 of 3 pictures are missing: train/2.jpg." in labels.notes


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (
            "image,label\na,x\n",
            {"csv": "tain.csv"},
            r"no file 'tain.csv'.*Did you mean 'train.csv'",
        ),
        ("image,label\na,x\n", {"id": "imag"}, r"no column 'imag'.*image, label.*'image'"),
        ("image,label\na,x\n", {"labels": ["label", "y"]}, "no column 'y'"),
        ("image,label\na,x\n", {"part": "prat"}, "no column 'prat'"),
        ("image,label\na,x\n", {"id": "image", "labels": "image"}, "both `id` and `labels`"),
        ("image\na\n", {}, "cannot be guessed.*no column besides the id"),
        ("image,x,y\na,1,2\n", {}, r"cannot be guessed.*columns x, y.*Set `labels`"),
        ("label\na\n", {"labels": "label"}, "no column left that names"),
        ("image,label\n", {}, "no rows with labels"),
        ("image,label,part\na,x,test\n", {}, "no rows with labels"),
        ("image,label\na,x\n,y\n", {"id": "image"}, r"1 row .* nothing in .*'image'.*line 3\."),
        ("image,label\na,\n\na.jpg,x\n", {}, r"1 row .* no label in label.*line 2\."),
        (
            "image,label\n" + "".join(f"{n},\n" for n in range(9)),
            {},
            r"9 rows .*lines 2, 3, 4, 5, 6 and more.*`delimiter`",
        ),
        (
            "image,label\na,x\na,y\nb,x\nb,x\nc,z\n",
            {},
            r"2 pictures have more than one row.*Found: a, b; with different labels: a \(x, y\)\.",
        ),
        (
            "image,label\nq,x\n",
            {},
            r"None of the 1 .*no .*/q; there are a.jpg, train.csv.*`suffix`",
        ),
        ("image,label\na,x\n", {"suffix": "png"}, r"no .*/a.png; there are a.jpg"),
        ("image,label\na,x\n", {"folder": "pics"}, "no folder 'pics'"),
    ],
)
def test_mistakes(make, text, options, words):
    with pytest.raises(LabelError, match=words):
        make(text, "a.jpg", **options)


def test_pictures_in_another_folder_than_the_one_that_is_set(make):
    with pytest.raises(LabelError, match=r"no .*two/a; there are b.jpg in .*two.*Set `folder`"):
        make("image,label\na,x\n", "one/a.jpg", "two/b.jpg", folder="two")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"labels": ["a", "b"], "delimiter": " "}, "expected one column"),
        ({"delimiter": ""}, "at least 1 character"),
        ({"labels": []}, "at least 1 item"),
        ({"folder": "../x"}, "below the source's folder"),
        ({"csv": "/etc/x.csv"}, "below the source's folder"),
    ],
)
def test_options_are_checked_before_use(options, words):
    with pytest.raises(ValidationError, match=words):
        TableLabels(**options)


def test_a_hundred_thousand_rows(tmp_path, monkeypatch):
    names = [f"{number:06d}" for number in range(100_000)]
    monkeypatch.setattr(
        "kitbox.labelers.table.files", lambda folder: [f"train/{n}.jpg" for n in names]
    )
    pd.DataFrame({"id": names, "label": [int(n) % 7 for n in names]}).to_csv(
        tmp_path / "train.csv", index=False
    )
    labels = TableLabels(csv="train.csv").label(tmp_path)
    assert labels.rows["id"].tolist() == names
    assert labels.rows["image"].tolist() == [f"train/{name}.jpg" for name in names]


def test_flowers():
    if not (DATA / "flowers17").is_dir():
        pytest.skip(f"the real data is not in {DATA}")
    labels = TableLabels(csv="train.csv").label(DATA / "flowers17")
    made = table.make(labels, DATA / "flowers17")
    assert Counter(made["part"]) == {"train": 816, "valid": 272}
    assert labels.targets == ("label",)
    # The folder that each picture lies in says the same.
    assert made["label"].tolist() == [image.split("/")[1] for image in made["image"]]
    assert all((DATA / "flowers17" / image).is_file() for image in made["image"])


def test_camvid_and_faces():
    if not (DATA / "camvid").is_dir():
        pytest.skip(f"the real data is not in {DATA}")
    tags = TableLabels(delimiter=" ").label(DATA / "camvid").rows["tags"]
    cells = pd.read_csv(DATA / "camvid" / "tags.csv")["tags"]
    assert [" ".join(cell) for cell in tags] == cells.tolist()
    points = [f"{axis}{number}" for number in range(68) for axis in "xy"]
    faces = TableLabels(labels=points).label(DATA / "faces68")
    assert faces.targets == tuple(points)
    assert len(table.make(faces, DATA / "faces68")) == 1806
    assert "person" in faces.rows


def test_a_word_among_numbers_is_told_with_its_line(tmp_path, touch):
    touch("a.jpg", "b.jpg", "c.jpg", "d.jpg")
    text = "image,n,kind\na.jpg,1,x\nb.jpg,many,y\nc.jpg,3.5,1\nd.jpg,4,z\n"
    (tmp_path / "train.csv").write_text(text)
    notes = TableLabels(id="image", labels=["n", "kind"]).label(tmp_path).notes
    assert "Most cells of the column 'n' are numbers, but 'many' in line 3." in notes
    assert not any("'kind' are numbers" in note for note in notes)


def test_a_part_column_that_parts_nothing_is_told(make):
    images = ("a.jpg", "b.jpg")
    told = make("image,label,part\na,x,train\nb,y,train\n", *images, id="image").notes
    assert "The column 'part' calls no row valid: the splitter `auto` draws them itself." in told
    told = make("image,label,part\na,x,upper\nb,y,lower\n", *images, id="image", labels="label")
    assert any("'part' says other than train and valid (lower, upper)" in n for n in told.notes)
