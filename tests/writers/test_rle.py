"""The rle writer: what it writes is decoded here, pixel by pixel, by a decoder written apart."""

import re
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from kitbox.errors import SubmissionError
from kitbox.options import explain
from kitbox.runs import Runs
from kitbox.writers import sample as samples
from kitbox.writers.rle import Rle

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
HERE = Path()
H, W = 4, 3


def decoded(cell: str, order: str, base: int, relative: bool, empty: str) -> np.ndarray:
    """A mask (H, W) painted from a cell."""
    mask = np.zeros(H * W, bool)
    if cell != empty:
        end = 0
        words = cell.split(" ")
        assert len(words) % 2 == 0
        for start, length in zip(map(int, words[::2]), map(int, words[1::2]), strict=True):
            begin = end + start if relative else start
            begin -= base if not (relative and end) else 0
            assert begin >= end
            assert length > 0
            end = begin + length
            assert end <= H * W
            mask[begin:end] = True
    return mask.reshape(W, H).T if order == "columns" else mask.reshape(H, W)


def predict(masks: dict[str, list[np.ndarray]], ids: list[str]) -> pd.DataFrame:
    columns = {name: [Runs.of(mask) for mask in found] for name, found in masks.items()}
    return pd.DataFrame({"id": ids, **columns})


def masks_of(count: int, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.random((H, W)) < rng.choice([0, 0.2, 0.5, 1]) for _ in range(count)]


def frame(header: str, *lines: str) -> pd.DataFrame:
    rows = [line.split(",") for line in lines]
    return pd.DataFrame(rows, columns=header.split(","), dtype=str)


HOW = st.fixed_dictionaries(
    {
        "order": st.sampled_from(["columns", "rows"]),
        "base": st.sampled_from([0, 1]),
        "relative": st.booleans(),
        "empty": st.sampled_from(["", "-", "-1", "none"]),
    }
)
KINDS = ["plain", "two-columns", "instances", "joined", "joined-numbers", "columns"]


@settings(max_examples=150, deadline=None)
@given(
    how=HOW,
    kind=st.sampled_from(KINDS),
    count=st.integers(1, 4),
    seed=st.integers(0, 10**6),
    with_sample=st.booleans(),
    order=st.randoms(use_true_random=False),
)
def test_what_is_written_decodes_to_the_masks(
    how: dict[str, object], kind: str, count: int, seed: int, with_sample: bool, order: object
) -> None:
    ids = [f"p_{n}.png" for n in range(count)]
    classes = ["a_x", "x"] if kind not in ("plain", "instances") else ["car"]
    masks = {name: masks_of(count, seed + n) for n, name in enumerate(classes)}
    names = ["1", "2"] if kind == "joined-numbers" else classes
    pairs = [f"{one}_{name}" for one, name in product(ids, names)]
    sample = {
        "plain": frame("id,rle_mask", *(f"{one}," for one in ids)),
        "two-columns": frame("id,a_x,x", *(f"{one},," for one in ids)),
        "instances": frame("ImageId,EncodedPixels", *(f"{one},1 1" for one in ids)),
        "joined": frame("id_class,pixels", *(f"{one},1 1" for one in pairs)),
        "joined-numbers": frame("ImageId_ClassId,pixels", *(f"{one},1 1" for one in pairs)),
        "columns": frame("id,class,rle", *(f"{a},{b}," for a, b in product(ids, names))),
    }[kind]
    sample = sample.sample(frac=1, random_state=seed % 1000).reset_index(drop=True)
    keys = {"two-columns": "plain", "joined-numbers": "joined"}.get(kind, kind)
    explicit = keys == "instances" or not with_sample
    named = {"1": "a_x", "2": "x"} if kind == "joined-numbers" and not with_sample else None
    writer = Rle(keys=keys if explicit else "auto", classes=named, **how)  # type: ignore[arg-type]
    asked = sample if with_sample else None
    if with_sample:
        assert writer.ids(sample, HERE) == list(
            dict.fromkeys(key.split("png")[0] + "png" for key in sample.iloc[:, 0])
        )
    made = writer.table(predict(masks, ids), asked, HERE)
    if with_sample:
        assert list(made.columns) == list(sample.columns)
        if kind != "instances":
            assert made.iloc[:, 0].tolist() == sample.iloc[:, 0].tolist()
    found: dict[tuple[str, str], list[np.ndarray]] = {}
    for row in made.itertuples(index=False):
        if keys == "joined":
            one, name = row[0].split("png_")
            cells = {(one + "png", classes[names.index(name)]): row[1]}
        elif keys == "columns":
            cells = {(row[0], row[1]): row[2]}
        else:
            cells = {(row[0], name): cell for name, cell in zip(classes, row[1:], strict=True)}
        for key, cell in cells.items():
            found.setdefault(key, []).append(decoded(cell, **how))  # type: ignore[arg-type]
    assert set(found) == set(product(ids, classes))
    for (one, name), pieces in found.items():
        assert kind == "instances" or len(pieces) == 1
        total = np.sum(pieces, axis=0)
        assert np.array_equal(total, masks[name][ids.index(one)])
        assert len(pieces) == 1 or all(piece.any() for piece in pieces)


