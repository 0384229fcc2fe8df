"""Raw outputs as a table, a batch at a time."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.testing import assert_frame_equal

from kitbox.data.frames import Frames
from kitbox.results.tables import tabulate
from kitbox.tasks.single_label import SingleLabel

TASK = SingleLabel(target="label", classes=("cat", "dog"))


def test_batches_give_the_table_of_the_whole() -> None:
    outputs = np.random.default_rng(0).normal(size=(7, 2)).astype(np.float32)
    whole = TASK.predictions(outputs, Frames.whole((8, 8), 7))
    parts = [(outputs[i : i + 3], Frames.whole((8, 8), len(outputs[i : i + 3]))) for i in (0, 3, 6)]
    found = tabulate(TASK, parts)
    assert_frame_equal(found, whole)
    assert found.index.tolist() == list(range(7))


def test_no_batches() -> None:
    assert_frame_equal(tabulate(TASK, []), pd.DataFrame())
