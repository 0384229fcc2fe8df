"""Columns that tasks choose."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kitbox import registry
from kitbox.errors import LabelError
from kitbox.tasks import columns

ROWS = pd.DataFrame({"id": ["a", "b"], "image": ["a", "b"], "part": "train", "breed": ["x", "y"]})


def test_columns_are_chosen() -> None:
    assert columns.choose(None, ["a", "b"]) == ("a", "b")
    assert columns.choose(["b"], ["a", "b"]) == ("b",)
    with pytest.raises(LabelError, match=r"no column 'c'. Found: a, b"):
        columns.choose(["a", "c"], ["a", "b"])


@pytest.mark.parametrize(
    "task",
    [
        {"use": "single-label", "target": "bread"},
        {"use": "multi-label", "targets": ["bread"]},
        {"use": "segmentation", "columns": ["bread"]},
        {"use": "regression", "targets": ["bread"]},
        {"use": "points", "columns": [["bread", "breed"]]},
    ],
)
def test_every_task_says_it_the_same_way(task: dict[str, Any]) -> None:
    said = "The labeler gives no column 'bread'. Found: breed. Did you mean 'breed'?"
    with pytest.raises(LabelError, match=re.escape(said)):
        registry.tasks.build(task).learn(ROWS, ["breed"], Path())
