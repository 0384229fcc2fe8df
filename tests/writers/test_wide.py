import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from kitbox.errors import SubmissionError
from kitbox.writers import sample as samples
from kitbox.writers.wide import Wide

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
FILES = Path("nowhere")  # a row per picture needs none of the source's files


def predict(ids: list[str], **columns: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"id": ids} | columns)


def lay(folder: Path, content: str) -> pd.DataFrame:
    path = folder / "sample_submission.csv"
    path.write_bytes(content.encode())
    return samples.read(path)


def cells_of(table: pd.DataFrame) -> list[list[object]]:
    return [list(table.columns), *table.to_numpy(dtype=object).tolist()]


def refused(writer: Wide, predictions: pd.DataFrame, sample: pd.DataFrame | None) -> str:
    with pytest.raises(SubmissionError) as error:
        writer.table(predictions, sample, FILES)
    return str(error.value)


SAMPLE = "image_id,healthy,multiple_diseases,rust\nTest_0,0.25,0.25,0.25\nTest_1,0.25,0.25,0.25\n"


def test_the_samples_rows_and_columns_in_its_order(tmp_path: Path) -> None:
    sample = lay(tmp_path, SAMPLE)
    predictions = predict(
        ["Test_1", "Test_0"], rust=[0.1, 0.2], healthy=[0.3, 0.4], multiple_diseases=[0.6, 0.4]
    )
    before = predictions.copy()
    table = Wide().table(predictions, sample, FILES)
    assert cells_of(table) == [
        ["image_id", "healthy", "multiple_diseases", "rust"],
        ["Test_0", 0.4, 0.4, 0.2],
        ["Test_1", 0.3, 0.6, 0.1],
    ]
    pd.testing.assert_frame_equal(predictions, before)
    pd.testing.assert_frame_equal(samples.check(table, sample), table)


def test_dog_breeds_from_sample_to_bytes(tmp_path: Path) -> None:
    content = "\ufeffid,affenpinscher,black-and-tan_coonhound\r\n000bec,0.0083,0.0083\r\n"
    sample = lay(tmp_path, content)
    table = Wide().table(
        predict(["000bec"], affenpinscher=[0.125], **{"black-and-tan_coonhound": [0.875]}),
        sample,
        FILES,
    )
    samples.save(table, tmp_path / "submission.csv")
    assert (tmp_path / "submission.csv").read_bytes() == (
        b"id,affenpinscher,black-and-tan_coonhound\n000bec,0.125,0.875\n"
    )


def test_ranzcr_names_with_spaces_and_zeros_for_probabilities(tmp_path: Path) -> None:
    sample = lay(tmp_path, "StudyInstanceUID,ETT - Abnormal,CVC - Normal\n1.2.826.0,0,0\n007,0,0\n")
    exact = predict(
        ["1.2.826.0", "007"], **{"CVC - Normal": [0.1, 0.2], "ETT - Abnormal": [0.3, 0.4]}
    )
    assert cells_of(Wide().table(exact, sample, FILES)) == [
        ["StudyInstanceUID", "ETT - Abnormal", "CVC - Normal"],
        ["1.2.826.0", 0.3, 0.1],
        ["007", 0.4, 0.2],
    ]


def test_names_that_differ_in_case_and_spaces_only(tmp_path: Path) -> None:
    sample = lay(tmp_path, SAMPLE)
    loose = {"Healthy": [0.5, 0.6], "Multiple Diseases": [0.2, 0.3], "RUST": [0.3, 0.1]}
    table = Wide().table(predict(["Test_0", "Test_1"], **loose), sample, FILES)
    assert cells_of(table)[:2] == [
        ["image_id", "healthy", "multiple_diseases", "rust"],
        ["Test_0", 0.5, 0.2, 0.3],
    ]


def test_an_exact_name_comes_before_a_similar_one() -> None:
    sample = pd.DataFrame({"id": ["1"], "A": ["0"], "a": ["0"]})
    assert cells_of(Wide().table(predict(["1"], a=[0.1], A=[0.9]), sample, FILES))[1] == [
        "1",
        0.9,
        0.1,
    ]
    sample = pd.DataFrame({"id": ["1"], "A": ["0"], "b": ["0"]})
    said = refused(Wide(), predict(["1"], a=[0.1], A=[0.9], b=[0]), sample)
    assert "1 column not in the sample: 'a'" in said
    assert "missing" not in said


