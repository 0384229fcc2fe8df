"""Classes: counted against scikit-learn; missing, one, and many of them; real files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

from interpretation.made import classified, recipe, seen_by
from kitbox.errors import StorageError
from kitbox.interpretation.classification import ClassificationInterpretation
from kitbox.tasks.single_label import SingleLabel
from kitbox.testing import labelled

COUNTS = [[5, 2, 0, 0], [0, 4, 3, 0], [1, 0, 6, 0], [0, 0, 0, 0]]


def test_counts_and_scores_are_scikit_learn_s() -> None:
    seen = classified(COUNTS, train=[9, 8, 7, 6])
    true, given = seen.targets, seen.chosen
    matrix = seen.confusion_matrix()
    assert (matrix.to_numpy() == confusion_matrix(true, given, labels=range(4))).all()
    expected = precision_recall_fscore_support(true, given, labels=range(4), zero_division=np.nan)
    table = seen.scores().loc[["c0", "c1", "c2", "c3"]]
    for name, values in zip(("precision", "recall", "f1"), expected[:3], strict=True):
        assert table[name][:3].to_numpy() == pytest.approx(values[:3]), name
        assert np.isnan(table[name]["c3"])
    assert table["count"].tolist() == [7, 7, 7, 0]
    assert table["train"].tolist() == [9, 8, 7, 6]
    assert seen.scores().index[-1] == "c3"  # nothing is known of it


def test_pairs_and_words() -> None:
    seen = classified(COUNTS)
    assert seen.most_confused().to_dict("records") == [
        {"truth": "c1", "predicted": "c2", "count": 3, "share": pytest.approx(3 / 7)},
        {"truth": "c0", "predicted": "c1", "count": 2, "share": pytest.approx(2 / 7)},
    ]
    assert len(seen.most_confused(1)) == 3
    row = seen.top_losses(1).iloc[0]
    assert (row["probability"], row["of_truth"]) == pytest.approx((0.9, 0.1 / 3))
    assert "15 of 21 right" in seen.headlines()[0]
    assert "c1 as c2 (3)" in " ".join(seen.headlines())


def test_calibration_of_a_model_that_says_nine_of_ten() -> None:
    seen = classified([[9, 1], [1, 9]])
    assert seen.calibration_error() == pytest.approx(0, abs=1e-6)
    assert classified([[5, 5], [5, 5]]).calibration_error() == pytest.approx(0.4, abs=1e-6)


def test_a_label_that_looks_wrong_is_listed() -> None:
    seen = classified([[9, 1], [0, 9]], sure=0.95)
    (row,) = seen.suspects().to_dict("records")
    assert (row["truth"], row["seems"]) == ("c0", "c1")
    assert row["margin"] == pytest.approx(0.9)
    assert seen.doubtful().tolist() == [9]
    unsure = classified([[9, 1], [0, 9]], sure=0.85)  # another class is likelier by 0.7
    assert len(unsure.suspects()) == 0
    assert len(unsure.suspects(0.6)) == 1
    assert unsure.doubtful().tolist() == [9]
    unknown = classified([[6, 4], [0, 9]], sure=0.95)  # of c0 too little is found to doubt it
    assert len(unknown.suspects()) == len(unknown.doubtful()) == 0
    assert len(unknown.suspects(known=0)) == 4


def test_suspects_are_written_as_a_recipe_takes_them(tmp_path: Path) -> None:
    seen = classified([[9, 1], [0, 9]], sure=0.95)
    path = seen.write_suspects(tmp_path / "suspects.csv")
    assert pd.read_csv(path)["image"].tolist() == ["v9.png"]
    assert seen.write_suspects(str(path)) == path  # the same again
    path.write_text("image\nmine.png\n")
    with pytest.raises(StorageError, match="may have been edited"):
        seen.write_suspects(path)
    assert path.read_text() == "image\nmine.png\n"


def real(folder: Path, labels: list[str], **options: object) -> ClassificationInterpretation:
    rows = labelled(folder, {"label": labels})
    found = seen_by(folder, SingleLabel(), rows, ["label"], recipe=recipe(), **options)  # type: ignore[arg-type]
    assert isinstance(found, ClassificationInterpretation)
    return found


@pytest.mark.parametrize(
    ("count", "options"),
    [
        (12, {}),
        (12, {"size": (32, 64)}),
        (12, {"channels": 1}),
        (3, {}),  # one picture
        (450, {}),
    ],
)
def test_all_of_it_is_shown_of_files(tmp_path: Path, count: int, options: dict) -> None:
    """Training has every class; of some there is no picture here."""
    classes = 300 if count == 450 else 2
    labels = [f"k{(n - n // 3) % classes}" for n in range(count)]
    seen = real(tmp_path, labels, **options)
    sections = seen.sections()
    assert sections[0].title == "Confusion"
    assert {"Scores by class", "Calibration", "Top losses"} <= {one.title for one in sections}
    for section in sections:
        for plot in section.plots.values():
            assert plot.png()[:4] == b"\x89PNG"
    assert seen.headlines()
    seen.advice()


def test_one_class_alone_is_here(tmp_path: Path) -> None:
    seen = real(tmp_path, ["a", "b", "b", "a", "a", "b", "b", "a", "b"])
    assert set(seen.truth()) == {"b"}
    assert np.isnan(seen.scores()["recall"]["a"])
    assert "No picture here is of a" in " ".join(one.text for one in seen.sections())


def test_a_heat_map_explains_the_predicted_class(tmp_path: Path) -> None:
    seen = real(tmp_path, ["a", "b"] * 6)
    places = seen.worst(3)
    maps = seen.heat(places)
    assert maps is not None
    assert maps.shape == (3, 32, 32)
    assert list(seen.explained(places)) == seen.chosen[places].tolist()


def test_pictures_of_pairs_leave_gaps(tmp_path: Path) -> None:
    seen = real(tmp_path, ["a", "b"] * 6)
    assert seen.plot_most_confused(1, heatmap=True).png()
    assert seen.plot_most_confused(99).png()  # none


def test_losses_are_those_of_the_probabilities_whatever_the_training_counts() -> None:
    seen = classified([[8, 2], [1, 9]], sure=0.8, options={"smoothing": 0.3})
    expected = log_loss(seen.targets, seen.probabilities)
    assert seen.losses.mean() == pytest.approx(expected)
    assert f"log loss {expected:.3f}" in " ".join(seen.headlines())
    order = seen.probabilities[np.arange(20), seen.targets][seen.worst(20)]
    assert list(order) == sorted(order)
