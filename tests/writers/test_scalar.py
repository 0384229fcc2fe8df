from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from kitbox.errors import SubmissionError
from kitbox.options import explain
from kitbox.writers import sample as samples
from kitbox.writers.scalar import Scalar

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
FILES = Path("nowhere")  # a row per picture needs none of the source's files


def predict(*names: str, rows: int = 2) -> pd.DataFrame:
    """Predictions whose row i is highest, 0.75, in column i; each other is 0.25."""
    numbers = np.full((rows, len(names)), 0.25)
    numbers[np.arange(rows), np.arange(rows) % len(names)] = 0.75
    table = pd.DataFrame(numbers, columns=list(names))
    return table.assign(id=[f"{row}.jpg" for row in range(rows)])


def ask(*cells: str, column: str = "label") -> pd.DataFrame:
    ids = [f"{row}.jpg" for row in range(len(cells))]
    return pd.DataFrame({"image_id": ids, column: list(cells)}, dtype=str)


def values(writer: Scalar, predictions: pd.DataFrame, sample: pd.DataFrame | None) -> list[object]:
    table = writer.table(predictions, sample, FILES)
    pd.testing.assert_frame_equal(samples.check(table, sample), table)
    return table.iloc[:, 1].tolist()


def refused(writer: Scalar, predictions: pd.DataFrame, sample: pd.DataFrame | None) -> str:
    with pytest.raises(SubmissionError) as error:
        writer.table(predictions, sample, FILES)
    return str(error.value)


# The rows of shared/KAGGLE.md that scalar covers, from the sample's bytes to the submission's.