def test_names_that_could_be_either_are_refused() -> None:
    sample = pd.DataFrame({"id": ["1"], "lily valley": ["0"]})
    said = refused(Wide(), predict(["1"], Lily_valley=[0.1], lily_Valley=[0.9]), sample)
    assert "'lily valley' could be any of the predictions Lily_valley, lily_Valley" in said
    sample = pd.DataFrame({"id": ["1"], "Lily valley": ["0"], "lily_Valley": ["0"]})
    said = refused(Wide(), predict(["1"], lily_valley=[0.1]), sample)
    assert "column 'Lily valley' could be" in said


def test_classes_called_differently_show_both_sides(tmp_path: Path) -> None:
    said = refused(
        Wide(),
        predict(["Test_0", "Test_9"], helthy=[0.1, 0.1], scab=[0.1, 0.1], rust=[0.1, 0.1]),
        lay(tmp_path, SAMPLE),
    )
    for part in (
        "2 columns of the sample missing: 'healthy' (near: 'helthy'), 'multiple_diseases'",
        "2 columns not in the sample: 'helthy' (near: 'healthy'), 'scab'",
        "1 id of the sample missing (Test_1)",
        "1 id not in the sample (Test_9)",
    ):
        assert part in said


def test_columns_say_which_and_leave_out_the_rest(tmp_path: Path) -> None:
    sample = lay(tmp_path, SAMPLE)
    four = predict(["Test_0", "Test_1"], h=[0.1, 0.2], m=[0.3, 0.4], r=[0.5, 0.6], rust=[9, 9])
    asked = {"healthy": "h", "multiple_diseases": "m", "rust": "r"}
    assert cells_of(Wide(columns=asked).table(four, sample, FILES))[2] == ["Test_1", 0.2, 0.4, 0.6]
    # As long as one column is left to its own name, nothing is left out.
    said = refused(Wide(columns={"healthy": "h", "rust": "r"}), four, sample)
    assert "1 column of the sample missing: 'multiple_diseases'" in said
    assert "1 column not in the sample: 'm'." in said
    # But what `columns` chose another for is.
    chosen = Wide(columns={"rust": "r"}).table(
        four.rename(columns={"h": "healthy", "m": "multiple diseases"}), sample, FILES
    )
    assert cells_of(chosen)[2] == ["Test_1", 0.2, 0.4, 0.6]


def test_columns_that_do_not_exist(tmp_path: Path) -> None:
    predictions = predict(
        ["Test_0", "Test_1"], healthy=[0, 0], multiple_diseases=[0, 0], rust=[1, 1]
    )
    said = refused(
        Wide(columns={"healty": "healthy", "rust": "rusty"}), predictions, lay(tmp_path, SAMPLE)
    )
    assert "prediction 'rusty' that does not exist (Did you mean 'rust'?)" in said
    assert "column 'healty' that the sample has not (Did you mean 'healthy'?)" in said


def test_without_a_sample() -> None:
    predictions = predict(["b", "a"], x=[1, 2], y=[3, 4])
    assert cells_of(Wide().table(predictions, None, FILES)) == [
        ["id", "x", "y"],
        ["b", 1, 3],
        ["a", 2, 4],
    ]
    table = Wide(key="image", columns={"healthy": "y"}).table(predictions, None, FILES)
    assert list(table.columns) == ["image", "x", "healthy"]
    assert "has the name of an output" in refused(Wide(key="x"), predictions, None)
    assert "to the name of another" in refused(Wide(columns={"x": "y"}), predictions, None)
    both = Wide(columns={"p": "y", "q": "y"})
    assert "uses 'y' for 'p' and 'q'" in refused(both, predictions, None)


def test_a_sample_without_rows() -> None:
    sample = pd.DataFrame({"image_id": [], "b": [], "a": []}, dtype=str)
    table = Wide().table(predict(["2", "1"], a=[0.1, 0.2], b=[0.3, 0.4]), sample, FILES)
    assert cells_of(table) == [["image_id", "b", "a"], ["2", 0.3, 0.1], ["1", 0.4, 0.2]]


