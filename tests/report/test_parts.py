"""Parts of a report from tables: the data card, the curves, the times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kitbox.data import pixels
from kitbox.report import card, copies, curves, times


def table(images: list[str], **columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"id": images, "image": images, **columns})


def photo(seed: int, height: int, width: int) -> Image.Image:
    small = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    photo(1, 60, 80).save(tmp_path / "a.png")
    photo(1, 60, 80).save(tmp_path / "copy.jpg", quality=90)
    photo(2, 100, 50).save(tmp_path / "b.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    return tmp_path


def decoded(folder: Path, names: list[str]) -> pixels.Pixels:
    return pixels.load(folder, names, side=64, channels=3, cache=None, workers=1)


def test_the_data_card_counts_what_is_there(folder: Path) -> None:
    names = ["a.png", "b.png", "broken.png", "copy.jpg"]
    rows = table(
        names,
        part=["train", "train", "train", "valid"],
        label=["x", "y", "x", "x"],
        size=[0.5, 1.5, 2.5, 3.5],
    )
    there = decoded(folder, names)
    found = copies.find(rows, there, range(4))
    assert found == [copies.Pair(("copy.jpg", "a.png"), ("valid", "train"))]
    part = card.card(rows, there, {"broken.png": "no picture"}, found)
    assert part.facts["train pictures"] == "3"
    assert part.facts["valid pictures"] == "1"
    assert part.facts["test pictures"] == "0"
    assert part.facts["broken"] == "1"
    counts = part.tables["counts by label"]
    assert counts.loc["x"].to_dict() == {"pictures": 3, "train": 2, "valid": 1}
    assert part.tables["picture sizes"]["pictures"].sum() == 3
    assert "3 pictures are 50 to 80 pixels wide and 60 to 100 high" in part.lines[0]
    assert any("1 pair of pictures that look alike lies" in line for line in part.lines)


def test_a_number_of_many_values_is_described_not_counted() -> None:
    rows = table([f"{n}.png" for n in range(60)], part=["train"] * 60, age=list(range(60)))
    part = card.card(rows, None, {}, None)
    described = part.tables["values of age"]
    assert described.loc["train", "max"] == 59
    assert not part.figures


def test_a_text_of_its_own_for_each_picture_is_no_class() -> None:
    rows = table(
        [f"{n}.png" for n in range(60)], part=["train"] * 60, file=[f"m{n}" for n in range(60)]
    )
    assert not card.card(rows, None, {}, None).tables


def test_curves_mark_where_a_stage_begins() -> None:
    log = pd.DataFrame(
        {
            "stage": [1, 1, 2],
            "epoch": [1, 2, 1],
            "lr": [0.1, 0.1, 0.01],
            "train_loss": [3.0, 2.0, 1.0],
            "valid_loss": [3.0, 2.5, 2.0],
            "accuracy": [0.1, float("nan"), 0.3],
        }
    )
    part = curves.curves(log, "last weights")
    assert "a stage begins" in part.lines[-1]
    titles = ["loss", "accuracy", "highest learning rate"]
    assert all(t in one.markup for t, one in zip(titles, part.figures, strict=True))
    assert len(part.tables["epochs"]) == 3
    assert "stopped" in curves.curves(log.head(0), "none").lines[0]


def test_times_add_up_to_the_whole() -> None:
    epochs = pd.DataFrame(
        {
            "stage": [1, 2],
            "epoch": [1, 1],
            "seconds": [10.0, 20.0],
            "validating": [1.0, 2.0],
            "waited": [0.5, 1.5],
            "made": [6.0, 7.0],
        }
    )
    spent = {"decoding": 5.0, "stage 1, learning-rate finder": 2.0, "validating": 1.0}
    spent |= {"stage 2, learning-rate finder": 3.0, "predicting: test": 1.0, "predicting: valid": 1}
    part = times.timings(epochs, spent, 50.0)
    went = part.tables["where the time went"]["seconds"]
    assert went.sum() == pytest.approx(50.0)
    assert went.to_dict() == pytest.approx(
        {
            "decoding": 5.0,
            "learning-rate finder": 5.0,
            "predicting": 2.0,
            "training steps": 25.0,
            "waiting for pictures": 2.0,
            "validating": 4.0,
            "start, tables, files": 7.0,
        }
    )


def test_epochs_of_an_earlier_session_are_no_part_of_this_one() -> None:
    epochs = pd.DataFrame([[1, 1, 100.0, 1.0, 1.0, 1.0]])
    epochs.columns = ["stage", "epoch", "seconds", "validating", "waited", "made"]
    part = times.timings(epochs, {}, 50.0)
    assert "earlier session" in part.lines[1]
