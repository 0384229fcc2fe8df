"""A saved model put to use."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kitbox.errors import PictureError, WeightsError
from kitbox.results import predictor
from kitbox.results.predictor import Predictor
from results import finished, source

ALONE = """
import pickle, sys
import torch

def refuse(*args, **kwargs):
    raise AssertionError("something was unpickled")

torch.load = torch.serialization.load = pickle.load = pickle.loads = refuse
sys.modules["kitbox.training"] = None  # an import of it fails
from kitbox.results.predictor import Predictor

run, out, *pictures = sys.argv[1:]
Predictor.load(run).predict(pictures).to_csv(out, index=False)
"""


def valid() -> pd.DataFrame:
    return pd.read_csv(finished() / "predictions_valid.csv", dtype={"id": str})


def paths() -> list[Path]:
    return [source() / name for name in valid()["id"]]


def values(table: pd.DataFrame, key: str) -> np.ndarray:
    return table.drop(columns=key).to_numpy(float)


def test_a_process_of_its_own_gives_the_run_s_predictions(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    command = [sys.executable, "-c", ALONE, str(finished()), str(out), *map(str, paths())]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(out, dtype={"image": str})
    assert list(table["image"]) == [str(path) for path in paths()]
    assert list(table.columns[1:]) == list(valid().columns[1:])
    assert np.abs(values(table, "image") - values(valid(), "id")).max() < 1e-4


def test_it_says_what_it_is_in_a_line() -> None:
    assert repr(Predictor.load(finished())) == "Predictor: single-label, 32x32 pixels"


def test_chunks_and_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = Predictor.load(finished() / "model")
    whole = loaded.predict(paths())
    monkeypatch.setattr(predictor, "CHUNK", 3)
    again = loaded.predict(paths(), batch_size=2)
    assert list(again.columns) == list(whole.columns)
    assert list(again["image"]) == list(whole["image"]) == [str(path) for path in paths()]
    assert np.allclose(values(again, "image"), values(whole, "image"), atol=1e-5)
    assert values(whole, "image").shape == (20, 10)


def test_a_broken_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(PictureError, match=r"bad\.png"):
        Predictor.load(finished()).predict([tmp_path / "bad.png"])


def test_weights_of_another_network(tmp_path: Path) -> None:
    shutil.copytree(finished() / "model", tmp_path / "model")
    facts = tmp_path / "model" / "model.json"
    facts.write_text(facts.read_text().replace('"test_resnet"', '"test_vit"'))
    with pytest.raises(WeightsError):
        Predictor.load(tmp_path)


def test_a_plugin_that_is_not_here(tmp_path: Path) -> None:
    shutil.copytree(finished() / "model", tmp_path / "model")
    facts = tmp_path / "model" / "model.json"
    changed = facts.read_text().replace('"use": "single-label"', '"use": "nowhere:gone"')
    changed = changed.replace('"use": "kitbox:single-label"', '"use": "nowhere:gone"')
    facts.write_text(changed)
    with pytest.raises(WeightsError, match="plugins or options that are not here"):
        Predictor.load(tmp_path)


def test_no_model(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no saved model"):
        Predictor.load(tmp_path)


def test_one_file_a_folder_and_several(tmp_path: Path) -> None:
    loaded, one = Predictor.load(finished()), paths()[0]
    alone = loaded.predict(one)
    assert list(alone["image"]) == [str(one)]
    assert loaded.predict(str(one)).equals(alone)
    assert loaded.predict(iter([one])).equals(alone)
    (tmp_path / "below").mkdir()
    for name in ("below/b.png", "a.png"):
        shutil.copy(one, tmp_path / name)
    (tmp_path / "notes.txt").touch()
    both = loaded.predict(str(tmp_path))
    assert list(both["image"]) == [str(tmp_path / "a.png"), str(tmp_path / "below" / "b.png")]
    assert np.allclose(values(both, "image"), values(alone, "image"), atol=1e-5)
    assert list(loaded.predict([one, tmp_path])["image"]) == [*alone["image"], *both["image"]]
    assert len(loaded.predict([])) == 0


def test_a_text_is_a_file_s_name_not_a_list_of_letters() -> None:
    with pytest.raises(PictureError, match=r"1 of 1 picture cannot be read\..*nothing/here\.jpg"):
        Predictor.load(finished()).predict("nothing/here.jpg")


@pytest.mark.parametrize("given", [3, None, b"a.png", [1.5], np.zeros((4, 4, 3), np.uint8)])
def test_what_names_no_file(given: Any) -> None:
    with pytest.raises(PictureError, match="is not the name of a picture file"):
        Predictor.load(finished()).predict(given)


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="no pictures below"):
        Predictor.load(finished()).predict(tmp_path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="There is no folder"):
        Predictor.load(tmp_path / "nothing")