@pytest.mark.parametrize(
    ("options", "sample", "predictions", "written"),
    [
        pytest.param(
            {},
            "id,label\n0b2ea2a8,0\n0095,0\n",
            {"0": [0.75, 0.5], "1": [0.25, 0.5], "id": ["0095", "0b2ea2a8"]},
            "id,label\n0b2ea2a8,0.5\n0095,0.25\n",
            id="histopathologic",
        ),
        pytest.param(
            {"positive": "dog"},
            "id,label\r\n1,0.5\r\n2,0.5\r\n",
            {"id": ["1", "2"], "cat": [0.75, 0.5], "dog": [0.25, 0.5]},
            "id,label\n1,0.25\n2,0.5\n",
            id="dogs-vs-cats",
        ),
        pytest.param(
            {},
            "image_name,target\nISIC_0052060,0\nISIC_0052349,0\n",
            {"id": ["ISIC_0052349", "ISIC_0052060"], "target": [0.125, 1]},
            "image_name,target\nISIC_0052060,1\nISIC_0052349,0.125\n",
            id="melanoma-one-output",
        ),
        pytest.param(
            {"positive": "MEL"},
            "image_name,target\nISIC_0052060,0\n",
            {"id": ["ISIC_0052060"], "BCC": [0.25], "MEL": [0.125], "NV": [0.625]},
            "image_name,target\nISIC_0052060,0.125\n",
            id="melanoma-many-classes",
        ),
        pytest.param(
            {},
            "id,has_cactus\n000940378805c44108d287872b2f04ce.jpg,0.5\n",
            {
                "id": ["000940378805c44108d287872b2f04ce.jpg"],
                "cactus": [0.25],
                "no_cactus": [0.75],
            },
            "id,has_cactus\n000940378805c44108d287872b2f04ce.jpg,0.25\n",
            id="cactus",
        ),
        pytest.param(
            {"round": True, "clip": [0, 4]},
            "id_code,diagnosis\n0005cfc8afb6,0\n003f0afdcd15,0\n00,0\n",
            {"id": ["0005cfc8afb6", "003f0afdcd15", "00"], "diagnosis": [1.7, 4.6, -0.4]},
            "id_code,diagnosis\n0005cfc8afb6,2\n003f0afdcd15,4\n00,0\n",
            id="aptos-regression",
        ),
        pytest.param(
            {},
            "id_code,diagnosis\n0005cfc8afb6,0\n",
            {"id": ["0005cfc8afb6"], "0": [0.1], "1": [0.2], "2": [0.3], "10": [0.4]},
            "id_code,diagnosis\n0005cfc8afb6,10\n",
            id="aptos-classes",
        ),
        pytest.param(
            {},
            "\ufeffimage_id,label\n2216849948.jpg,4\n",
            {"id": ["2216849948.jpg"], **{str(n): [float(n == 3)] for n in range(5)}},
            "image_id,label\n2216849948.jpg,3\n",
            id="cassava",
        ),
        pytest.param(
            {},
            "Id,Predicted\n0,42\n1,42\n",
            {"id": ["0", "1"], "9": [0.1, 0.9], "15504": [0.9, 0.1], "42": [0, 0]},
            "Id,Predicted\n0,15504\n1,9\n",
            id="herbarium",
        ),
        pytest.param(
            {},
            "file,species\n1b490196c.png,Sugar beet\n85431c075.png,Sugar beet\n",
            {
                "id": ["85431c075.png", "1b490196c.png"],
                "Sugar beet": [0.9, 0.2],
                "Shepherds Purse": [0.1, 0.8],
            },
            "file,species\n1b490196c.png,Shepherds Purse\n85431c075.png,Sugar beet\n",
            id="plant-seedlings",
        ),
        pytest.param(
            {"kind": "class"},
            "image_id,label\n200001.jpg,\n200002.jpg,\n",
            {"id": ["200001.jpg", "200002.jpg"], "normal": [0.9, 0.2], "tungro": [0.1, 0.8]},
            "image_id,label\n200001.jpg,normal\n200002.jpg,tungro\n",
            id="paddy-blank-cells",
        ),
        pytest.param(
            {"clip": [1, 100], "decimals": 1},
            "Id,Pawpularity\n43a2262d7738e3d420d453815151079e,75.5\n8f4b,12.2\n",
            {"id": ["43a2262d7738e3d420d453815151079e", "8f4b"], "Pawpularity": [38.24, 101.5]},
            "Id,Pawpularity\n43a2262d7738e3d420d453815151079e,38.2\n8f4b,100\n",
            id="pawpularity",
        ),
        pytest.param(
            {"kind": "class"},
            "id,label\n",
            {"id": ["b.jpg", "a.jpg"], "x": [0.9, 0.2], "y": [0.1, 0.8]},
            "id,label\nb.jpg,x\na.jpg,y\n",
            id="empty-sample",
        ),
    ],
)
def test_shapes(
    tmp_path: Path,
    options: dict[str, object],
    sample: str,
    predictions: dict[str, list[object]],
    written: str,
) -> None:
    (tmp_path / "sample_submission.csv").write_bytes(sample.encode())
    asked = samples.read(tmp_path / "sample_submission.csv")
    table = Scalar(**options).table(pd.DataFrame(predictions), asked, FILES)
    samples.save(table, tmp_path / "submission.csv")
    assert (tmp_path / "submission.csv").read_bytes() == written.encode()


# What `auto` decides, rule by rule.


@pytest.mark.parametrize(
    ("names", "sample", "expected"),
    [
        (("x",), ask("0", "0"), [0.75, 0.75]),
        (("x",), ask("7.5", "8"), [0.75, 0.75]),
        (("x",), ask(), [0.75, 0.75]),
        (("x",), None, [0.75, 0.75]),
        (("cat", "dog"), None, ["cat", "dog"]),
        (("0", "1"), None, [0, 1]),
        (("3", "1", "2"), ask(), [3, 1]),
        (("3", "1", "2"), ask("", ""), [3, 1]),
        (("cat", "dog"), ask("dog", "dog"), ["cat", "dog"]),
        (("a b", "c", "7"), ask("7", "c"), ["a b", "c"]),
        (("0", "1"), ask("0", "0"), [0.25, 0.75]),
        (("1", "0"), ask("0", "0"), [0.75, 0.25]),
        (("0", "1"), ask("0.5", "0.5"), [0.25, 0.75]),
        (("0", "1"), ask("0.0", "1.0"), [0.25, 0.75]),
        (("1", "-1"), ask("0.5", "0.5"), [0.75, 0.25]),
        (("Yes", "No"), ask("0", "0"), [0.75, 0.25]),
        (("negative", "positive"), ask("1", "1"), [0.25, 0.75]),
        (("1", "2"), ask("1", "1"), [1, 2]),
        (("1", "2"), ask("1", "2"), [1, 2]),
        (("0", "1", "2"), ask("0", "0"), [0, 1]),
        (("0", "1", "2"), ask("0", "1"), [0, 1]),
        (("5", "6", "7"), ask("0", "0"), [5, 6]),
    ],
)
def test_auto(names: tuple[str, ...], sample: pd.DataFrame | None, expected: list[object]) -> None:
    found = values(Scalar(), predict(*names), sample)
    assert found == expected
    assert [isinstance(v, str) for v in found] == [isinstance(v, str) for v in expected]


