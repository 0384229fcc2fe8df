"""A saved model: what it says of itself."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from kitbox.errors import WeightsError
from kitbox.models.state import save_weights
from kitbox.results import saved
from kitbox.results.predictor import Predictor
from results import finished


def facts() -> saved.Facts:
    return saved.read(finished() / "model")


def test_facts_come_back_equal(tmp_path: Path) -> None:
    given = replace(facts(), size=(8, 16), fit="pad")
    saved.save(tmp_path / "model", {"w": torch.ones(2)}, given)
    read = saved.read(tmp_path / "model")
    digest = hashlib.sha256((tmp_path / "model" / "model.safetensors").read_bytes()).hexdigest()
    assert read == replace(given, weights=digest)
    assert sorted(p.name for p in (tmp_path / "model").iterdir()) == [
        "model.json",
        "model.safetensors",
    ]


def test_the_facts_hold_what_was_learned() -> None:
    assert facts().size == (32, 32)
    assert facts().task["classes"] == [str(digit) for digit in range(10)]


def test_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no saved model"):
        saved.read(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 1}', '{"format": 1, "more": 2}'])
def test_damaged(tmp_path: Path, text: str) -> None:
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(WeightsError, match="damaged"):
        saved.read(tmp_path)


def test_another_format(tmp_path: Path) -> None:
    values = json.loads((finished() / "model" / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps({**values, "format": 99}))
    with pytest.raises(WeightsError, match="format 99"):
        saved.read(tmp_path)


def test_weights_that_were_not_saved_with_the_facts(tmp_path: Path) -> None:
    """Another file of the same shapes is no more theirs than a damaged one."""
    folder = tmp_path / "model"
    shutil.copytree(finished() / "model", folder)
    good = Predictor.load(folder)
    assert good.facts == facts()
    changed = {name: value + 1 for name, value in good.model.state_dict().items()}
    save_weights(folder / "model.safetensors", changed)
    with pytest.raises(WeightsError, match="is not the file that was saved with this model"):
        Predictor.load(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match="cannot be read"):
        Predictor.load(folder)


class Bad:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.write_text, (self.path, "code ran")


@pytest.mark.parametrize("told", [False, True])
def test_a_pickle_is_refused_and_does_not_run(tmp_path: Path, told: bool) -> None:
    """Also when the facts name it as theirs."""
    folder, trace = tmp_path / "model", tmp_path / "trace"
    shutil.copytree(finished() / "model", folder)
    for content in (pickle.dumps({"w": Bad(trace)}), saved_by_torch({"w": Bad(trace)})):
        (folder / "model.safetensors").write_bytes(content)
        if told:
            values = json.loads((finished() / "model" / "model.json").read_text())
            values["weights"] = hashlib.sha256(content).hexdigest()
            (folder / "model.json").write_text(json.dumps(values))
        with pytest.raises(WeightsError):
            Predictor.load(folder)
    assert not trace.exists()


def saved_by_torch(state: dict[str, object]) -> bytes:
    into = io.BytesIO()
    torch.save(state, into)
    return into.getvalue()