def test_camvid_s_sample_asks_for_no_void() -> None:
    path = DATA / "camvid" / "sample_submission_masks.csv"
    if not path.is_file():
        pytest.skip(f"no real data: {path} is missing")
    sample = samples.read(path)
    codes = (DATA / "camvid" / "codes.txt").read_text().split()
    ids = Rle().ids(sample, DATA)
    assert sorted(ids) == sorted(p.stem for p in (DATA / "camvid" / "test").glob("*.jpg"))
    labels = np.random.default_rng(0).integers(0, 12, (len(ids), H, W))
    masks = {name: [label == n for label in labels] for n, name in enumerate(codes)}
    made = Rle().table(predict(masks, ids[::-1]), sample, DATA)
    assert made.iloc[:, 0].tolist() == sample.iloc[:, 0].tolist()
    for key, cell in zip(made.iloc[:, 0], made.iloc[:, 1], strict=True):
        one, name = key[:13], key[14:]
        if one not in ids:  # the names of one film are longer
            one, name = next((i, key[len(i) + 1 :]) for i in ids if key.startswith(i + "_"))
        mask = masks[name][len(ids) - 1 - ids.index(one)]
        assert np.array_equal(decoded(cell, "columns", 1, False, ""), mask)


def test_the_sample_s_token_is_written() -> None:
    empty = predict({"car": [np.zeros((H, W), bool)]}, ["a"])
    for token, cell in (("-", "-"), ("-1", "-1"), ("", ""), ("1 1", "")):
        made = Rle().table(empty, frame("id,rle_mask", f"a,{token}"), HERE)
        assert made.iloc[0, 1] == cell


def test_small_masks_and_instances_are_dropped() -> None:
    mask = np.zeros((H, W), bool)
    mask[0, 0] = mask[2:, 2] = True
    table = predict({"car": [mask]}, ["a"])
    assert Rle(min_pixels=3).table(table, None, HERE).iloc[0, 1] == "1 1 11 2"
    assert Rle(min_pixels=4).table(table, None, HERE).iloc[0, 1] == ""
    assert Rle(keys="instances").table(table, None, HERE)["rle"].tolist() == ["1 1", "11 2"]
    made = Rle(keys="instances", min_pixels=2).table(table, None, HERE)
    assert made.to_numpy().tolist() == [["a", "11 2"]]
    made = Rle(keys="instances", min_pixels=3, empty="-").table(table, None, HERE)
    assert made.to_numpy().tolist() == [["a", "-"]]


def test_relative_counts_from_nothing_by_default() -> None:
    mask = np.zeros((H, W), bool)
    mask[1, 0] = mask[3, 0] = True
    table = predict({"car": [mask]}, ["a"])
    assert Rle(relative=True).table(table, None, HERE).iloc[0, 1] == "1 1 1 1"
    assert Rle(relative=True, base=1).table(table, None, HERE).iloc[0, 1] == "2 1 1 1"
    assert Rle(base=0).table(table, None, HERE).iloc[0, 1] == "1 1 3 1"


def test_without_a_sample() -> None:
    two = predict({"car": masks_of(2, 0), "tree": masks_of(2, 1)}, ["a", "b"])
    assert list(Rle().table(two, None, HERE).columns) == ["id", "car", "tree"]
    assert list(Rle(classes=["tree"]).table(two, None, HERE).columns) == ["id", "rle"]
    joined = Rle(keys="joined", separator="/").table(two, None, HERE)
    assert joined["id_class"].tolist() == ["a/car", "a/tree", "b/car", "b/tree"]
    apart = Rle(keys="columns", classes={"1": "tree"}).table(two, None, HERE)
    assert apart.iloc[:, :2].to_numpy().tolist() == [["a", "1"], ["b", "1"]]
    assert list(apart.columns) == ["id", "class", "rle"]


@pytest.mark.parametrize(
    "header", ["id,rle", "ImageId_ClassId,rle", "id,class,rle", "id,car,tree"], ids=str
)
def test_a_sample_with_a_header_only(header: str) -> None:
    two = predict({"car": masks_of(2, 0), "tree": masks_of(2, 1)}, ["a", "b"])
    sample = frame(header)
    assert Rle().ids(sample, HERE) == []
    made = Rle().table(two, sample, HERE)
    assert ",".join(made.columns) == header
    assert len(made) == (2 if header.endswith("tree") else 4)


def test_no_pictures() -> None:
    nothing = pd.DataFrame({"id": [], "car": []}, dtype=object)
    for keys in ("plain", "instances", "joined", "columns"):
        assert len(Rle(keys=keys).table(nothing, None, HERE)) == 0  # type: ignore[arg-type]


