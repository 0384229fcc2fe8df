import re
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
from kitbox.writers.joined import Joined

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
HERE = Path()


def predict(**columns: list[float]) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    return pd.DataFrame({"id": [f"{n}.jpg" for n in range(count)], **columns})


def ask(*cells: str) -> pd.DataFrame:
    ids = [f"{n}.jpg" for n in range(len(cells))]
    return pd.DataFrame({"image": ids, "labels": list(cells)}, dtype=str)


TABLE = predict(cat=[0.9, 0.2, 0.5], dog=[0.6, 0.3, 0.1], bird=[0.7, 0.1, 0.2])


@pytest.mark.parametrize(
    ("options", "sample", "cells"),
    [
        ({}, None, ["cat dog bird", "dog", "cat"]),
        ({"threshold": 0.65}, None, ["cat bird", "dog", "cat"]),
        (
            {"threshold": {"cat": 0.95, "dog": 0.25, "bird": 0}},
            None,
            ["dog bird", "dog bird", "bird"],
        ),
        ({"at_least": 0}, None, ["cat dog bird", "", ""]),
        ({"at_least": 0, "empty": "none"}, None, ["cat dog bird", "none", "none"]),
        ({"empty": "-"}, None, ["cat dog bird", "-", "-"]),
        ({"top": 2}, None, ["cat bird", "dog cat", "cat bird"]),
        ({"top": 9}, None, ["cat bird dog", "dog cat bird", "cat bird dog"]),
        ({"separator": "|"}, None, ["cat|dog|bird", "dog", "cat"]),
        ({}, ["0 1", "0", "2"], ["1 2 0", "2", "1"]),
        ({}, ["0", "0", "0"], ["1 2 0", "2", "1"]),
        ({"classes": ["dog", "cat", "bird"]}, ["0", "0", "0"], ["1 0 2", "0", "1"]),
        ({"labels": "numbers"}, None, ["1 2 0", "2", "1"]),
        ({}, ["cat", "cat", "cat"], ["cat dog bird", "dog", "cat"]),
        ({}, ["healthy"] * 3, ["cat dog bird", "dog", "cat"]),
        ({"at_least": 0}, ["cat", "", "cat"], ["cat dog bird", "", ""]),
        ({}, ["cat,dog", "cat", "cat"], ["cat,dog,bird", "dog", "cat"]),
        ({}, ["cat,zzz", "cat", "cat"], ["cat,dog,bird", "dog", "cat"]),
        ({"labels": "numbers"}, ["0,1", "0", "0"], ["1,2,0", "2", "1"]),
        ({}, ["0|1", "0", "0"], ["1|2|0", "2", "1"]),
        ({"separator": "|"}, ["cat|dog", "cat", "cat"], ["cat|dog|bird", "dog", "cat"]),
        ({"separator": "|"}, ["cat"] * 3, ["cat|dog|bird", "dog", "cat"]),
        ({"separator": "|"}, ["No finding"] * 3, ["cat|dog|bird", "dog", "cat"]),
    ],
)
def test_cells(options: dict[str, object], sample: list[str] | None, cells: list[str]) -> None:
    asked = None if sample is None else ask(*sample)
    made = Joined(**options).table(TABLE.iloc[::-1], asked, HERE)  # type: ignore[arg-type]
    assert made.iloc[:, 1].tolist() == (cells[::-1] if sample is None else cells)


def test_names_that_are_numbers_stay() -> None:
    table = predict(**{"10": [0.9], "9": [0.8], "117": [0.1]})
    assert Joined().table(table, ask("0"), HERE)["labels"].tolist() == ["10 9"]
    assert Joined(labels="numbers").table(table, None, HERE)["labels"].tolist() == ["1 0"]


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(
        st.lists(st.integers(0, 10).map(lambda n: n / 10), min_size=4, max_size=4), max_size=6
    ),
    threshold=st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    at_least=st.sampled_from([0, 1]),
    separator=st.sampled_from([" ", ",", "; ", "|"]),
    numbers=st.booleans(),
    top=st.none() | st.integers(1, 5),
)
def test_written_and_read_back(
    values: list[list[float]],
    threshold: float,
    at_least: int,
    separator: str,
    numbers: bool,
    top: int | None,
) -> None:
    names = ["tar", "sign_symbol", "a", "b-c"]
    table = pd.DataFrame(np.array(values).reshape(-1, 4), columns=names)
    table.insert(0, "id", [f"{n}" for n in range(len(values))])
    how = {"top": top} if top else {"threshold": threshold, "at_least": at_least}
    writer = Joined(separator=separator, labels="numbers" if numbers else "names", **how)  # type: ignore[arg-type]
    made = writer.table(table, None, HERE)
    assert made["id"].tolist() == table["id"].tolist()
    for cell, row in zip(made["labels"], values, strict=True):
        words = cell.split(separator) if cell else []
        found = [names.index(sorted(names)[int(w)] if numbers else w) for w in words]
        if top:
            ranked = sorted(range(4), key=lambda n: (-row[n], n))
            assert found == ranked[:top]
        else:
            above = [n for n in range(4) if row[n] > threshold]
            assert found == (above or [row.index(max(row))][:at_least])