def test_rows_that_do_not_fit() -> None:
    sample = pd.DataFrame({"id": ["0.jpg", "1.jpg"], "a": ["0", "0"]})
    assert "agree without their file endings" in refused(
        Wide(), predict(["0", "1"], a=[0, 0]), sample
    )
    assert "more than once (0.jpg)" in refused(
        Wide(), predict(["0.jpg", "0.jpg", "1.jpg"], a=[0, 0, 0]), sample
    )
    assert "1 rows (1.jpg), columns a" in refused(
        Wide(clip=(0, 1)), predict(["0.jpg", "1.jpg"], a=[0, math.inf]), sample
    )


def test_numbers_are_clipped_then_normalised_then_rounded() -> None:
    predictions = predict(["1", "2"], a=[-1, 0.9], b=[0.6, 0.3], c=[0.2, 0.1])
    table = Wide(clip=(0, 1), normalize=True, decimals=3).table(predictions, None, FILES)
    assert cells_of(table)[1:] == [["1", 0, 0.75, 0.25], ["2", 0.692, 0.231, 0.077]]
    assert cells_of(Wide(clip=(0, 0.5)).table(predictions, None, FILES))[2] == ["2", 0.5, 0.3, 0.1]


def test_only_what_is_written_is_normalised() -> None:
    sample = pd.DataFrame({"id": ["1"], "a": ["0.5"], "b": ["0.5"]})
    writer = Wide(columns={"a": "a", "b": "b"}, normalize=True)
    assert cells_of(writer.table(predict(["1"], a=[0.1], b=[0.3], other=[0.6]), sample, FILES))[
        1
    ] == [
        "1",
        pytest.approx(0.25),
        pytest.approx(0.75),
    ]


@pytest.mark.parametrize("row", [[0.0, 0.0], [-0.5, 1.0]])
def test_rows_that_cannot_be_normalised(row: list[float]) -> None:
    predictions = predict(["good", "bad"], a=[1, row[0]], b=[1, row[1]])
    said = refused(Wide(normalize=True), predictions, None)
    assert "such rows: bad." in said
    assert "good" not in said
    fixed = Wide(normalize=True, clip=(0.01, 1)).table(predictions, None, FILES)
    assert fixed[["a", "b"]].sum(axis=1).tolist() == pytest.approx([1, 1])


