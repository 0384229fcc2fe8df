"""The table as a csv file."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

# The module, because pytest would collect names that begin with `test`.
from kitbox.data import table, table_file
from kitbox.errors import StorageError


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
    table_file.save(whole, tmp_path / "table.csv")
    assert_frame_equal(table_file.load(tmp_path / "table.csv"), whole)
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_round_trip_with_test_rows(tmp_path):
    joined = table.join(
        labelled(tags=[("a",), ()], flag=[True, False], text=["1", "2"]), unlabelled("0001")
    )
    table_file.save(joined, tmp_path / "table.csv")
    assert_frame_equal(table_file.load(tmp_path / "table.csv"), joined)


def test_the_file_is_plain_csv(tmp_path):
    table_file.save(labelled(tags=[("a",), ("b", "ü")]), tmp_path / "table.csv")
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
    table_file.save(whole, path)
    assert_frame_equal(table_file.load(path), whole)


def test_a_table_without_rows(tmp_path):
    table_file.save(labelled().iloc[:0], tmp_path / "table.csv")
    assert list(table_file.load(tmp_path / "table.csv").columns) == ["id", "image", "part", "label"]


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "id,image\na,b\nc\n"])
def test_a_damaged_file(tmp_path, text):
    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(StorageError, match=r"table.csv is damaged"):
        table_file.load(tmp_path / "table.csv")


def test_storage_trouble_is_translated_and_leaves_nothing(tmp_path, monkeypatch):
    with pytest.raises(StorageError, match="reading"):
        table_file.load(tmp_path / "none.csv")
    table_file.save(labelled(), tmp_path / "table.csv")
    before = (tmp_path / "table.csv").read_bytes()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(table.os, "fsync", full)
    with pytest.raises(StorageError, match="The disk is full while writing"):
        table_file.save(labelled(label=[7, 8]), tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1
