"""Problem cases: the worst training pictures, without doubtful labels, as a recipe takes them."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import kitbox
from interpretation.made import recipe, seen_by
from kitbox.data.sampling import Listed
from kitbox.errors import KitboxError, StorageError
from kitbox.interpretation import hard, watch
from kitbox.interpretation.interpretation import Interpretation
from kitbox.tasks.single_label import SingleLabel
from kitbox.testing import labelled


def seen(folder: Path) -> Interpretation:
    rows = labelled(folder, {"label": ["a", "b"] * 15})
    return seen_by(folder, SingleLabel(), rows, ["label"], recipe=recipe())


def test_they_are_the_worst_of_the_training_pictures(tmp_path: Path) -> None:
    made = seen(tmp_path)
    path = made.write_hard(tmp_path / "hard.csv", share=0.25, weight=2)
    table = pd.read_csv(path)
    train = watch.look(made.scene, np.flatnonzero(made.scene.table["part"] == "train"))
    expected = train.top_losses(5)
    assert table["image"].tolist() == expected["image"].tolist()
    assert (table["weight"] == 2).all()
    rows = made.scene.train
    weights = Listed(csv=path).weights(rows)
    assert sorted(weights) == [1.0] * 15 + [2.0] * 5
    assert set(rows["image"][weights == 2]) == set(table["image"])


def test_doubtful_labels_are_not_learned_harder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = seen(tmp_path)
    all_of_them = hard.cases(made, share=1, weight=3)
    monkeypatch.setattr(type(made), "doubtful", lambda self: self.worst(4))
    assert (
        hard.cases(made, share=0.2, weight=3)["image"].tolist()
        == (all_of_them["image"].tolist()[4:8])
    )


@pytest.mark.parametrize("options", [{"share": 0.0}, {"weight": 0.0}, {"share": 2.0}])
def test_shares_and_weights_that_make_no_sense(tmp_path: Path, options: Any) -> None:
    with pytest.raises(KitboxError, match="share from 0 to 1"):
        seen(tmp_path).write_hard(tmp_path / "hard.csv", **options)


def test_training_pictures_that_were_not_read_are_asked_for(tmp_path: Path) -> None:
    """By a name that `kitbox.interpret` has."""
    made = seen(tmp_path)
    made.scene.table["part"] = "valid"
    with pytest.raises(KitboxError, match=r"kitbox\.interpret\(run, train=True\)"):
        made.write_hard(tmp_path / "hard.csv")
    assert "train" in inspect.signature(kitbox.interpret).parameters


def test_somebody_s_file_is_left(tmp_path: Path) -> None:
    (tmp_path / "hard.csv").write_text("mine\n")
    with pytest.raises(StorageError):
        seen(tmp_path).write_hard(tmp_path / "hard.csv")
