import dataclasses
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from kitbox.contracts import Labels

# The module, because pytest would collect names that begin with `test`.
from kitbox.data import table
from kitbox.errors import LabelError, PluginError, StorageError
from kitbox.writers import sample as samples

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def touch(folder, *paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


def labels_of(**columns):
    rows = {"id": ["b", "a", "c"], "image": ["b.jpg", "a.jpg", "c.jpg"], "label": [1, 0, 1]}
    return Labels(pd.DataFrame(rows | columns), ("label",))


@pytest.fixture
def folder(tmp_path):
    touch(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    return tmp_path


# make


def test_make_sorts_by_id_and_leaves_the_rows_alone(folder):
    labels = labels_of(site=["x", "y", "z"], part=["train", None, "valid"])
    before = labels.rows.copy()
    made = table.make(labels, folder)
    assert made["id"].tolist() == ["a", "b", "c"]
    assert made["label"].tolist() == [0, 1, 1]
    assert made["site"].tolist() == ["y", "x", "z"]
    assert list(made.columns) == ["id", "image", "part", "label", "site"]
    assert isinstance(made.index, pd.RangeIndex)
    assert_frame_equal(labels.rows, before)


def test_make_does_not_depend_on_the_order_of_the_rows(folder):
    labels = labels_of()
    turned = dataclasses.replace(labels, rows=labels.rows.iloc[::-1])
    assert_frame_equal(table.make(turned, folder), table.make(labels, folder))


def test_make_wants_labels(folder):
    with pytest.raises(PluginError, match=r"must return kitbox's Labels.*Found: a DataFrame"):
        table.make(labels_of().rows, folder)
    with pytest.raises(PluginError, match=r"must be a pandas DataFrame.*Found: a list"):
        table.make(Labels([], ("label",)), folder)


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ((), r"tuple of column names.*Found: \(\)"),
        ("label", "tuple of column names.*'label'"),
        (("breed",), r"the columns 'id' and 'image' and its targets \(breed\).*id, image, label"),
        (("image",), "no target may be called id, image or part"),
    ],
)
def test_make_wants_targets(folder, targets, words):
    with pytest.raises(PluginError, match=words):
        table.make(dataclasses.replace(labels_of(), targets=targets), folder)


@pytest.mark.parametrize(
    ("columns", "kind", "words"),
    [
        ({"id": [1, 2, 3]}, PluginError, r"'id'.*must hold str.*1 \(int\)"),
        ({"id": ["a", "b", ""]}, PluginError, r"'' \(str\)"),
        ({"image": ["a.jpg", None, "b.jpg"]}, PluginError, "'image'.*must hold str"),
        ({"image": [Path("a"), "b", "c"]}, PluginError, "PosixPath"),
        ({"part": ["train", "test", None]}, PluginError, "'part'.*'train', 'valid'.*Found: test"),
        ({"id": ["a", "b", "a"]}, LabelError, r"1 ids are there more than once.*Found: a\."),
        ({"image": ["../a.jpg", "b.jpg", "c.jpg"]}, LabelError, r"not below.*\.\./a\.jpg"),
        ({"label": ["x", None, "y"]}, LabelError, r"1 pictures have no label in 'label'.*Found: a"),
        ({"label": [0.0, float("nan"), 1.0]}, LabelError, "no label in 'label'"),
        ({"image": ["x.jpg", "y.jpg", "z.jpg"]}, LabelError, "None of the 3 .*x.jpg, y.jpg"),
    ],
)
def test_make_finds_mistakes(folder, columns, kind, words):
    with pytest.raises(kind, match=words):
        table.make(labels_of(**columns), folder)


def test_make_with_a_column_twice(folder):
    rows = labels_of().rows
    rows.insert(0, "label", 1, allow_duplicates=True)
    with pytest.raises(PluginError, match="each once"):
        table.make(Labels(rows, ("label",)), folder)


def test_make_with_no_rows(folder):
    with pytest.raises(LabelError, match="no labelled pictures"):
        table.make(Labels(labels_of().rows.iloc[:0], ("label",)), folder)


