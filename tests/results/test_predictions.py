"""Predictions of a run, held against its table and scikit-learn."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from kitbox.data import table_file
from results import finished


def predictions(part: str) -> pd.DataFrame:
    return pd.read_csv(finished() / f"predictions_{part}.csv", dtype={"id": str})


@pytest.mark.parametrize("part", ["valid", "test"])
def test_ids_in_the_table_s_order_and_probabilities(part: str) -> None:
    rows = table_file.load(finished() / "table.csv")
    found = predictions(part)
    assert list(found["id"]) == list(rows.loc[rows["part"] == part, "id"])
    assert np.allclose(found.drop(columns="id").sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("part", ["valid", "test"])
def test_the_raw_outputs_are_the_same_predictions(part: str) -> None:
    raw = np.load(finished() / f"outputs_{part}.npy").astype(np.float64)
    even = np.exp(raw - raw.max(axis=1, keepdims=True))
    even /= even.sum(axis=1, keepdims=True)
    assert np.allclose(predictions(part).drop(columns="id"), even, atol=1e-5)


def test_the_reported_scores_are_scikit_learn_s() -> None:
    rows = table_file.load(finished() / "table.csv").set_index("id")
    found = predictions("valid").set_index("id")
    truth = [str(label) for label in rows.loc[found.index, "label"]]
    scores = json.loads((finished() / "run.json").read_text())["scores"]
    accuracy = metrics.accuracy_score(truth, found.idxmax(axis=1))
    assert scores["accuracy"] == pytest.approx(accuracy)
    assert scores["error_rate"] == pytest.approx(1 - accuracy)
    # The reported loss is the task's: with its label smoothing of 0.1.
    given = found.to_numpy() / found.to_numpy().sum(axis=1, keepdims=True)
    log_loss = metrics.log_loss(truth, given, labels=list(found.columns))
    assert scores["loss"] == pytest.approx(0.9 * log_loss - 0.1 * np.log(given).mean(), abs=1e-3)