@pytest.mark.parametrize(
    ("names", "sample"),
    [
        (("cat", "dog"), ask()),
        (("0", "1"), ask()),
        (("a", "b", "c"), ask()),
        (("a", "b", "c"), ask("", "")),
        (("cat", "dog"), ask("Dog", "Dog")),
        (("a", "b", "c"), ask("a", "d")),
        (("haze", "primary"), ask("haze primary", "haze primary")),
        (("0", "1"), ask("0", "1")),
        (("cat", "dog"), ask("0", "1")),
        (("cat", "dog"), ask("7", "7")),
        (("1", "2"), ask("0", "5")),
        (("a", "b", "c"), ask("0", "0")),
        (("a", "b", "c"), ask("0.5", "0.5")),
        (("0", "1", "2"), ask("0.5", "0.5")),
        (("cat", "dog"), ask("2.5", "2.5")),
    ],
)
def test_auto_asks_where_it_cannot_tell(names: tuple[str, ...], sample: pd.DataFrame) -> None:
    said = refused(Scalar(), predict(*names), sample)
    assert "cannot be told which value" in said
    for word in ("kind: class", "kind: index", "kind: probability", "positive", *names):
        assert word in said


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"kind": "class"}, ["cat", "dog"]),
        ({"kind": "index"}, [0, 1]),
        ({"classes": ["dog", "owl", "cat"]}, [2, 0]),
        ({"positive": "cat"}, [0.75, 0.25]),
        ({"positive": "cat", "threshold": 0.75}, [1, 0]),
        ({"kind": "probability", "positive": "dog", "clip": [0.3, 0.7]}, [0.3, 0.7]),
    ],
)
def test_options_tell_what_the_sample_does_not(
    options: dict[str, object], expected: list[object]
) -> None:
    assert values(Scalar(**options), predict("cat", "dog"), ask("", "")) == expected


# Each kind by itself.


def test_probability_asks_for_the_positive_class() -> None:
    for names in (("cat", "dog"), ("yes", "true"), ("1", "2"), ("a", "b", "c")):
        said = refused(Scalar(kind="probability"), predict(*names), None)
        assert "which class the probability is of" in said
        assert "`positive`" in said
        assert all(name in said for name in names)


@pytest.mark.parametrize("names", [("dog",), ("cat", "dog"), ("cat", "dog", "owl")])
def test_a_positive_class_that_is_not_there(names: tuple[str, ...]) -> None:
    assert "Did you mean 'dog'?" in refused(Scalar(positive="dogs"), predict(*names), ask("0", "0"))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("True", "False"), [0.75, 0.25]),
        (("neg", "pos"), [0.25, 0.75]),
        (("healthy", "Positive"), [0.25, 0.75]),
        (("No Ship", "ship"), [0.25, 0.75]),
        (("anything",), [0.75, 0.75]),
    ],
)
def test_the_positive_class_is_known_by_its_name(
    names: tuple[str, ...], expected: list[float]
) -> None:
    assert values(Scalar(kind="probability"), predict(*names), None) == expected


