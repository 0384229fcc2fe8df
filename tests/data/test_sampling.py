"""Weights from a csv file: read, refused, and obeyed by the draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kitbox.data.batches import order
from kitbox.data.sampling import Listed
from kitbox.errors import LabelError

ROWS = pd.DataFrame({"id": ["1", "2", "3"], "image": ["a.jpg", "b.jpg", "c.jpg"]})


def weights(tmp_path: Path, text: str) -> list[float]:
    (tmp_path / "w.csv").write_text(text)
    return Listed(csv=tmp_path / "w.csv").weights(ROWS).tolist()


def test_pictures_that_are_not_named_weigh_one(tmp_path: Path) -> None:
    assert weights(tmp_path, "image,weight,loss\nb.jpg,3,9\nelsewhere.jpg,7,9\n") == [1, 3, 1]
    assert weights(tmp_path, "weight;id\n0.5;3\n") == [1, 1, 0.5]
    assert weights(tmp_path, "image,weight\n") == [1, 1, 1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("picture,weight\na.jpg,2\n", "no column 'image'"),
        ("image,wieght\na.jpg,2\n", "no column 'weight'.*Did you mean 'wieght'"),
        ("image,weight\na.jpg,0\n", "no numbers above 0. Found: a.jpg: 0"),
        ("image,weight\na.jpg,inf\n", "no numbers above 0"),
        ("image,weight\na.jpg,\n", "no numbers above 0"),
        ("image,weight\na.jpg,much\n", "no numbers above 0. Found: a.jpg: much"),
        ("image,weight\na.jpg,2\na.jpg,3\n", "more than once. Found: a.jpg"),
        ("image,weight\nx.jpg,2\n", "None of the 1 pictures"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(LabelError, match=said):
        weights(tmp_path, text)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"does not exist.*kitbox interpret RUN --hard"):
        Listed(csv=tmp_path / "w.csv").weights(ROWS)


def test_the_draws_follow_them(tmp_path: Path) -> None:
    drawn = weights(tmp_path, "image,weight\nb.jpg,8\n")
    counts = np.zeros(3)
    for seed in range(400):
        counts += np.bincount(order(np.arange(3), (seed,), np.array(drawn)), minlength=3)
    assert counts / counts.sum() == pytest.approx([0.1, 0.8, 0.1], abs=0.03)


def test_other_weights_are_other_data(tmp_path: Path) -> None:
    rows = ROWS.assign(part=["train", "train", "valid"])
    path = tmp_path / "w.csv"
    found = []
    for text in ("a.jpg,2", "a.jpg,3", "a.jpg,2\nc.jpg,9"):
        path.write_text(f"image,weight\n{text}\n")
        found.append(Listed(csv=path).digest(rows))
    assert found[0] != found[1]
    assert found[0] == found[2]  # a validation picture is not drawn