def test_make_keeps_empty_tuples_and_missing_pictures(folder):
    made = table.make(
        labels_of(label=[("x",), (), ("y", "z")], image=["b.jpg", "a.jpg", "gone.jpg"]), folder
    )
    assert made["label"].tolist() == [(), ("x",), ("y", "z")]


# test_rows


def find(root, ids=None, /, taken=(), **test):
    options = table.TestPictures(**test)
    rows = table.test_rows(root, test=options, ids=ids, taken=taken)
    assert list(rows.columns) == ["id", "image"]
    assert rows["id"].dtype == pd.Series([], dtype=str).dtype
    return dict(zip(rows["id"], rows["image"], strict=True))


def test_neither_sample_nor_folder(folder):
    assert find(folder) == {}


def test_all_pictures_of_a_folder(tmp_path):
    touch(tmp_path, "test/b.jpg", "test/sub/a.png", "test/notes.txt", "train/c.jpg")
    assert find(tmp_path, folder="test") == {"b": "test/b.jpg", "a": "test/sub/a.png"}
    assert list(find(tmp_path, folder="test")) == ["b", "a"]  # by path


def test_paths_are_ids_where_names_repeat(tmp_path):
    touch(tmp_path, "test/1/a.jpg", "test/2/a.jpg")
    assert list(find(tmp_path, folder="test")) == ["test/1/a.jpg", "test/2/a.jpg"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"pattern": "test/*.jpg"}, ["test/a.jpg", "test/b.jpg"]),
        ({"pattern": "*.jpg", "folder": "test"}, ["test/a.jpg", "test/b.jpg"]),
        ({"pattern": "**/a.*"}, ["a.png", "test/a.jpg"]),
        ({"pattern": "test/*.dat"}, ["test/c.dat"]),
    ],
)
def test_a_pattern(tmp_path, options, expected):
    touch(tmp_path, "a.png", "test/a.jpg", "test/b.jpg", "test/c.dat", "test/sub/d.jpg")
    assert list(find(tmp_path, **options).values()) == expected


def test_nothing_where_the_test_pictures_should_be(tmp_path):
    touch(tmp_path, "test/notes.txt")
    with pytest.raises(LabelError, match=r"no test pictures below .*test\. Found: notes.txt"):
        find(tmp_path, folder="test")
    with pytest.raises(LabelError, match=r"no test pictures \*\.png below"):
        find(tmp_path, pattern="*.png")
    with pytest.raises(LabelError, match=r"no folder 'tset'.*Did you mean 'test'"):
        find(tmp_path, folder="tset")


@pytest.mark.parametrize("form", ["test/{}.jpg", "{}.jpg", "{}", "test/{}", "test\\{}.jpg"])
@pytest.mark.parametrize("options", [{}, {"folder": "test"}, {"pattern": "test/*"}])
def test_ids_of_the_sample_name_pictures(tmp_path, form, options):
    # The same names train: they are no candidates, because there is a test folder.
    touch(tmp_path, *(f"{side}/000{n}.jpg" for side in ("test", "train") for n in range(4)))
    ids = [form.format(name) for name in ("0002", "0000", "0003")]
    found = find(tmp_path, ids, **options)
    assert list(found.items()) == list(
        zip(ids, ["test/0002.jpg", "test/0000.jpg", "test/0003.jpg"], strict=True)
    )


def test_without_a_test_folder_all_that_do_not_train_are_candidates(tmp_path):
    touch(tmp_path, "images/1.jpg", "images/2.jpg", "extra/1.jpg")
    assert find(tmp_path, ["1", "2"], taken=["extra/1.jpg"]) == {
        "1": "images/1.jpg",
        "2": "images/2.jpg",
    }
    with pytest.raises(LabelError, match=r"'1' .* fits several.*extra/1.jpg, images/1.jpg"):
        find(tmp_path, ["1", "2"])