def test_probability_refuses_other_numbers() -> None:
    predictions = pd.DataFrame({"id": ["a", "b", "c"], "x": [0.5, 1.5, -0.5]})
    said = refused(Scalar(kind="probability"), predictions, None)
    assert "1.5 for b, -0.5 for c" in said
    assert values(Scalar(kind="probability", clip=(0, 1)), predictions, None) == [0.5, 1, 0]
    a_hair = pd.DataFrame({"id": ["a"], "x": [1 + 1e-6]})
    assert values(Scalar(kind="probability"), a_hair, None) == [1]


def test_number_wants_one_column() -> None:
    assert "found: 2, a, b" in refused(Scalar(kind="number"), predict("a", "b"), None).lower()


def test_class_names_as_they_are() -> None:
    assert values(Scalar(kind="class"), predict("007", "7"), None) == ["007", "7"]
    assert values(Scalar(kind="class"), predict("-1", "10"), None) == [-1, 10]
    big = str(10**30)
    assert values(Scalar(kind="class"), predict(big, "1"), None) == [big, "1"]
    assert "holds text (cat)" in refused(Scalar(kind="class"), predict("cat", "dog"), ask("0", "0"))


def test_the_first_of_equal_columns_is_the_class() -> None:
    even = pd.DataFrame({"id": ["a"], "y": [0.5], "x": [0.5]})
    assert values(Scalar(kind="class"), even, None) == ["y"]


def test_index_in_sorted_order_or_as_given() -> None:
    assert values(Scalar(kind="index"), predict("pug", "Akita", "beagle", rows=3), None) == [
        2,
        0,
        1,
    ]
    assert values(Scalar(kind="index"), predict("10", "9", "100", rows=3), None) == [1, 0, 2]
    writer = Scalar(kind="index", classes=["pug", "beagle", "owl"])
    assert values(writer, predict("beagle", "owl", "pug", rows=3), None) == [1, 2, 0]
    said = refused(writer, predict("beagle", "Pug"), None)
    assert "lack classes of the predictions: Pug" in said


def test_numbers_are_clipped_then_finished() -> None:
    predictions = pd.DataFrame({"id": list("abcde"), "x": [-1, 0.5, 1.5, 2.56, 9]})
    assert values(Scalar(clip=(0, 4)), predictions, None) == [0, 0.5, 1.5, 2.56, 4]
    assert values(Scalar(clip=(0, 4), round=True), predictions, None) == [0, 0, 2, 3, 4]
    assert values(Scalar(decimals=1), predictions, None) == [-1, 0.5, 1.5, 2.6, 9]
    assert values(Scalar(threshold=1.5), predictions, None) == [0, 0, 1, 1, 1]
    assert values(Scalar(threshold=0), predictions, None) == [0, 1, 1, 1, 1]


def test_whole_numbers_where_the_sample_has_them() -> None:
    predictions = pd.DataFrame({"id": ["0.jpg", "1.jpg"], "grade": [1.2, 2.9]})
    assert "has whole numbers" in refused(Scalar(), predictions, ask("0", "3"))
    assert values(Scalar(round=True), predictions, ask("0", "3")) == [1, 3]


def test_names_without_a_sample() -> None:
    table = Scalar(key="file", column="species").table(predict("a", "b"), None, FILES)
    assert list(table.columns) == ["file", "species"]
    assert list(table["file"]) == ["0.jpg", "1.jpg"]


def test_a_sample_of_another_shape_names_wide() -> None:
    said = refused(Scalar(), predict("a", "b"), ask("0", "0").assign(other="0"))
    assert "image_id, label, other" in said
    assert "wide" in said


def test_rows_that_do_not_fit() -> None:
    said = refused(Scalar(), predict("x", rows=3), ask("0", "0"))
    assert "1 id not in the sample (2.jpg)" in said
    said = refused(Scalar(), predict("x", rows=2), ask("0", "0", "0"))
    assert "1 id of the sample missing (2.jpg)" in said
    doubled = pd.concat([predict("x"), predict("x", rows=1)])
    assert "more than once (0.jpg)" in refused(Scalar(), doubled, ask("0", "0"))
    said = refused(Scalar(kind="class"), predict("a", "b").replace(0.75, np.nan), None)
    assert "NaN or infinite in 2 rows (0.jpg, 1.jpg)" in said


