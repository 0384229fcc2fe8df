import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from kitbox.contracts import Labels

# The module, because pytest would collect names that begin with `test`.
from kitbox.data import table
from kitbox.errors import LabelError, PluginError

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
        ({"id": ["a", "b", "a"]}, LabelError, r"1 id is there more than once.*Found: a\."),
        ({"image": ["../a.jpg", "b.jpg", "c.jpg"]}, LabelError, r"not below.*\.\./a\.jpg"),
        ({"label": ["x", None, "y"]}, LabelError, r"1 picture has no label in 'label'.*Found: a"),
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
