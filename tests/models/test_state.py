"""Weights on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from kitbox.errors import WeightsError
from kitbox.models.state import load_weights, save_weights


def test_a_round_trip_keeps_every_bit(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2))
    net = net.to(memory_format=torch.channels_last)
    assert not net[0].weight.is_contiguous()
    net.train()(torch.randn(2, 3, 4, 6))
    path = tmp_path / "below" / "best.safetensors"
    save_weights(path, net.state_dict())
    found = load_weights(path)
    expected = net.state_dict()
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype, name
        assert torch.equal(found[name], value), name
    assert int(found["1.num_batches_tracked"]) == 1
    assert set(safetensors.torch.load(path.read_bytes())) == set(expected)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_views_of_half_precision_and_scalars(tmp_path: Path) -> None:
    base = torch.arange(12.0).reshape(3, 4)
    state = {"turned": base.t(), "half": base[:, 1].half(), "one": torch.tensor(7)}
    save_weights(tmp_path / "a.safetensors", state)
    found = load_weights(tmp_path / "a.safetensors")
    assert all(torch.equal(found[name], value) for name, value in state.items())


def test_tensors_that_share_memory_are_both_kept(tmp_path: Path) -> None:
    tied = torch.randn(3, 3)
    save_weights(tmp_path / "a.safetensors", {"a": tied, "b": tied})
    found = load_weights(tmp_path / "a.safetensors")
    assert torch.equal(found["a"], tied)
    assert torch.equal(found["b"], tied)


def test_a_newer_checkpoint_takes_the_place_of_the_older(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    for number in (1, 2):
        save_weights(path, {"n": torch.tensor(number)})
    assert int(load_weights(path)["n"]) == 2


def test_a_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "none.safetensors"
    with pytest.raises(WeightsError) as caught:
        load_weights(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "folder"])
def test_a_damaged_file(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "a.safetensors"
    save_weights(path, {"a": torch.randn(100)})
    content = path.read_bytes()
    if damage == "folder":
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes({"empty": b"", "cut": content[:-9], "text": b"not weights" * 9}[damage])
    with pytest.raises(WeightsError, match="cannot be read"):
        load_weights(path)