@pytest.mark.parametrize(
    ("options", "where", "said"),
    [
        ({"kind": "class", "round": True}, "round", "no meaning with kind: class"),
        ({"kind": "index", "threshold": 0.0}, "threshold", "no meaning with kind: index"),
        ({"kind": "number", "positive": "a"}, "positive", "no meaning with kind: number"),
        ({"kind": "probability", "classes": ["a"]}, "classes", "no meaning"),
        ({"round": True, "threshold": 0.5}, "threshold", "not together with `round`"),
        ({"round": True, "decimals": 0}, "decimals", "not together with `round`"),
        ({"classes": ["a", "b", "a"]}, "classes", "twice"),
        ({"column": "id"}, "column", "key column"),
        ({"kind": "klass"}, "kind", "Did you mean 'class'"),
        ({"clip": [2, 1]}, "clip", "lower bound"),
    ],
)
def test_options_are_checked(options: dict[str, object], where: str, said: str) -> None:
    with pytest.raises(ValidationError) as error:
        Scalar(**options)
    mistakes = {mistake.place: mistake.text for mistake in explain(error.value, Scalar)}
    assert said in mistakes[where]


def test_options_without_meaning_for_what_auto_decides() -> None:
    said = refused(Scalar(round=True, clip=(0, 1)), predict("cat", "dog"), ask("dog", "dog"))
    assert "`round`, `clip` have no meaning" in said
    assert "kind class" in said
    assert "`classes`" in refused(Scalar(classes=["a"]), predict("a"), ask("0", "0"))


@settings(max_examples=40, deadline=None)
@given(numbers=st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=8), order=st.randoms())
def test_written_and_read_back_by_pandas(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[float], order: object
) -> None:
    ids = [f"{row:02}.jpg" for row in range(len(numbers))]
    rows = list(range(len(numbers)))
    order.shuffle(rows)  # type: ignore[attr-defined]
    predictions = pd.DataFrame({"id": ids, "y": numbers}).iloc[rows]
    sample = pd.DataFrame({"image id": ids, "n": ["0.5"] * len(ids)})
    path = tmp_path_factory.mktemp("scalar") / "submission.csv"
    samples.save(Scalar().table(predictions, sample, FILES), path)
    found = pd.read_csv(path)
    assert list(found["image id"]) == ids
    np.testing.assert_allclose(found["n"].to_numpy("float64"), numbers, rtol=5.1e-7, atol=1e-320)


def test_a_real_sample_of_class_numbers(tmp_path: Path) -> None:
    path = DATA / "spoken_digits" / "sample_submission.csv"
    if not path.is_file():
        pytest.skip(f"no real data: {path} is missing")
    sample = samples.read(path)
    classes = np.random.default_rng(0).integers(0, 10, len(sample))
    predictions = pd.DataFrame(np.eye(10)[classes], columns=[str(n) for n in range(10)])
    predictions["id"] = list(sample["id"])
    samples.save(Scalar().table(predictions.iloc[::-1], sample, FILES), tmp_path / "submission.csv")
    found = pd.read_csv(tmp_path / "submission.csv", dtype={"id": str})
    assert list(found["id"]) == list(pd.read_csv(path, dtype=str)["id"])
    assert found["digit"].tolist() == classes.tolist()


def test_a_hundred_thousand_rows(tmp_path: Path) -> None:
    rows = 100_000
    ids = [f"{row:06}.jpg" for row in range(rows)]
    best = np.random.default_rng(0).integers(0, 4, rows)
    predictions = pd.DataFrame(np.eye(4)[best], columns=["b c", "a", "d", "e"]).assign(id=ids)
    sample = pd.DataFrame({"id": ids[::-1], "label": ["a"] * rows})
    path = tmp_path / "submission.csv"
    samples.save(Scalar().table(predictions, sample, FILES), path)
    found = pd.read_csv(path)
    assert found["id"].tolist() == ids[::-1]
    assert found["label"].tolist() == np.array(["b c", "a", "d", "e"])[best][::-1].tolist()
