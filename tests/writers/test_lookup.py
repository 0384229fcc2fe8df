from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kitbox.errors import SubmissionError
from kitbox.writers import sample as samples
from kitbox.writers.lookup import Lookup

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
TABLE = "RowId,ImageId,FeatureName\n1,a.jpg,left_eye_x\n2,a.jpg,left_eye_y\n3,b.jpg,left_eye_x\n"
PREDICTED = pd.DataFrame(
    {
        "id": ["b.jpg", "a.jpg", "c.jpg"],
        "left_eye_x": [3.0, 1.5, 9],
        "left_eye_y": [4.0, -2, 9],
        "nose_x": [0.0, 0, 0],
    }
)


def lay(folder: Path, content: str = TABLE, name: str = "IdLookupTable.csv") -> Path:
    (folder / name).write_text(content)
    return folder


def ask(*ids: str, column: str = "Location") -> pd.DataFrame:
    return pd.DataFrame({"RowId": list(ids), column: ["0.0"] * len(ids)}, dtype=str)


def test_rows_in_the_sample_s_order(tmp_path: Path) -> None:
    lay(tmp_path)
    made = Lookup().table(PREDICTED, ask("3", "1", "2"), tmp_path)
    assert made.to_dict("list") == {"RowId": ["3", "1", "2"], "Location": [3.0, 1.5, -2]}
    assert Lookup().ids(ask("3", "1", "2"), tmp_path) == ["b.jpg", "a.jpg"]
    assert Lookup().ids(ask("2", "1"), tmp_path) == ["a.jpg"]
    made = Lookup(clip=(0, 2), decimals=0).table(PREDICTED, ask("3", "1", "2"), tmp_path)
    assert made["Location"].tolist() == [2, 2, 0]


def test_without_a_sample_or_with_a_header_only(tmp_path: Path) -> None:
    lay(tmp_path)
    for sample in (None, ask()):
        made = Lookup().table(PREDICTED, sample, tmp_path)
        assert made.to_dict("list") == {"RowId": ["1", "2", "3"], "Location": [1.5, -2, 3.0]}
    assert Lookup().ids(ask(), tmp_path) == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize("ids", [["b", "a", "c"], ["b.jpg", "a.jpg", "c.jpg"]])
@pytest.mark.parametrize("ending", ["", ".jpg"])
def test_file_endings_may_lack_on_a_side(tmp_path: Path, ids: list[str], ending: str) -> None:
    lay(tmp_path, TABLE.replace(".jpg", ending))
    made = Lookup().table(PREDICTED.assign(id=ids), ask("3", "1", "2"), tmp_path)
    assert made["Location"].tolist() == [3.0, 1.5, -2]


@pytest.mark.parametrize(
    ("header", "options"),
    [
        ("RowId,ImageId,FeatureName", {}),
        ("row_id,image_name,coordinate", {}),
        ("Id,Photo,what", {}),
        ("RowId,File,Landmark Name", {}),
        ("x,y,z", {"row": "x", "feature": "z"}),
        ("x,y,z", {"row": "x", "picture": "y", "feature": "z"}),
    ],
)
def test_columns_are_told_by_their_names(
    tmp_path: Path, header: str, options: dict[str, str]
) -> None:
    content = TABLE.replace("RowId,ImageId,FeatureName", header)
    sample = ask("3", "1", "2").rename(columns={"RowId": header.split(",", maxsplit=1)[0]})
    made = Lookup(**options).table(PREDICTED, sample, lay(tmp_path, content))  # type: ignore[arg-type]
    assert made["Location"].tolist() == [3.0, 1.5, -2]


def test_other_columns_do_not_matter(tmp_path: Path) -> None:
    lines = [
        f"{line},{end}" for line, end in zip(TABLE.split(), ["Location", "", "", ""], strict=True)
    ]
    lay(tmp_path, "\n".join(lines), "table.csv")
    made = Lookup(lookup="table.csv").table(PREDICTED, ask("1"), tmp_path)
    assert made["Location"].tolist() == [1.5]


def test_features_written_differently(tmp_path: Path) -> None:
    lay(tmp_path, TABLE.replace("left_eye", "Left Eye"))
    made = Lookup().table(PREDICTED, ask("2"), tmp_path)
    assert made["Location"].tolist() == [-2]