def test_text_of_a_csv_file_is_taken() -> None:
    table = predict({"car": masks_of(3, 2)}, ["a", "b", "c"])
    text = table.astype(str)
    pd.testing.assert_frame_equal(Rle().table(text, None, HERE), Rle().table(table, None, HERE))


SAMPLE = frame("id,rle_mask", "a,1 1", "b,1 1")


@pytest.mark.parametrize(
    ("writer", "table", "sample", "said"),
    [
        (
            Rle(),
            predict({"car": masks_of(1, 0)}, ["a"]),
            SAMPLE,
            r"1 id of the sample missing \(b\)",
        ),
        (
            Rle(),
            predict({"car": masks_of(3, 0)}, ["a", "b", "c"]),
            SAMPLE,
            r"1 id not in the sample \(c\)",
        ),
        (
            Rle(),
            predict({"car": masks_of(2, 0)}, ["a.jpg", "b.jpg"]),
            SAMPLE,
            "agree without their file endings",
        ),
        (
            Rle(),
            predict({"car": masks_of(2, 0), "sky": masks_of(2, 0)}, ["a", "b"]),
            SAMPLE,
            r"one column of run lengths.*`classes: \[sky\]`",
        ),
        (
            Rle(classes=["cra"]),
            predict({"car": masks_of(2, 0)}, ["a", "b"]),
            SAMPLE,
            "do not exist",
        ),
        (
            Rle(),
            predict({"car": masks_of(1, 0)}, ["a"]),
            frame("id,class,rle", "a,car,", "a,bus,"),
            "classes that are not predicted: bus",
        ),
        (
            Rle(),
            predict({"car": masks_of(2, 0), "sky": masks_of(2, 0)}, ["a", "b"]),
            frame("ImageId_ClassId,rle", "a_car,", "a_sky,"),
            r"2 ids not in the sample \(b_car, b_sky\)",
        ),
        (
            Rle(keys="columns"),
            predict({"car": masks_of(2, 0)}, ["a", "b"]),
            SAMPLE,
            "not the shape of keys: columns",
        ),
        (
            Rle(keys="instances"),
            predict({"car": masks_of(2, 0), "sky": masks_of(2, 0)}, ["a", "b"]),
            None,
            "one class",
        ),
        (Rle(), pd.DataFrame({"id": ["a"], "car": [0.5]}), None, "no mask for a: found a float"),
        (
            Rle(),
            pd.DataFrame({"id": ["a"], "car": ["1 2"]}),
            None,
            "no mask for a: run lengths begin",
        ),
        (Rle(), pd.DataFrame({"car": ["1x1"]}), None, "no column 'id'"),
        (
            Rle(key="car", column="x"),
            pd.DataFrame({"id": ["a"], "car": ["1x1"], "b": ["1x1"]}),
            None,
            "name of a class",
        ),
    ],
)
def test_what_is_refused(
    writer: Rle, table: pd.DataFrame, sample: pd.DataFrame | None, said: str
) -> None:
    with pytest.raises(SubmissionError, match=said):
        writer.table(table, sample, HERE)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"keys": "plain", "separator": "_"}, "separator.*no meaning"),
        ({"keys": "plain", "connectivity": 4}, "connectivity.*no meaning"),
        ({"classes": ["a", "a"]}, "names a class twice"),
        ({"classes": []}, "classes"),
        ({"empty": "1 1"}, "reads as run lengths"),
        ({"key": "x", "column": "x"}, "name of the key column"),
        ({"base": 2}, "base"),
        ({"min_pixels": -1}, "min_pixels"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as error:
        Rle(**options)  # type: ignore[arg-type]
    assert re.search(said, "; ".join(f"{m.place}: {m.text}" for m in explain(error.value, Rle)))


def test_options_survive_being_saved() -> None:
    for writer in (Rle(), Rle(relative=True, classes={"1": "x"}), Rle(keys="instances")):
        assert Rle(**writer.model_dump(mode="json")) == writer


def test_classes_that_the_sample_does_not_ask_for_are_remarked() -> None:
    given = predict({name: masks_of(2, 0) for name in ("sky", "road", "car")}, ["a", "b"])
    keys = [f"{one}_{name}," for one in "ab" for name in ("sky", "road")]
    joined = frame("ImageId_ClassId,rle", *keys)
    wanted = ["the sample submission does not ask for the prediction 'car': it is left out"]
    assert Rle().remark(given, joined, HERE) == wanted
    assert Rle(classes=["sky", "road"]).remark(given, joined, HERE) == []
    plain = frame("id,road", "a,", "b,")
    (note,) = Rle().remark(given, plain, HERE)
    assert "'sky', 'car': they are left out" in note
    columns = frame("id,class,rle", "a,sky,", "a,road,", "a,car,", "b,sky,", "b,road,", "b,car,")
    assert Rle().remark(given, columns, HERE) == []
