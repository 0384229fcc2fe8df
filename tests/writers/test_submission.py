"""The submission: rehearsed, made, written."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kitbox.contracts import Writer
from kitbox.data.frames import Frames
from kitbox.errors import LabelError, PluginError, SubmissionError
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
SIZE = (16, 24)
FILES = Path("nowhere")  # these writers need none of the source's files


def predicted(task: SingleLabel = TASK) -> pd.DataFrame:
    table = task.predictions(OUTPUTS, Frames.whole(SIZE, 2))
    return table.assign(id=["a", "b"])


def make(writer: Writer | None, sample: pd.DataFrame | None) -> pd.DataFrame:
    return submission.make(submission.choose(writer, TASK, sample), predicted(), sample, FILES)


def rehearse(rows: pd.DataFrame, sample: pd.DataFrame | None) -> None:
    writer = submission.choose(None, TASK, sample)
    blank = submission.blank(TASK, (2,), SIZE)
    submission.rehearse(writer, blank, rows, sample, FILES)


def test_wide_in_the_sample_s_order() -> None:
    made = make(None, WIDE).set_index("id")
    assert list(made.columns) == ["dog", "cat"]
    assert list(made.index) == ["b", "a"]
    assert made.astype(float).loc["b"].to_list() == pytest.approx([0.875, 0.125], abs=1e-5)


def test_names_where_the_sample_has_names() -> None:
    made = make(None, NAMES)
    assert made.to_dict("list") == {"id": ["a", "b"], "label": ["cat", "dog"]}


def test_the_recipe_s_writer_goes_first() -> None:
    made = make(Wide(), None)
    assert {"cat", "dog"} <= set(made.columns)
    with pytest.raises(SubmissionError):
        make(Wide(), NAMES)


def test_rehearsal_refuses_what_the_real_one_would() -> None:
    rehearse(ROWS, WIDE)
    more = pd.concat([WIDE, pd.DataFrame({"id": ["c"], "dog": ["0"], "cat": ["0"]})])
    with pytest.raises(SubmissionError, match="c"):
        rehearse(ROWS, more)
    with pytest.raises(SubmissionError, match="bird"):
        rehearse(ROWS, WIDE.assign(bird="0"))


def test_rehearsal_has_a_row_per_test_picture_and_outputs_of_any_shape() -> None:
    seen: dict[str, Any] = {}

    class Spy:
        def predictions(self, outputs: np.ndarray, frames: Frames) -> pd.DataFrame:
            seen.update(outputs=outputs, frames=frames)
            return pd.DataFrame({"sum": outputs.sum(axis=(1, 2, 3))})

        def table(self, predictions: pd.DataFrame, sample: Any, folder: Path) -> pd.DataFrame:
            seen.update(predictions=predictions, folder=folder)
            return predictions

    spy: Any = Spy()
    blank = submission.blank(spy, (3, 16, 24), SIZE)
    submission.rehearse(spy, blank, ROWS, None, FILES)
    assert (seen["outputs"].shape, seen["outputs"].dtype) == ((1, 3, 16, 24), np.float32)
    assert seen["outputs"].any()
    assert (seen["frames"].size, seen["frames"].sizes.tolist()) == (SIZE, [[16, 24]])
    assert seen["predictions"]["id"].tolist() == ["a", "b"]
    assert seen["predictions"]["sum"].notna().all()
    assert seen["folder"] == FILES


@pytest.mark.parametrize("name", ["id", "image"])
def test_an_output_may_not_be_called_as_a_column_of_ours(name: str) -> None:
    task = SingleLabel(target="label", classes=(name, "other"))
    with pytest.raises(LabelError, match=f"called '{name}'"):
        submission.blank(task, (2,), SIZE)


def test_rehearsal_says_what_the_writer_remarks() -> None:
    blank = pd.DataFrame({"dog": [0.5], "cat": [0.5], "owl": [0.5]})
    writer = Wide(columns={"dog": "dog", "cat": "cat"})
    (note,) = submission.rehearse(writer, blank, ROWS, WIDE, FILES)
    assert "'owl'" in note
    assert submission.rehearse(Wide(), blank, ROWS, None, FILES) == []


def test_names_that_no_submission_can_hold_stop_the_run_now() -> None:
    rows = ROWS.assign(id=[*ROWS["id"][:-1], os.fsdecode(b"caf\xe9")])
    with pytest.raises(SubmissionError, match=r"caf\\udce9.*Rename"):
        rehearse(rows, None)


def test_nothing_to_predict() -> None:
    with pytest.raises(SubmissionError, match="no pictures to predict"):
        rehearse(ROWS.head(1), None)


def test_a_task_s_writer_that_cannot_be_made() -> None:
    class Odd:
        def writer(self, sample: pd.DataFrame | None) -> Mapping[str, Any]:
            return {"use": "wida"}

    with pytest.raises(PluginError, match=r"Odd asks for a writer.*wida"):
        submission.choose(None, Odd(), None)  # type: ignore[arg-type]


def test_written_and_read_back(tmp_path: Path) -> None:
    made = make(Scalar(kind="class"), NAMES)
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
