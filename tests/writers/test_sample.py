import csv
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kitbox.errors import StorageError, SubmissionError
from kitbox.writers import sample
from kitbox.writers.shape import Shape

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def lay(folder: Path, content: str | bytes, name: str = "sample_submission.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def cells_of(table: pd.DataFrame) -> list[list[str]]:
    return [list(table.columns), *table.to_numpy(dtype=object).tolist()]


def table(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame({name.replace("_", " "): cells for name, cells in columns.items()})


WANTED = pd.DataFrame({"id": ["001", "002", "003"], "p": ["0.5"] * 3}, dtype=str)


# Reading


def test_read_keeps_every_cell_as_text(tmp_path: Path) -> None:
    path = lay(tmp_path, 'StudyInstanceUID,ETT - Abnormal, p\n0001,0,NA\n1.20,null,"a,""b"\n')
    assert cells_of(sample.read(path)) == [
        ["StudyInstanceUID", "ETT - Abnormal", " p"],
        ["0001", "0", "NA"],
        ["1.20", "null", 'a,"b'],
    ]
    assert sample.key(sample.read(path)) == "StudyInstanceUID"
    assert cells_of(sample.read(str(path))) == cells_of(sample.read(path))


@pytest.mark.parametrize(
    "content",
    [
        b"id,label\r\n01.jpg,0\r\n02.jpg,0\r\n",
        b"id,label\r01.jpg,0\r02.jpg,0",
        b"\xef\xbb\xbfid,label\n01.jpg,0\n02.jpg,0\n",
        b'\xef\xbb\xbf"id","label"\n"01.jpg","0"\n"02.jpg","0"\n',
        b"id,label\n\n01.jpg,0\n02.jpg,0\n\n\n",
        b"id,label\n01.jpg,0\n02.jpg,0",
    ],
    ids=["crlf", "cr", "bom", "bom-quoted", "blank-lines", "no-last-line-end"],
)
def test_read_forgives_the_form_of_the_file(tmp_path: Path, content: bytes) -> None:
    assert cells_of(sample.read(lay(tmp_path, content))) == [
        ["id", "label"],
        ["01.jpg", "0"],
        ["02.jpg", "0"],
    ]


@pytest.mark.parametrize("content", ["id,label\n", "id,label"])
def test_read_a_header_only(tmp_path: Path, content: str) -> None:
    assert cells_of(sample.read(lay(tmp_path, content))) == [["id", "label"]]


def test_read_blank_cells(tmp_path: Path) -> None:
    path = lay(tmp_path, "ImageId,EncodedPixels\na.png,\nb.png\n")
    assert cells_of(sample.read(path))[1:] == [["a.png", ""], ["b.png", ""]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"id\n1\n", "one column only"),
        (b"id;label\n1;0\n", "one column only"),
        (b"id,label,label\n1,0,0\n", r"columns named twice \(label\)"),
        (b"id,\n1,0\n", "without a name"),
        (b"id,label\n,0\nb,0\n", "rows without an id"),
        (b"id,label\na,0,7\n", "no csv"),
        (b"id,label\ncaf\xe9,0\n", "UTF-8"),
        ("id,label\na,0\n".encode("utf-16"), "UTF-8"),
    ],
)
def test_read_refuses(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(SubmissionError, match=said):
        sample.read(lay(tmp_path, content))


def test_read_says_all_that_is_wrong_with_a_sample(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match=r"columns named twice \(p\).*rows without an id"):
        sample.read(lay(tmp_path, "id,p,p\na,0,0\n,0,0\n"))


def test_doubled_ids_are_read_and_refused_where_a_row_is_a_picture(tmp_path: Path) -> None:
    wanted = sample.read(lay(tmp_path, "id,label\na,0\nb,0\na,1\n"))
    assert list(wanted["id"]) == ["a", "b", "a"]
    with pytest.raises(SubmissionError, match=r"1 id of the sample .* more than once.*a"):
        sample.ids(wanted)
    with pytest.raises(SubmissionError, match=r"the sample has 1 id more than once \(a\)"):
        sample.check(table(id=["a", "b"], label=[0, 1]), wanted)


def test_read_a_file_that_is_not_there(tmp_path: Path) -> None:
    for name in ("train.csv", "sampleSubmission.csv", "old.csv.zip", "notes.txt"):
        lay(tmp_path, "x", name)
    with pytest.raises(SubmissionError, match=r"old.csv.zip, sampleSubmission.csv, train.csv\."):
        sample.read(tmp_path / "sample_submission.csv")
    with pytest.raises(SubmissionError, match=r"is a folder.*train\.csv"):
        sample.read(tmp_path)
    with pytest.raises(SubmissionError, match="folder does not exist"):
        sample.read(tmp_path / "data" / "sample_submission.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SubmissionError, match="no csv file in"):
        sample.read(tmp_path / "empty" / "sample_submission.csv")


@pytest.mark.parametrize(
    "name", ["flowers17", "bccd", "faces68", "spoken_digits"], ids=lambda name: name
)
def test_read_real_samples_as_the_csv_module_does(name: str) -> None:
    path = DATA / name / "sample_submission.csv"
    if not path.is_file():
        pytest.skip(f"no real data: {path} is missing")
    with path.open(newline="", encoding="utf-8") as file:
        assert cells_of(sample.read(path)) == list(csv.reader(file))


# The pictures that it asks for


def test_ids_are_the_first_column_in_its_order() -> None:
    asked = pd.DataFrame({"RowId": ["9", " 007 ", "1"], "ImageId": ["a", "a", "a"]}, dtype=str)
    before = asked.copy()
    assert sample.ids(asked) == ["9", "007", "1"]
    assert sample.ids(asked.iloc[:0]) == []
    pd.testing.assert_frame_equal(asked, before)


def test_ids_that_are_doubled_or_missing() -> None:
    def asked(*ids: str | None) -> pd.DataFrame:
        return pd.DataFrame({"Id": pd.Series(ids, dtype=object), "Label": "0"})

    with pytest.raises(SubmissionError, match=r"1 id .* more than once.*Found: 1\."):
        sample.ids(asked("1", "2", "1"))
    with pytest.raises(SubmissionError, match=r"1 id .* more than once"):
        sample.ids(asked("1", "1 "))
    with pytest.raises(SubmissionError, match=r"1 row .* no id in 'Id'"):
        sample.ids(asked("1", ""))
    with pytest.raises(SubmissionError, match=r"2 rows .* no id in 'Id'"):
        sample.ids(asked("1", None, "  "))


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
def test_ids_of_a_missing_cell(missing: object) -> None:
    with pytest.raises(SubmissionError, match=r"1 row .* no id in 'Id'"):
        sample.ids(pd.DataFrame({"Id": ["1", missing], "Label": "0"}))


def test_the_ids_of_a_hundred_thousand_rows() -> None:
    ids = [f"{number:06d}" for number in range(100_000)]
    assert sample.ids(pd.DataFrame({"id": ids, "p": "0"})) == ids


# Checking


def test_check_returns_the_rows_in_the_samples_order() -> None:
    given_rows = table(id=["003", "001", "002"], p=[0.3, 0.1, 0.2])
    given_rows.index = pd.Index([5, 6, 5])
    before = given_rows.copy()
    found = sample.check(given_rows, WANTED)
    assert cells_of(found) == [["id", "p"], ["001", 0.1], ["002", 0.2], ["003", 0.3]]
    assert list(found.index) == [0, 1, 2]
    pd.testing.assert_frame_equal(given_rows, before)


def test_check_says_every_fault_in_one_paragraph() -> None:
    wanted = pd.DataFrame(
        {"id": ["1", "2", "3"], "healthy": ["0.5"] * 3, "n": ["1", "2", "3"], "rust": ["0"] * 3},
        dtype=str,
    )
    wrong = pd.DataFrame(
        {
            "id": ["1", "9", "9"],
            "Healty": [0.1, 0.2, 0.3],
            "n": [1.5, 2, 3],
            "rust": [0.1, np.nan, np.inf],
        }
    )
    with pytest.raises(SubmissionError) as error:
        sample.check(wrong, wanted, ["the writer's own"])
    said = str(error.value)
    assert "\n" not in said
    for part in (
        "the writer's own",
        "1 id more than once (9)",
        "2 ids of the sample missing (2, 3)",
        "1 id not in the sample (9)",
        "1 column of the sample missing: 'healthy' (near: 'Healty')",
        "1 column not in the sample: 'Healty' (near: 'healthy')",
        "column 'n' holds numbers (1.5) where the sample has whole numbers (1, 2 and 1 more)",
        "column 'rust' has 2 empty or infinite values",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("placeholder", "values", "fits"),
    [
        (["0"] * 3, [0.1, 0.2, 0.3], True),
        (["0"] * 3, [1, 2, 3], True),
        (["0"] * 3, ["cat", "dog", "cat"], False),
        (["0", "1", "0"], [0.1, 0.2, 0.3], True),
        (["0", "4", "0"], [0.1, 0.2, 0.3], False),
        (["0", "4", "0"], [1.0, 2.0, 3.0], True),
        (["0.5"] * 3, [1, 0, 1], True),
        (["0.5"] * 3, ["0.1", "0.2", "1"], True),
        (["0.5"] * 3, ["0.1", "0.2", "high"], False),
        (["maize"] * 3, ["wheat", "maize", "7"], True),
        (["maize"] * 3, [1, 2, 3], False),
        ([""] * 3, ["wheat", "maize", "7"], True),
        ([""] * 3, [0.1, 0.2, 0.3], True),
    ],
)
def test_check_kinds(placeholder: list[str], values: list[object], fits: bool) -> None:
    wanted = WANTED.assign(p=placeholder)
    submission = table(id=["001", "002", "003"], p=values)
    if fits:
        assert list(sample.check(submission, wanted)["p"]) == values
    else:
        with pytest.raises(SubmissionError, match=r"column 'p' holds .* where the sample has"):
            sample.check(submission, wanted)


@pytest.mark.parametrize("value", [np.nan, np.inf, None, "", " ", pd.NA])
def test_check_refuses_empty_values(value: object) -> None:
    submission = table(id=["001", "002", "003"], p=[0.1, 0.2, value])
    for wanted in (WANTED, WANTED.assign(p=""), None):
        with pytest.raises(SubmissionError, match="column 'p' has 1 empty"):
            sample.check(submission, wanted)


def test_check_columns() -> None:
    wanted = pd.DataFrame({"id": ["1"], "a": ["0"], "b": ["0"]})
    with pytest.raises(SubmissionError, match="in the order id, b, a, not id, a, b"):
        sample.check(table(id=["1"], b=[0], a=[0]), wanted)
    with pytest.raises(SubmissionError, match="1 column of the sample missing: 'id'"):
        sample.check(table(a=[0], b=[0]), wanted)
    with pytest.raises(SubmissionError, match="1 column not in the sample: 'c'"):
        sample.check(table(id=["1"], a=[0], b=[0], c=[0]), wanted)
    twice = pd.DataFrame([["1", 0, 0, 0]], columns=["id", "a", "b", "b"])
    for other in (wanted, None):
        with pytest.raises(SubmissionError, match=r"twice \(b\)"):
            sample.check(twice, other)
    with pytest.raises(SubmissionError, match="no columns"):
        sample.check(pd.DataFrame(), None)


def test_check_without_rows_in_the_sample() -> None:
    submission = table(id=["b", "a"], p=[1.0, 2.0])
    for wanted in (WANTED.iloc[:0], None):
        assert cells_of(sample.check(submission, wanted)) == cells_of(submission)
        with pytest.raises(SubmissionError, match=r"more than once \(a\)"):
            sample.check(table(id=["a", "a"], p=[1, 2]), wanted)


def test_check_ids_as_text() -> None:
    wanted = WANTED.assign(id=["1", "2", "3"])
    assert list(sample.check(table(id=[3, 2, 1], p=[0.3, 0.2, 0.1]), wanted)["id"]) == [
        "1",
        "2",
        "3",
    ]


def test_check_run_lengths_may_be_blank_and_have_several_rows_a_picture() -> None:
    wanted = pd.DataFrame({"ImageId": ["a", "b", "c"], "EncodedPixels": ["1 2"] * 3}, dtype=str)
    rows = table(ImageId=["c", "a", "b", "a"], EncodedPixels=["9 1", "5 1", "", "1 2"])
    assert cells_of(sample.check(rows, wanted))[1:] == [
        ["a", "5 1"],
        ["a", "1 2"],
        ["b", ""],
        ["c", "9 1"],
    ]
    with pytest.raises(SubmissionError, match="column 'EncodedPixels' has 1 empty"):
        sample.check(rows.replace("", None), wanted)
    with pytest.raises(SubmissionError, match="more than once"):
        sample.check(rows, wanted, shape=Shape(blank=frozenset({"EncodedPixels"})))


def test_check_keys_in_two_columns() -> None:
    wanted = pd.DataFrame(
        {"id": ["b", "b", "a", "a"], "class": ["x", "y", "x", "y"], "predicted": [""] * 4}
    )
    rows = table(id=["a", "a", "b", "b"], predicted=["", "1 2", "7 3", ""])
    rows.insert(1, "class", ["y", "x", "x", "y"])
    assert cells_of(sample.check(rows, wanted))[1:] == [
        ["b", "x", "7 3"],
        ["b", "y", ""],
        ["a", "x", "1 2"],
        ["a", "y", ""],
    ]
    with pytest.raises(SubmissionError, match=r"1 id of the sample missing \(b, y\)"):
        sample.check(rows.iloc[:3], wanted)


# Saving


def test_save_bytes(tmp_path: Path) -> None:
    path = tmp_path / "new" / "submission.csv"
    submission = pd.DataFrame(
        {
            "image id": ["007", "a,b.jpg", "NA"],
            "p": np.array([0.1, 1 / 3, 1.0], "float32"),
            "n": [1, 20, -3],
            "name": ["Sugar beet", 'the "x"', " é "],
        }
    )
    sample.save(submission, path)
    assert (
        path.read_bytes()
        == (
            'image id,p,n,name\n007,0.1,1,Sugar beet\n"a,b.jpg",0.3333333,20,"the ""x"""\n'
            "NA,1,-3, é \n"
        ).encode()
    )
    assert os.listdir(path.parent) == ["submission.csv"]
    first = path.read_bytes()
    sample.save(submission.astype({"p": "float64"}), str(path))
    assert path.read_bytes() == first


def test_save_a_header_only(tmp_path: Path) -> None:
    sample.save(WANTED.iloc[:0], tmp_path / "s.csv")
    assert (tmp_path / "s.csv").read_bytes() == b"id,p\n"


def test_save_keeps_the_old_file_when_it_cannot_write(tmp_path: Path) -> None:
    path = lay(tmp_path, "old", "submission.csv")
    for wrong, said in (
        (table(id=["a"], p=[np.nan]), "Column 'p'.*nan"),
        (table(id=["a"], p=[None]), "Column 'p'.*missing"),
        (table(id=["\udc80"], p=[1]), "Unicode"),
        (table(id=["a\0b"], p=[1]), "NUL"),
        (pd.DataFrame(), "read back"),
    ):
        with pytest.raises(SubmissionError, match=said):
            sample.save(wrong, path)
        assert path.read_text() == "old"
        assert os.listdir(tmp_path) == ["submission.csv"]


def test_save_where_nothing_can_be_written(tmp_path: Path) -> None:
    lay(tmp_path, "a file", "blocked")
    with pytest.raises(StorageError, match="blocked"):
        sample.save(WANTED, tmp_path / "blocked" / "submission.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(StorageError, match=r"folder\.csv"):
        sample.save(WANTED, tmp_path / "folder.csv")
    assert sorted(os.listdir(tmp_path)) == ["blocked", "folder.csv"]


def test_save_does_not_keep_a_file_that_reads_back_different(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lay(tmp_path, "old", "submission.csv")
    write = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", lambda self, data: write(self, data[:-3]))
    with pytest.raises(SubmissionError, match="read back, the file differs"):
        sample.save(WANTED, path)
    assert path.read_text() == "old"


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            TEXT.filter(str.strip),
            TEXT,
            st.integers(-(2**62), 2**62),
            st.floats(allow_nan=False, allow_infinity=False),
        ),
        unique_by=lambda row: row[0],
    ),
    names=st.lists(TEXT.filter(str.strip), min_size=4, max_size=4, unique=True),
)
def test_save_and_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, int, float]],
    names: list[str],
) -> None:
    names = [name.replace("\ufeff", "x") + str(place) for place, name in enumerate(names)]
    path = tmp_path_factory.mktemp("save") / "s.csv"
    submission = pd.DataFrame(rows, columns=names)
    sample.save(submission, path)
    with path.open(newline="", encoding="utf-8") as file:
        header, *lines = list(csv.reader(file))
    assert header == names
    assert [(line[0], line[1], int(line[2])) for line in lines] == [row[:3] for row in rows]
    found = pd.read_csv(path, keep_default_na=False, dtype={0: str, 1: str})
    np.testing.assert_allclose(
        found.iloc[:, 3].to_numpy("float64"), [row[3] for row in rows], rtol=5.1e-7, atol=1e-320
    )
    assert cells_of(sample.read(path))[0] == names
