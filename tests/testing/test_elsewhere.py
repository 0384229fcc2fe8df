"""Tests of calls in another process."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from kitbox.data.frames import Frames
from kitbox.data.split import Random
from kitbox.tasks.regression import Regression
from kitbox.testing import elsewhere

KEPT: list[int] = []


def remember() -> tuple[int, int]:
    KEPT.append(1)
    return len(KEPT), os.getpid()


def salted() -> int:
    return hash("kitbox")


def loud() -> str:
    sys.stdout.write("\0kitbox\0 beside the result\n")
    return "said"


def fail() -> None:
    raise ValueError("no such thing")


def test_nothing_is_remembered() -> None:
    KEPT.append(1)
    count, process = elsewhere.run_elsewhere(remember)
    assert count == 1
    assert process != os.getpid()


@pytest.mark.parametrize("own", ["1", "2"])
def test_hashes_are_others(own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", own)
    there = elsewhere.run_elsewhere(salted)
    monkeypatch.setenv("PYTHONHASHSEED", "2" if own == "1" else "1")
    assert elsewhere.run_elsewhere(salted) != there


def test_what_is_printed_does_not_matter() -> None:
    assert elsewhere.run_elsewhere(loud) == "said"


def test_a_failure_is_told() -> None:
    with pytest.raises(AssertionError, match=r"(?s)fails in another process.*no such thing"):
        elsewhere.run_elsewhere(fail)


def test_splits_and_predictions(tmp_path: Path) -> None:
    import pandas as pd

    ids = [str(number) for number in range(12)]
    rows = pd.DataFrame({"id": ids, "image": ids, "label": 1})
    parts = elsewhere.split_again(Random(seed=1), rows, ("label",), tmp_path)
    assert parts == list(Random(seed=1).split(rows, ("label",), tmp_path))
    options = '{"targets": ["value"], "mean": [5.0], "std": [2.0], "whole": false}'
    table, words = elsewhere.predict_again(
        Regression, options, np.array([[1.5]], np.float32), Frames.whole((4, 4), 1)
    )
    assert table["value"].tolist() == [8.0]
    assert words == ["8"]
