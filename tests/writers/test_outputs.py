import math

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter, ValidationError

from kitbox.errors import SubmissionError
from kitbox.writers.outputs import Bounds, clipped, outputs


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


def test_bounds() -> None:
    check = TypeAdapter(Bounds).validate_python
    assert check([0, math.inf]) == (0, math.inf)
    for wrong in ([1, 0], [math.nan, 1], [0, math.nan]):
        with pytest.raises(ValidationError, match="lower bound"):
            check(wrong)


def test_clipped() -> None:
    assert clipped(np.array([-1.0, 0.5, 9.0]), (0, 4)).tolist() == [0, 0.5, 4]
    assert clipped(np.array([-1.0, 9.0]), (0, math.inf)).tolist() == [0, 9]
    assert clipped(np.array([-1.0]), None).tolist() == [-1]