def test_the_suffix_decides_between_two_pictures(tmp_path):
    touch(tmp_path, "test/1.jpg", "test/1.png", "test/1_depth.png")
    with pytest.raises(LabelError, match=r"test/1.jpg, test/1.png.*`suffix`"):
        find(tmp_path, ["1"])
    assert find(tmp_path, ["1"], suffix="png") == {"1": "test/1.png"}
    assert find(tmp_path, ["1"], suffix=".jpg") == {"1": "test/1.jpg"}
    assert find(tmp_path, ["1"], suffix="_depth.png") == {"1": "test/1_depth.png"}


def test_an_exact_name_comes_before_a_stem(tmp_path):
    touch(tmp_path, "test/1.5.jpg", "test/1.5")
    assert find(tmp_path, ["1.5"]) == {"1.5": "test/1.5.jpg"}
    touch(tmp_path, "test/a.jpg.png", "test/a.jpg")
    assert find(tmp_path, ["a.jpg"]) == {"a.jpg": "test/a.jpg"}


def test_ids_without_a_picture_keep_their_rows(tmp_path):
    touch(tmp_path, "test/1.png", "test/2.png", "test/3.png")
    found = find(tmp_path, ["1", "gone", "2", "3", "../../out"])
    assert found["gone"] == "test/gone.png"
    assert found["../../out"] == "test/out.png"
    assert list(found) == ["1", "gone", "2", "3", "../../out"]


def test_half_may_be_missing_but_not_more(tmp_path):
    touch(tmp_path, "test/1.png")
    assert find(tmp_path, ["1", "x"])["x"] == "test/x.png"
    with pytest.raises(
        LabelError, match=r"2 of 3 ids.*ids such as x, y.*1 candidates such as test/1.png.*`suffix`"
    ):
        find(tmp_path, ["1", "x", "y"])


def test_no_candidates_at_all(tmp_path):
    touch(tmp_path, "readme.md")
    with pytest.raises(LabelError, match=r"no candidates; there are readme.md in"):
        find(tmp_path, ["1"])


def test_an_empty_sample(tmp_path):
    assert find(tmp_path, []) == {}


def test_a_hundred_thousand_ids(tmp_path, monkeypatch):
    images = [f"test/{number:06d}.jpg" for number in range(100_000)]
    monkeypatch.setattr(table, "pictures", lambda folder: images)
    ids = [f"{number:06d}" for number in range(100_000)]
    random.Random(0).shuffle(ids)
    found = find(tmp_path, ids)
    assert list(found) == ids
    assert all(image == f"test/{one}.jpg" for one, image in found.items())


@pytest.mark.parametrize(
    ("name", "sample"),
    [
        ("flowers17", "sample_submission.csv"),
        ("faces68", "sample_submission.csv"),
        ("camvid", "sample_submission_tags.csv"),
        ("bccd", "sample_submission.csv"),
    ],
)
def test_real_samples(name, sample):
    if not (DATA / name).is_dir():
        pytest.skip(f"the real data is not in {DATA}")
    rows = pd.read_csv(DATA / name / sample, dtype=str)
    found = find(DATA / name, samples.ids(rows))
    assert list(found) == rows.iloc[:, 0].tolist()
    assert all((DATA / name / image).is_file() for image in found.values())
    assert len(set(found.values())) == len(list((DATA / name / "test").glob("*.jpg")))


# join


def labelled(**columns):
    rows = {
        "id": ["0001", "0002"],
        "image": ["train/1.jpg", "train/2.jpg"],
        "part": ["train", "valid"],
        "label": [3, 4],
    }
    return pd.DataFrame(rows | columns)


def unlabelled(*ids):
    return pd.DataFrame({"id": list(ids), "image": [f"test/{one}.jpg" for one in ids]}, dtype=str)


def test_join_keeps_both_sides_and_their_order():
    joined = table.join(labelled(), unlabelled("0009", "0001"))
    assert joined["id"].tolist() == ["0001", "0002", "0009", "0001"]
    assert joined["part"].tolist() == ["train", "valid", "test", "test"]
    assert isinstance(joined.index, pd.RangeIndex)
    assert joined["label"].isna().tolist() == [False, False, True, True]