def test_rounding_makes_whole_numbers_where_they_are_wanted() -> None:
    sample = pd.DataFrame({"id": ["1", "2"], "n": ["3", "7"]})
    predictions = predict(["1", "2"], n=[3.4, 2.6])
    assert "has whole numbers" in refused(Wide(), predictions, sample)
    assert cells_of(Wide(decimals=0).table(predictions, sample, FILES))[1:] == [["1", 3], ["2", 3]]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"clip": [1, 0]}, "lower bound"),
        ({"decimals": -1}, "greater than or equal to 0"),
        ({"normalise": True}, "normalise"),
        ({"key": ""}, "at least 1"),
    ],
)
def test_options_are_checked(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Wide(**options)


@settings(max_examples=40, deadline=None)
@given(data=st.data(), rows=st.integers(1, 6), columns=st.integers(1, 5))
def test_written_and_read_back_by_pandas(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, rows: int, columns: int
) -> None:
    numbers = np.array(
        data.draw(
            st.lists(
                st.lists(st.floats(0, 1, width=32), min_size=columns, max_size=columns),
                min_size=rows,
                max_size=rows,
            )
        ),
        "float32",
    )
    ids = [f"{row:03}.jpg" for row in range(rows)]
    names = [f"class {n}" for n in range(columns)]
    shuffled = data.draw(st.permutations(range(rows)))
    sample = pd.DataFrame({"image": ids} | {name: ["0.5"] * rows for name in names})
    predictions = pd.DataFrame(numbers, columns=names).assign(id=ids).iloc[shuffled]
    path = tmp_path_factory.mktemp("wide") / "submission.csv"
    samples.save(Wide().table(predictions[[*names[::-1], "id"]], sample, FILES), path)
    found = pd.read_csv(path, index_col="image")
    assert list(found.index) == ids
    assert list(found.columns) == names
    np.testing.assert_allclose(found.to_numpy(), numbers, rtol=5.1e-7, atol=1e-44)


@pytest.mark.parametrize("name", ["flowers17", "bccd", "faces68"])
def test_real_samples(name: str, tmp_path: Path) -> None:
    path = DATA / name / "sample_submission.csv"
    if not path.is_file():
        pytest.skip(f"no real data: {path} is missing")
    sample = samples.read(path)
    numbers = np.random.default_rng(0).random((len(sample), len(sample.columns) - 1), "float32")
    predictions = pd.DataFrame(numbers, columns=sample.columns[1:])
    predictions["id"] = list(sample.iloc[:, 0])
    samples.save(
        Wide().table(predictions.iloc[::-1, ::-1], sample, FILES), tmp_path / "submission.csv"
    )
    found = pd.read_csv(tmp_path / "submission.csv", dtype={samples.key(sample): str})
    asked = pd.read_csv(path, dtype={samples.key(sample): str})
    assert list(found.columns) == list(asked.columns)
    assert list(found.iloc[:, 0]) == list(asked.iloc[:, 0])
    np.testing.assert_allclose(found.iloc[:, 1:].to_numpy(), numbers, rtol=5.1e-7)


def test_a_hundred_thousand_rows(tmp_path: Path) -> None:
    rows = 100_000
    ids = [f"{row:06}" for row in range(rows)]
    sample = pd.DataFrame({"id": ids, "a": ["0"] * rows, "b": ["0"] * rows})
    a = np.random.default_rng(0).random(rows)
    predictions = pd.DataFrame({"id": ids, "b": 1 - a, "a": a}).sample(frac=1, random_state=0)
    path = tmp_path / "submission.csv"
    samples.save(Wide().table(predictions, sample, FILES), path)
    found = pd.read_csv(path, dtype={"id": str})
    assert list(found["id"]) == ids
    np.testing.assert_allclose(found["a"], a, rtol=5.1e-7)
    np.testing.assert_allclose(found["b"], 1 - a, rtol=5.1e-7)


def test_predictions_that_the_sample_does_not_ask_for_are_remarked() -> None:
    given = pd.DataFrame({"id": ["a"], "x": [1.0], "y": [2.0], "z": [3.0]})
    sample = pd.DataFrame({"id": ["a"], "y": ["0"]})
    (note,) = Wide(columns={"y": "y"}).remark(given, sample, Path())
    assert "'x', 'z': they are left out" in note
    whole = pd.DataFrame({"id": ["a"], "y": ["0"], "X": ["0"], "z": ["0"]})
    assert Wide().remark(given, whole, Path()) == []


def test_joined_keys_and_a_column_that_nobody_predicts(tmp_path: Path) -> None:
    sample = lay(tmp_path, "Patient_Week,FVC,Confidence\nb_1_-12,0,9\na_3,0,9\nb_1_0,0,9\n")
    writer = Wide(keys="joined", fill={"Confidence": 250})
    assert writer.ids(sample, FILES) == ["b_1", "a"]
    made = writer.table(predict(["a", "b_1"], FVC=[2.5, 7]), sample, FILES)
    assert cells_of(made) == [
        ["Patient_Week", "FVC", "Confidence"],
        ["b_1_-12", 7, 250],
        ["a_3", 2.5, 250],
        ["b_1_0", 7, 250],
    ]
    assert "b_1" in refused(writer, predict(["a"], FVC=[2.5]), sample)
    assert "stranger" in refused(writer, predict(["a", "b_1", "stranger"], FVC=[1, 2, 3]), sample)
    assert "names a column 'Confident'" in refused(
        Wide(keys="joined", fill={"Confident": 1}), predict(["a"], FVC=[1]), sample
    )
    loose = lay(tmp_path, "id,FVC\nab,0\n")
    with pytest.raises(SubmissionError, match="keys without '_'"):
        Wide(keys="joined").ids(loose, FILES)


def test_filled_columns_keep_the_sample_s_order(tmp_path: Path) -> None:
    sample = lay(tmp_path, "id,x,a,y,b\nq,0,0,0,0\n")
    made = Wide(fill={"y": 3, "x": 1.5}).table(predict(["q"], b=[4.0], a=[2.0]), sample, FILES)
    assert cells_of(made) == [["id", "x", "a", "y", "b"], ["q", 1.5, 2.0, 3.0, 4.0]]
    with pytest.raises(ValueError, match="so does `columns`"):
        Wide(fill={"x": 1}, columns={"x": "a"})