def test_rows_that_the_table_lacks(tmp_path: Path) -> None:
    lay(tmp_path)
    with pytest.raises(SubmissionError, match=r"lacks 1 row id of the sample.*9.*`other`"):
        Lookup().table(PREDICTED, ask("1", "9"), tmp_path)
    with pytest.raises(SubmissionError, match="lacks 1 row id"):
        Lookup().ids(ask("1", "9"), tmp_path)
    made = Lookup(other=7.5, clip=(0, 1)).table(PREDICTED, ask("9", "1"), tmp_path)
    assert made["Location"].tolist() == [7.5, 1.0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "lookup table .* is not there"),
        ("", "is empty"),
        (b"\xff\xfe\x00garbage", "no csv"),
        ("RowId\n1\n", "one column only"),
        ("RowId,a,b\n1,x,y\n", "cannot be told which column .* the picture"),
        (
            "Id,ImageId,FeatureName\n1,a.jpg,left_eye_x\n1,b.jpg,left_eye_x\n",
            "1 row id more than once",
        ),
        (TABLE.replace("b.jpg", "z.jpg"), r"1 picture without a prediction.*z\.jpg"),
        (TABLE.replace("b.jpg", "b.png"), r"1 picture without a prediction.*b\.png"),
        (
            TABLE.replace("eye_y", "eye_z"),
            "1 feature that is not predicted.*left_eye_z.*'left_eye_y'",
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, content: str | bytes | None, said: str) -> None:
    if content is not None:
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / "IdLookupTable.csv").write_bytes(data)
    with pytest.raises(SubmissionError, match=said):
        Lookup().table(PREDICTED, ask("1", "2", "3").rename(columns={"RowId": "Id"}), tmp_path)


def test_options_that_do_not_fit_the_table(tmp_path: Path) -> None:
    lay(tmp_path)
    with pytest.raises(SubmissionError, match=r"no column 'Image'.*'ImageId'"):
        Lookup(picture="Image").table(PREDICTED, None, tmp_path)
    with pytest.raises(SubmissionError, match="name a column twice"):
        Lookup(picture="ImageId", feature="ImageId").table(PREDICTED, None, tmp_path)
    with pytest.raises(SubmissionError, match="not the shape that lookup writes"):
        Lookup().table(PREDICTED, ask("1").assign(more="1"), tmp_path)


@settings(max_examples=50, deadline=None)
@given(
    pairs=st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), min_size=1, unique=True
    ),
    values=st.lists(st.floats(-1e3, 1e3, width=32), min_size=9, max_size=9),
    data=st.data(),
)
def test_every_row_holds_its_picture_s_feature(
    tmp_path_factory: pytest.TempPathFactory,
    pairs: list[tuple[str, str]],
    values: list[float],
    data: st.DataObject,
) -> None:
    folder = tmp_path_factory.mktemp("lookup")
    lines = [f"r{n},{one},{feature}" for n, (one, feature) in enumerate(pairs)]
    lay(folder, "\n".join(["RowId,ImageId,FeatureName", *data.draw(st.permutations(lines))]))
    numbers = np.array(values).reshape(3, 3)
    table = pd.DataFrame(numbers, columns=list("xyz")).assign(id=list("abc"))
    rows = data.draw(st.permutations(range(len(pairs))))
    made = Lookup().table(table, ask(*(f"r{n}" for n in rows)), folder)
    assert made["RowId"].tolist() == [f"r{n}" for n in rows]
    for row, number in zip(made["RowId"], made["Location"], strict=True):
        one, feature = pairs[int(row[1:])]
        assert number == numbers["abc".index(one), "xyz".index(feature)]


@pytest.mark.parametrize("bare", [False, True])
def test_faces68(tmp_path: Path, bare: bool) -> None:
    folder = DATA / "faces68"
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} is missing")
    sample = samples.read(folder / "sample_submission_lookup.csv")
    ids = Lookup().ids(sample, folder)
    assert ids == sorted(path.name for path in (folder / "test").glob("*.jpg"))
    names = [f"{axis}{n}" for n in range(68) for axis in "xy"]
    values = np.random.default_rng(0).random((len(ids), len(names))) * 100
    table = pd.DataFrame(values, columns=names)
    table["id"] = [one.removesuffix(".jpg") if bare else one for one in ids]
    samples.save(Lookup().table(table, sample, folder), tmp_path / "s.csv")
    found = pd.read_csv(tmp_path / "s.csv").merge(pd.read_csv(folder / "IdLookupTable.csv"))
    assert len(found) == 7700
    wanted = [
        values[ids.index(one), names.index(feature)]
        for one, feature in zip(found["ImageId"], found["FeatureName"], strict=True)
    ]
    np.testing.assert_allclose(found["Location"], wanted, rtol=1e-6)


def test_predictions_that_no_row_asks_for_are_remarked(tmp_path: Path) -> None:
    lay(tmp_path)
    (note,) = Lookup().remark(PREDICTED, ask("3", "1", "2"), tmp_path)
    assert "'nose_x': it is left out" in note
    (note,) = Lookup().remark(PREDICTED, ask("1", "3"), tmp_path)
    assert "'left_eye_y', 'nose_x'" in note
