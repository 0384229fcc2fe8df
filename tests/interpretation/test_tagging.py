"""Several labels: scores and thresholds against scikit-learn, labels in place of others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_recall_fscore_support

from interpretation.made import recipe, seen_by, tagged
from kitbox.interpretation.tagging import TaggingInterpretation
from kitbox.tasks.multi_label import MultiLabel
from kitbox.testing import labelled

RIGHT = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 0, 0], [0, 0, 1, 0]])
CHOSEN = np.array([[1, 0, 1, 0], [1, 0, 1, 0], [1, 0, 1, 0], [0, 0, 1, 0]])


def test_scores_are_scikit_learn_s() -> None:
    seen = tagged(CHOSEN, RIGHT)
    table = seen.scores().loc[list(seen.labels)]
    expected = precision_recall_fscore_support(RIGHT, CHOSEN, zero_division=np.nan)
    for name, values in zip(("precision", "recall"), expected[:2], strict=False):
        assert table[name].to_numpy() == pytest.approx(values, nan_ok=True), name
    assert table["f1"][:3].to_numpy() == pytest.approx(expected[2][:3])
    assert np.isnan(table["f1"]["t3"])
    assert table["count"].tolist() == [3, 2, 2, 0]
    assert "No picture here has t3" in seen.own_sections()[0].text


def test_thresholds_are_swept() -> None:
    seen = tagged(CHOSEN, RIGHT)
    seen.__dict__["probabilities"] = np.random.default_rng(0).random((4, 4))
    table = seen.thresholds_table()
    for cut in (0.05, 0.5, 0.95):
        given = seen.probabilities > cut
        expected = f1_score(RIGHT, given, average=None, zero_division=0)
        assert table.loc[cut].to_numpy() == pytest.approx(expected)


def test_labels_in_place_of_others() -> None:
    (row,) = tagged(CHOSEN, RIGHT).most_confused().to_dict("records")
    assert row == {"truth": "t1", "predicted": "t2", "count": 2, "share": pytest.approx(1.0)}


def test_what_is_told_of_a_picture() -> None:
    seen = tagged(CHOSEN, RIGHT)
    row = seen.top_losses(1).iloc[0]
    assert (row["missed"], row["added"]) == ("t1", "t2")
    words = [text for text, _ in seen.told(seen.worst())[0]]
    assert words[:2] == ["missed: t1", "added: t2"]
    right = seen.told(seen.worst()[::-1])[0]
    assert right[0][0].startswith("right: ")
    assert "2 of 4 pictures have exactly the right labels" in seen.headlines()[0]


def test_thresholds_come_from_the_tuned_task() -> None:
    task = MultiLabel(classes=("a", "b"))
    assert task.interpretation().thresholds == {"a": 0.5, "b": 0.5}
    tuned = task.model_copy(update={"threshold": {"a": 0.2, "b": 0.7}})
    assert tuned.interpretation().thresholds == {"a": 0.2, "b": 0.7}
    assert task.model_copy(update={"threshold": 0.3}).interpretation().thresholds["b"] == 0.3


@pytest.mark.parametrize("labels", [["x y", "y", "x", "", "y"], [f"n{n} x" for n in range(60)]])
def test_it_is_shown_of_files(tmp_path: Path, labels: list[str]) -> None:
    rows = labelled(tmp_path, {"tags": [tuple(cell.split()) for cell in labels]})
    task = MultiLabel(unlearnable="keep")
    given = recipe(task="multi-label")
    seen = seen_by(tmp_path, task, rows, ["tags"], size=(32, 48), recipe=given)
    assert isinstance(seen, TaggingInterpretation)
    for section in seen.sections():
        for plot in section.plots.values():
            assert plot.png()
    heat = seen.heat(seen.worst(1))
    assert heat is not None
    assert heat.shape == (1, 32, 48)
    seen.advice()
