"""Several labels a picture: parted cells, and rows of one label each."""

from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

from kitbox.data.table import make
from kitbox.errors import LabelError
from kitbox.labelers.several import parted
from kitbox.labelers.table import TableLabels


def csv(folder: Path, *lines: str) -> None:
    (folder / "train").mkdir(exist_ok=True)
    for name in "abcd":
        (folder / "train" / f"{name}.jpg").touch()
    (folder / "train.csv").write_text("\n".join(lines) + "\n")


def rows(folder: Path, **options: str) -> pd.DataFrame:
    labels = TableLabels(csv="train.csv", id="image", labels="label", rows="labels", **options)
    found = make(labels.label(folder), folder)
    return found.set_index("id")


def test_parted_cells() -> None:
    assert parted(" sky  sea sky ", " ") == ("sky", "sea")
    assert parted("partly cloudy, haze", ",") == ("partly cloudy", "haze")
    assert parted("partly cloudy", None) == ("partly cloudy",)
    assert parted(["sky sea", float("nan"), "sea tree"], " ") == ("sky", "sea", "tree")
    assert parted(float("nan"), " ") == ()
    assert parted([float("nan")], None) == ()


def test_rows_that_repeat_the_picture_are_its_labels(tmp_path: Path) -> None:
    csv(tmp_path, "image,label,site", "b,sky,1", "a,sky,2", "b,sea,9", "c,,3", "a,sky,2", "b,7,1")
    found = rows(tmp_path)
    assert found["label"].to_dict() == {"a": ("sky",), "b": ("sky", "sea", "7"), "c": ()}
    assert found["image"].to_dict() == {n: f"train/{n}.jpg" for n in "abc"}
    assert found["site"].to_dict() == {"a": 2, "b": 1, "c": 3}


def test_cells_in_rows_are_parted_too(tmp_path: Path) -> None:
    csv(tmp_path, "image,label", "a,sky sea", "a,tree sea", "b,sky")
    assert rows(tmp_path, delimiter=" ")["label"]["a"] == ("sky", "sea", "tree")


def test_all_rows_of_a_picture_are_of_one_part(tmp_path: Path) -> None:
    csv(tmp_path, "image,label,part", "a,sky,train", "a,sea,train", "b,sky,valid", "c,x,test")
    found = rows(tmp_path)
    assert found["part"].to_dict() == {"a": "train", "b": "valid"}
    csv(tmp_path, "image,label,part", "a,sky,train", "a,sea,valid", "b,sky,valid")
    with pytest.raises(LabelError, match="rows of different parts") as caught:
        rows(tmp_path)
    assert "Found: a." in str(caught.value)


def test_rows_without_a_picture_are_told_with_their_lines(tmp_path: Path) -> None:
    csv(tmp_path, "image,label", "a,sky", ",sea", "a,sea", ",sky")
    with pytest.raises(LabelError, match="nothing in the column 'image'") as caught:
        rows(tmp_path)
    assert "lines 3, 5" in str(caught.value)


def test_repeated_pictures_are_refused_with_the_way_out(tmp_path: Path) -> None:
    csv(tmp_path, "image,label", "a,sky", "a,sea", "b,sky")
    with pytest.raises(LabelError, match="more than one row") as caught:
        TableLabels(csv="train.csv", id="image", labels="label").label(tmp_path)
    assert "`rows: labels`" in str(caught.value)


def test_one_column_of_labels() -> None:
    with pytest.raises(ValidationError, match="expected one column"):
        TableLabels(labels=["a", "b"], rows="labels")


def test_a_hundred_thousand_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "kitbox.labelers.table.files", lambda folder: [f"train/{n}.jpg" for n in range(25_000)]
    )
    lines = [f"{number % 25_000},l{number // 25_000}" for number in range(100_000)]
    csv(tmp_path, "image,label", *lines)
    labels = TableLabels(csv="train.csv", id="image", labels="label", rows="labels")
    found = labels.label(tmp_path).rows
    assert len(found) == 25_000
    assert set(found["label"]) == {("l0", "l1", "l2", "l3")}


def means(folder: Path, *lines: str) -> pd.DataFrame:
    csv(folder, *lines)
    labels = TableLabels(csv="train.csv", id="image", labels=["fvc", "age"], rows="mean", gaps=True)
    return make(labels.label(folder), folder).set_index("id")


def test_measurements_of_a_picture_are_averaged(tmp_path: Path) -> None:
    found = means(tmp_path, "image,fvc,age", "b,1,30", "a,5,", "b,2.5,31", "a,,", "b,4,32")
    assert found["fvc"].to_dict() == {"a": 5.0, "b": 2.5}
    assert found.at["b", "age"] == 31
    assert pd.isna(found.at["a", "age"])


def test_measurements_are_numbers(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"no numbers.*'many' in line 3"):
        means(tmp_path, "image,fvc,age", "a,1,2", "a,many,2")
    with pytest.raises(ValidationError, match="rows: mean"):
        TableLabels(rows="mean", delimiter=" ")
