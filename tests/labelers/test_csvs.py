import io

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from kitbox.errors import LabelError
from kitbox.labelers.csvs import open_csv, open_listed


@pytest.fixture
def write(tmp_path):
    def make(text, encoding="utf-8"):
        (tmp_path / "train.csv").write_bytes(text.encode(encoding))
        return tmp_path / "train.csv"

    return make


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_forms_of_a_file(write, separator, encoding, end):
    lines = [["id", "label", "n"], ["001", "bär", "1"], ["002", " NA ", "2"], ["003", "", "3"]]
    file = open_csv(write("".join(separator.join(line) + end for line in lines), encoding))
    assert file.columns == ("id", "label", "n")
    table = file.read({"id"})
    assert table["id"].tolist() == ["001", "002", "003"]
    assert table["label"][:2].tolist() == ["bär", "NA"]
    assert table["label"].isna().tolist() == [False, False, True]
    assert table["n"].tolist() == [1, 2, 3]


def test_agrees_with_pandas_on_a_plain_file(write):
    text = "a,b,c,d\nx,1,0.5,True\ny,2,,False\n"
    assert_frame_equal(open_csv(write(text)).read(()), pd.read_csv(io.StringIO(text)))


def test_separators_in_quotes_and_in_cells(write):
    file = open_csv(write('"a,b,c,d";tags\n1;"x;y"\n2;p,q,r\n'))
    assert (file.separator, file.columns) == (";", ("a,b,c,d", "tags"))
    assert file.read()["tags"].tolist() == ["x;y", "p,q,r"]


def test_column_names(write):
    file = open_csv(write(" image ,label,,label\na,x,1,y\n"))
    assert file.columns == ("image", "label", "Unnamed: 2", "label.1")
    assert file.read().iloc[0].tolist() == ["a", "x", "1", "y"]


def test_one_column(write):
    assert open_csv(write("image\na b\n")).read()["image"].tolist() == ["a b"]


def test_flags_with_an_empty_cell(write):
    flags = open_csv(write("a,flag\n1,True\n2,\n3,False\n")).read({"a"})["flag"]
    assert [flags[0], flags[2]] == [True, False]
    assert flags.isna().tolist() == [False, True, False]


def test_a_cell_of_spaces_is_empty(write):
    assert open_csv(write("a,b\n1, \n2, x \n")).read()["b"].fillna("-").tolist() == ["-", "x"]


def test_first_rows(write):
    assert open_csv(write("a\n1\n2\n3\n")).read(rows=2)["a"].tolist() == ["1", "2"]


def test_line_numbers(write):
    path = write('id,label\n\na,x\nb,"two\nlines"\n  \nc,\nd,z\n')
    file = open_csv(path)
    table = file.read()
    assert table["id"].tolist() == ["a", "b", "c", "d"]
    lines = path.read_text().split("\n")
    found = file.lines(range(4))
    assert [lines[line - 1][0] for line in found] == ["a", "b", "c", "d"]
    assert file.lines([2]) == [found[2]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("a,b\n1,2\n1,2,3\n", "line 3"),
        ("a,b\n1,2,3\n", "more cells"),
    ],
)
def test_files_that_cannot_be_read(write, text, words):
    with pytest.raises(LabelError, match=words):
        open_csv(write(text)).read()


def test_a_missing_file(tmp_path):
    with pytest.raises(LabelError, match="No such file"):
        open_csv(tmp_path / "train.csv")


def test_files_and_columns_that_are_not_there(write, tmp_path):
    write("id,label\n1,a\n")
    file = open_listed(tmp_path, "train.csv", [])
    file.check(["id", None])
    with pytest.raises(LabelError, match=r"train\.csv has no column 'lable'.*mean 'label'"):
        file.check(["id", "lable"])
    with pytest.raises(LabelError, match=r"no file 'trian\.csv'.*Found: train\.csv.*'train\.csv'"):
        open_listed(tmp_path, "trian.csv", ["train.csv", "a.jpg"])
    with pytest.raises(LabelError, match="no csv file at all"):
        open_listed(tmp_path, "trian.csv", ["a.jpg"])