def test_join_keeps_integers_and_flags():
    flags = labelled(flag=[True, False], share=[0.5, 1.0], tags=[("a",), ()])
    joined = table.join(flags, unlabelled("0009"))
    back = joined[joined["part"] != "test"]
    assert back["label"].tolist() == [3, 4]
    assert all(isinstance(value, int | np.integer) for value in back["label"])
    assert back["flag"].tolist() == [True, False]
    assert back["tags"].tolist() == [("a",), ()]
    assert back["share"].to_numpy().dtype == np.float64
    assert back["label"].to_numpy(dtype="int64").tolist() == [3, 4]


def test_join_without_test_rows_changes_nothing():
    assert_frame_equal(table.join(labelled(), unlabelled()), labelled())


def test_join_wants_unique_ids_on_each_side():
    with pytest.raises(LabelError, match=r"more than once.*Found: 0009"):
        table.join(labelled(), unlabelled("0009", "0009"))
    with pytest.raises(LabelError, match=r"more than once.*Found: 0001"):
        table.join(labelled(id=["0001", "0001"]), unlabelled("0009"))


# save and load


def test_round_trip(tmp_path):
    whole = labelled(
        id=["0001", "NA"],
        label=[("cat, big", 'the "dog"'), ()],
        number=[1, 2],
        share=[0.1, 1 / 3],
        empty=[0.5, float("nan")],
        flag=[True, False],
        code=["1", "2"],  # text that looks like numbers
        zeros=["007", "008"],
        words=["NA", "line\nbreak"],
        listed=['["a"]', '["b"]'],
        blank=["", "x"],
    )
    table.save(whole, tmp_path / "table.csv")
    assert_frame_equal(table.load(tmp_path / "table.csv"), whole)
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_round_trip_with_test_rows(tmp_path):
    joined = table.join(
        labelled(tags=[("a",), ()], flag=[True, False], text=["1", "2"]), unlabelled("0001")
    )
    table.save(joined, tmp_path / "table.csv")
    assert_frame_equal(table.load(tmp_path / "table.csv"), joined)


def test_the_file_is_plain_csv(tmp_path):
    table.save(labelled(tags=[("a",), ("b", "ü")]), tmp_path / "table.csv")
    read = pd.read_csv(tmp_path / "table.csv", dtype=str)
    assert read["id"].tolist() == ["0001", "0002"]
    assert read["label"].tolist() == ["3", "4"]
    assert read["tags"].tolist() == ['["a"]', '["b", "ü"]']


CELLS = st.one_of(
    st.lists(st.text(max_size=6), min_size=3, max_size=3),
    st.lists(
        st.sampled_from(["1", "2.5", "True", "nan", "inf", "1e5", "-0"]), min_size=3, max_size=3
    ),
    st.lists(st.integers(-(2**63) + 1, 2**63 - 1), min_size=3, max_size=3),
    st.lists(st.floats(), min_size=3, max_size=3),
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.lists(st.lists(st.text(max_size=4)).map(tuple), min_size=3, max_size=3),
)


@settings(max_examples=200, deadline=None)
@given(cells=CELLS)
def test_any_values_come_back(tmp_path_factory, cells):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    values = pd.Series(cells, dtype=object if isinstance(cells[0], tuple) else None)
    whole = pd.DataFrame({"id": ["a", "b", "c"], "value": values})
    table.save(whole, path)
    assert_frame_equal(table.load(path), whole)


def test_a_table_without_rows(tmp_path):
    table.save(labelled().iloc[:0], tmp_path / "table.csv")
    assert list(table.load(tmp_path / "table.csv").columns) == ["id", "image", "part", "label"]


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "id,image\na,b\nc\n"])
def test_a_damaged_file(tmp_path, text):
    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(StorageError, match=r"table.csv is damaged"):
        table.load(tmp_path / "table.csv")


def test_storage_trouble_is_translated_and_leaves_nothing(tmp_path, monkeypatch):
    with pytest.raises(StorageError, match="reading"):
        table.load(tmp_path / "none.csv")
    table.save(labelled(), tmp_path / "table.csv")
    before = (tmp_path / "table.csv").read_bytes()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(table.os, "fsync", full)
    with pytest.raises(StorageError, match="The disk is full while writing"):
        table.save(labelled(label=[7, 8]), tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1
