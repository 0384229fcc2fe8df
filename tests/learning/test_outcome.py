"""What a trained network is put to use for."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import kitbox
from kitbox.errors import RecipeError, SubmissionError
from kitbox.learner import Learner
from kitbox.progress import Progress
from learning import NET, cached, load, pictures, weights

QUIET = Progress(quiet=True)


@pytest.fixture(autouse=True)
def _cached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cached(monkeypatch)
    monkeypatch.chdir(tmp_path)


def test_submission_and_model_are_those_of_the_run(tmp_path: Path) -> None:
    learn = Learner(load(), NET)
    learn.unfreeze()
    learn.fit_one_cycle(2)
    kitbox.run(learn.recipe(), tmp_path / "run", progress=QUIET)
    learn.submission("made.csv")
    learn.export("model")
    for mine, theirs in (("made.csv", "submission.csv"), ("model/model.json", "model/model.json")):
        assert Path(mine).read_text() == (tmp_path / "run" / theirs).read_text(), mine
    expected = pd.read_csv(tmp_path / "run" / "predictions_valid.csv", dtype={"id": str})
    found = learn.predictions("valid")
    assert list(found["id"]) == list(expected["id"])
    np.testing.assert_allclose(found.iloc[:, 1:], expected.iloc[:, 1:], rtol=1e-4)


def test_no_pictures_to_predict(tmp_path: Path) -> None:
    learn = Learner(load(**pictures(tmp_path / "pictures")), NET)
    with pytest.raises(SubmissionError, match="no pictures to predict"):
        learn.submission()


def test_what_it_does_with_the_validation_pictures() -> None:
    learn = Learner(load(), NET)
    learn.unfreeze()
    learn.fit_one_cycle(1)
    task = learn._session.trainer.task
    seen = learn.interpret()
    assert "accuracy" in str(learn.validate())
    assert sum(len(axes.images) > 0 for axes in seen.plot_top_losses(4).axes) == 4
    assert learn._session.trainer.task is task


def test_what_it_does_with_the_training_pictures() -> None:
    learn = Learner(load(), NET)
    learn.fit_one_cycle(1)
    before = weights(learn)
    rows = learn.data.rows_of(3)
    seen = learn.interpret("train")
    assert list(seen.table["id"]) == list(rows.loc[rows["part"] == "train", "id"])
    # A picture at a time, by the face that predicts files.
    worst = seen.top_losses(3)
    for row in worst.itertuples(index=False):
        assert learn.predict(learn.data.files / row.image).words.startswith(row.predicted)
    assert weights(learn) == before
    with pytest.raises(RecipeError, match="no part 'test' with labels"):
        learn.interpret("test")  # type: ignore[arg-type]


def test_a_picture_as_file_as_image_and_as_array() -> None:
    learn = Learner(load(), NET)
    row = learn.data.rows[learn.data.rows["part"] == "valid"].iloc[0]
    path = learn.data.files / row["image"]
    table = learn.predictions("valid").set_index("id")
    for given in (path, str(path), Image.open(path), np.asarray(Image.open(path))):
        found = learn.predict(given)
        assert found.outputs == pytest.approx(dict(table.loc[row["id"]]), abs=1e-5)
        assert repr(found).split()[0] == max(found.outputs, key=lambda name: found.outputs[name])


def test_a_head_that_was_never_trained_is_told() -> None:
    said = io.StringIO()
    learn = Learner(load(said), NET)
    learn.interpret()
    learn.export("model")
    assert said.getvalue().count("nothing was trained yet") == 2
    learn.fit_one_cycle(1)
    learn.interpret()
    assert said.getvalue().count("nothing was trained yet") == 2


def test_a_sample_that_nobody_named_is_pointed_at(tmp_path: Path) -> None:
    source = kitbox.fetch("digits")
    said = io.StringIO()
    learn = Learner(load(said, submission=None), NET)
    learn.fit_one_cycle(1)
    learn.submission(tmp_path / "made.csv")
    assert (source / "sample_submission.csv").exists()
    (line,) = [line for line in said.getvalue().split("\n") if "lies beside the data" in line]
    assert "submission={'sample': 'sample_submission.csv'}" in line


def test_looked_at_by_name_it_says_what_there_is_to_see() -> None:
    learn = Learner(load(), NET)
    assert "nothing was trained" in repr(learn.recorder)
    learn.fit_one_cycle(1)
    assert "error_rate" in repr(learn.recorder)
    told = repr(learn.interpret())
    assert "pictures" in told
    assert "plot_confusion_matrix()" in told
    assert "plot_top_losses()" in told
