"""Data: what is said of it, counts, batches to look at, other sizes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from results import finished, trained

import kitbox
from kitbox.errors import PictureError, RecipeError
from kitbox.progress import Progress
from learning import OF_DATA, cached, load, pictures


@pytest.fixture(autouse=True)
def _cached(monkeypatch: pytest.MonkeyPatch) -> None:
    cached(monkeypatch)


def test_what_was_found_is_said() -> None:
    said = io.StringIO()
    data = load(said)
    assert "labels: 100 pictures of 10 classes" in said.getvalue()
    assert "pictures: 80 train, 20 validate, 20 to predict" in said.getvalue()
    assert repr(data).splitlines()[1:] == [
        "classes: 10 (0, 1, 2, 3, 4, 5 and 4 more)",
        "seen at: 32x32 pixels, in batches of 32",
        "varied by: standard",
    ]
    assert repr(data).startswith("pictures: 80 train, 20 validate, 20 to predict, in ")
    assert data._repr_html_().count("<tr") == 4 + 1 + 10


def test_the_rows_are_those_of_a_run() -> None:
    data = kitbox.load(trained(), progress=Progress(quiet=True))
    table = pd.read_csv(finished() / "table.csv", dtype=str)
    assert list(data.rows["id"]) == list(table["id"])
    assert list(data.rows["part"]) == list(table["part"])


def test_counts_are_those_of_the_rows() -> None:
    data = load()
    counts = data.counts()
    assert list(counts.index) == data.classes == [str(digit) for digit in range(10)]
    rows = data.rows[data.rows["part"] != "test"]
    expected = pd.crosstab(rows[data.targets[0]].astype(str), rows["part"])
    assert (counts[["train", "valid"]].to_numpy() == expected[["train", "valid"]].to_numpy()).all()


def test_counts_of_several_labels_and_of_numbers(tmp_path: Path) -> None:
    keys = pictures(tmp_path, 20)
    names = [f"{p.parent.name}/{p.name}" for p in sorted(tmp_path.rglob("*.png"))]
    tags = [("a b", "a c", "b c", "a")[i % 4] for i in range(20)]
    table = pd.DataFrame({"image": names, "tags": tags, "grade": np.arange(20) / 3})
    table.to_csv(tmp_path / "labels.csv", index=False)
    keys |= {"task": "multi-label", "split": {"use": "random", "valid": 0.25}}
    labeler = {"use": "table", "csv": "labels.csv", "id": "image"}
    data = load(**{**keys, "labeler": {**labeler, "labels": "tags", "delimiter": " "}})
    assert dict(data.counts().sum(axis=1)) == {"a": 15, "b": 10, "c": 10}
    data = load(**{**keys, "labeler": {**labeler, "labels": ["grade"]}, "task": "regression"})
    assert data.counts().to_dict("list") == {"train": [15], "valid": [5]}
    assert data.classes == []
    assert "targets: grade" in repr(data)


def test_broken_pictures_are_not_shown_and_not_counted(tmp_path: Path) -> None:
    keys = pictures(tmp_path, 30)
    (tmp_path / "often" / "001.png").write_bytes(b"no picture")
    data = load(**keys)
    assert data.counts().to_numpy().sum() == 30
    data.show_batch(30)
    data.decoded(3)
    assert data.counts().to_numpy().sum() == 29
    assert "1 cannot be read" in repr(data)
    for path in tmp_path.rglob("*.png"):
        path.write_bytes(b"no picture")
    with pytest.raises(PictureError, match="None of the pictures to show"):
        load(**keys).show_batch()


def test_another_size_is_decoded_once_where_the_largest_is_named() -> None:
    data = load(size=24, largest=40)
    small = data.decoded(3)
    grown = data.at(size=40, batch_size=8)
    assert (grown.size, grown.recipe.batch_size, grown.largest) == ((40, 40), 8, (40, 40))
    assert grown.decoded(3) is small
    assert grown.at(size=48).decoded(3) is not small
    assert data.size == (24, 24)
    assert data.digest(3) == grown.digest(3)


def test_a_recipe_s_file_and_what_replaces_its_values(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(trained().text())
    data = kitbox.load(path, size=48, progress=Progress(quiet=True))
    assert data.size == (48, 48)
    assert data.recipe.backbone == trained().backbone
    assert data.classes == [str(digit) for digit in range(10)]
    grown = trained().model_copy(update={"size": 24})
    stages = (grown.stages[0], grown.stages[1].model_copy(update={"size": 64}))
    data = kitbox.load(grown.model_copy(update={"stages": stages}), progress=Progress(quiet=True))
    assert (data.size, data.largest) == ((24, 24), (64, 64))


def test_every_mistake_at_once() -> None:
    with pytest.raises(RecipeError) as caught:
        kitbox.load(source="digits", labeler="foldre", task="single-label", size=3)
    assert "foldre" in str(caught.value)
    assert "size: found 3" in str(caught.value)
    with pytest.raises(RecipeError, match="labeler"):
        kitbox.load(source="digits")
    assert OF_DATA
