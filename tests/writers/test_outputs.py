import math

import numpy as np
import pandas as pd
import pytest

from kitbox.errors import SubmissionError
from kitbox.runs import Runs
from kitbox.writers.outputs import masks, outputs


def test_outputs_keep_order_and_do_not_touch_the_predictions() -> None:
    predictions = pd.DataFrame(
        {"a": np.array([0.5, 0.25], "float32"), "id": ["2", "1"], "b": [1, 0]}, index=[7, 3]
    )
    before = predictions.copy()
    ids, values = outputs(predictions)
    assert ids == ["2", "1"]
    assert values.to_dict("list") == {"a": [0.5, 0.25], "b": [1.0, 0.0]}
    assert list(values.index) == [0, 1]
    pd.testing.assert_frame_equal(predictions, before)


def test_all_that_is_wrong_with_values_is_said_at_once() -> None:
    predictions = pd.DataFrame(
        {
            "id": ["x", "y", "z"],
            "a": [0.1, math.nan, 0.3],
            "b": [math.inf, 0, 0],
            "c": ["p", "q", "r"],
            "d": [1, 2, 3],
        }
    )
    with pytest.raises(SubmissionError) as error:
        outputs(predictions)
    said = str(error.value)
    assert "no numbers (c)" in said
    assert "2 rows (x, y), columns a, b" in said


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (["ID", "a"], "no column 'id'"),
        (["id"], "no output"),
        (["id", "a", "a"], "twice"),
        ([], "no columns at all"),
    ],
)
def test_tables_that_are_no_predictions(columns: list[str], said: str) -> None:
    with pytest.raises(SubmissionError, match=said):
        outputs(pd.DataFrame([[1] * len(columns)], columns=columns))


def test_masks_are_runs_or_their_text() -> None:
    runs = Runs.of(np.eye(3, dtype=bool))
    ids, found = masks(pd.DataFrame({"id": [1, 2], "car": [runs, str(runs)]}))
    assert ids == ["1", "2"]
    assert found == {"car": [runs, runs]}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            {"id": ["a", "b"], "car": ["2x2", None], "sky": [0.5, 1]},
            r"'car' holds no mask for b.*'sky'",
        ),
        ({"id": ["a"], "car": ["2x2 9 9"]}, "for a: the run of 9 from 9 leaves"),
        ({"id": ["a"]}, "no output"),
        ({"car": ["2x2"]}, "no column 'id'"),
    ],
)
def test_what_is_no_mask(table: dict[str, list[object]], said: str) -> None:
    with pytest.raises(SubmissionError, match=said):
        masks(pd.DataFrame(table))