def test_camvid_s_tags() -> None:
    path = DATA / "camvid" / "sample_submission_tags.csv"
    if not path.is_file():
        pytest.skip(f"no real data: {path} is missing")
    sample = samples.read(path)
    ids = Joined().ids(sample, DATA)
    names = [n for n in (DATA / "camvid" / "codes.txt").read_text().split() if n != "unlabelled"]
    values = np.random.default_rng(0).random((len(ids), len(names)))
    table = pd.DataFrame(values, columns=names).assign(id=ids)
    made = Joined().table(table.iloc[::-1], sample, DATA)
    assert made["image_name"].tolist() == sample["image_name"].tolist()
    for cell, row in zip(made["tags"], values, strict=True):
        assert (
            cell.split() == [names[n] for n in np.flatnonzero(row > 0.5)] or not (row > 0.5).any()
        )


@pytest.mark.parametrize(
    ("options", "table", "sample", "said"),
    [
        ({}, TABLE, ask("cat", "cat"), r"1 id not in the sample \(2\.jpg\)"),
        ({}, TABLE.assign(**{"Sugar beet": 0.1}), None, r"hold what stands between.*'Sugar beet'"),
        ({"threshold": {"cat": 0.5}}, TABLE, None, r"lacks labels .*dog, bird"),
        ({"threshold": {"cta": 0.5}}, TABLE, None, r"not predicted: cta.*'cat'"),
        ({"classes": ["cat"]}, TABLE, None, r"lack labels of the predictions: dog, bird"),
        ({}, TABLE, ask("0", "0", "0").assign(more="1"), "not the shape that joined writes"),
        ({"separator": " "}, TABLE, ask("cat|dog", "cat", "cat"), r"has '\|' between labels.*' '"),
        ({"separator": " "}, TABLE, ask("0,1", "0", "0"), r"has ',' between labels"),
        ({}, TABLE, ask("0 3", "0", "17"), r"none of the 3 labels, counted from 0: 3, 17"),
        ({"at_least": 0}, TABLE.assign(cat=np.nan), None, "NaN or infinite"),
        ({}, TABLE.drop(columns="id"), None, "no column 'id'"),
    ],
)
def test_what_is_refused(
    options: dict[str, object], table: pd.DataFrame, sample: pd.DataFrame | None, said: str
) -> None:
    with pytest.raises(SubmissionError, match=said):
        Joined(**options).table(table, sample, HERE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"top": 5, "threshold": 0.5}, "threshold.*not together with `top`"),
        ({"top": 5, "at_least": 1}, "at_least.*not together"),
        ({"top": 0}, "top"),
        ({"at_least": 1, "empty": "-"}, "empty.*no meaning"),
        ({"classes": ["a", "a"]}, "twice"),
        ({"classes": ["a"], "labels": "names"}, "no meaning"),
        ({"separator": ""}, "separator"),
        ({"threshold": float("nan")}, "threshold"),
        ({"key": "x", "column": "x"}, "key column"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as error:
        Joined(**options)  # type: ignore[arg-type]
    assert re.search(said, "; ".join(f"{m.place}: {m.text}" for m in explain(error.value, Joined)))


def test_many_rows_and_classes() -> None:
    values = np.random.default_rng(0).random((10_000, 60))
    names = [f"w_{n}" for n in range(60)]
    table = pd.DataFrame(values, columns=names).assign(id=[str(n) for n in range(10_000)])
    made = Joined(top=5).table(table, None, HERE)
    last = np.argsort(-values[-1])[:5]
    assert made["labels"].iloc[-1].split() == [names[n] for n in last]


def test_options_survive_being_saved() -> None:
    for writer in (Joined(), Joined(top=5), Joined(at_least=0, empty="-")):
        assert Joined(**writer.model_dump(mode="json")) == writer


def test_words_of_the_sample_that_are_no_label_are_remarked() -> None:
    (note,) = Joined().remark(TABLE, ask("cat dog", "brid cat", "bird"), HERE)
    assert note == (
        "1 word of the sample submission is none of the labels that are learned: 'brid' "
        "(near: 'bird')"
    )
    assert Joined().remark(TABLE, ask("cat dog", "bird"), HERE) == []
    assert Joined().remark(TABLE, ask("none at all", "cat"), HERE) == []  # placeholders
    assert Joined().remark(TABLE, ask("0 1", "2"), HERE) == []
