"""The submission: rehearsed, made, written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kitbox.errors import PluginError, SubmissionError
from kitbox.tasks.single_label import SingleLabel
from kitbox.writers import submission
from kitbox.writers.scalar import Scalar
from kitbox.writers.wide import Wide

TASK = SingleLabel(target="label", classes=("cat", "dog"))
ROWS = pd.DataFrame(
    {"id": ["t", "a", "b"], "image": ["t.png", "a.png", "b.png"], "part": ["train", "test", "test"]}
)
WIDE = pd.DataFrame({"id": ["b", "a"], "dog": ["0", "0"], "cat": ["0", "0"]})
NAMES = pd.DataFrame({"id": ["a", "b"], "label": ["cat", "cat"]})
OUTPUTS = np.log(np.float32([[0.75, 0.25], [0.125, 0.875]]))


def test_wide_in_the_sample_s_order() -> None:
    made = submission.make(None, TASK, ROWS, OUTPUTS, WIDE).set_index("id")
    assert list(made.columns) == ["dog", "cat"]
    assert list(made.index) == ["b", "a"]
    assert made.astype(float).loc["b"].to_list() == pytest.approx([0.875, 0.125], abs=1e-5)


def test_names_where_the_sample_has_names() -> None:
    made = submission.make(None, TASK, ROWS, OUTPUTS, NAMES)
    assert made.to_dict("list") == {"id": ["a", "b"], "label": ["cat", "dog"]}


def test_the_recipe_s_writer_goes_first() -> None:
    made = submission.make(Wide(), TASK, ROWS, OUTPUTS, None)
    assert {"cat", "dog"} <= set(made.columns)
    with pytest.raises(SubmissionError):
        submission.make(Wide(), TASK, ROWS, OUTPUTS, NAMES)


def test_rehearsal_refuses_what_the_real_one_would() -> None:
    submission.rehearse(None, TASK, ROWS, WIDE, outputs=2)
    more = pd.concat([WIDE, pd.DataFrame({"id": ["c"], "dog": ["0"], "cat": ["0"]})])
    with pytest.raises(SubmissionError, match="c"):
        submission.rehearse(None, TASK, ROWS, more, outputs=2)
    with pytest.raises(SubmissionError, match="bird"):
        submission.rehearse(None, TASK, ROWS, WIDE.assign(bird="0"), outputs=2)


def test_nothing_to_predict() -> None:
    with pytest.raises(SubmissionError, match="no pictures to predict"):
        submission.rehearse(None, TASK, ROWS.head(1), None, outputs=2)


def test_a_task_s_writer_that_cannot_be_made() -> None:
    class Odd:
        def predictions(self, outputs: np.ndarray) -> pd.DataFrame:
            return TASK.predictions(outputs)

        def writer(self, sample: pd.DataFrame | None) -> Mapping[str, Any]:
            return {"use": "wida"}

    with pytest.raises(PluginError, match=r"Odd asks for a writer.*wida"):
        submission.make(None, Odd(), ROWS, OUTPUTS, None)  # type: ignore[arg-type]


def test_written_and_read_back(tmp_path: Path) -> None:
    made = submission.make(Scalar(kind="class"), TASK, ROWS, OUTPUTS, NAMES)
    submission.write(made, tmp_path / "deep" / "submission.csv")
    text = (tmp_path / "deep" / "submission.csv").read_bytes()
    assert text == b"id,label\na,cat\nb,dog\n"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["submission.csv"]


def test_what_the_recipe_s_writer_leaves_open_is_the_task_s(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: dict[str, Any] = {"use": "wide", "clip": [0.1, 0.9], "decimals": 3, "key": "picture"}
    monkeypatch.setattr(SingleLabel, "writer", lambda self, sample: asked)
    found = submission.choose(Wide(decimals=1, normalize=True), TASK, None)
    assert found == Wide(clip=(0.1, 0.9), decimals=1, normalize=True, key="id")
    assert submission.choose(None, TASK, None) == Wide(clip=(0.1, 0.9), decimals=3, key="picture")
    other = Scalar()
    assert submission.choose(other, TASK, None) is other
    asked["use"] = "no-such-writer"
    assert submission.choose(other, TASK, None) is other
    with pytest.raises(PluginError, match="cannot be made"):
        submission.choose(None, TASK, None)
