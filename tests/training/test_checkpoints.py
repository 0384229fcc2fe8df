"""Checkpoints: whole, sound or not used, and the one before."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch

from kitbox.errors import StorageError
from kitbox.training import checkpoints
from kitbox.training.checkpoints import Checkpoint, before, load, save


def made(number: int) -> Checkpoint:
    torch.manual_seed(number)
    tensors = {
        "a": torch.randn(3, 4),
        "half": torch.randn(5).to(torch.bfloat16),
        "scalar": torch.tensor(float(number)),
        "random": torch.get_rng_state(),
        "none": torch.empty(0, 3),
        "flag": torch.tensor([True, False]),
    }
    return Checkpoint(tensors, {"step": number, "lr": [1e-5, 0.1], "log": [{"x": float("nan")}]})


def same(one: Checkpoint | None, other: Checkpoint) -> bool:
    return (
        one is not None
        and one.tensors.keys() == other.tensors.keys()
        and all(torch.equal(one.tensors[n], other.tensors[n]) for n in one.tensors)
        and str(one.facts) == str(other.facts)
    )


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    save(tmp_path / "c.safetensors", made(1))
    assert same(load(tmp_path / "c.safetensors"), made(1))


def test_none(tmp_path: Path) -> None:
    assert load(tmp_path / "c.safetensors") is None


def test_the_one_before_stays_until_the_next(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    for number in (1, 2, 3):
        save(path, made(number))
    assert same(load(path), made(3))
    path.unlink()  # killed between the two renames
    assert same(load(path), made(2))
    assert sorted(p.name for p in tmp_path.iterdir()) == [before(path).name]


@pytest.mark.parametrize("where", ["head", "middle", "end", "cut", "empty"])
def test_a_damaged_one_is_not_used(tmp_path: Path, where: str) -> None:
    path = tmp_path / "c.safetensors"
    save(path, made(1))
    save(path, made(2))
    content = bytearray(path.read_bytes())
    if where == "cut":
        content = content[:-7]
    elif where == "empty":
        content = bytearray()
    else:
        place = {"head": 20, "middle": len(content) // 2, "end": len(content) - 1}[where]
        content[place] ^= 1
    path.write_bytes(bytes(content))
    assert same(load(path), made(1))
    before(path).write_bytes(b"nonsense")
    assert load(path) is None


def test_every_flipped_bit_of_the_tensors_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    save(path, Checkpoint({"a": torch.arange(6.0)}, {"step": 1}))
    content = path.read_bytes()
    for place in range(len(content) - 24, len(content)):
        broken = bytearray(content)
        broken[place] ^= 16
        path.write_bytes(bytes(broken))
        assert load(path) is None


def test_a_write_that_fails_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.safetensors"
    save(path, made(1))

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "write_tensors", full)
    with pytest.raises(StorageError, match="No space left"):
        save(path, made(2))
    assert same(load(path), made(1))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "kind",
    [
        torch.optim.AdamW,
        partial(torch.optim.AdamW, fused=True),
        partial(torch.optim.SGD, momentum=0.9),
    ],
)
def test_an_optimizer_goes_on_as_it_was(
    kind: Callable[..., torch.optim.Optimizer], tmp_path: Path
) -> None:
    def build() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
        torch.manual_seed(0)
        net = torch.nn.Sequential(
            torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten(), torch.nn.Linear(16, 2)
        )
        # A fused optimizer takes it that its state lies in memory as the parameter does.
        net.to(memory_format=torch.channels_last)
        return net, kind(net.parameters(), lr=0.1)

    def train(net: torch.nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> None:
        for step in range(steps):
            torch.manual_seed(step)
            net(torch.randn(2, 3, 4, 4)).square().sum().backward()
            optimizer.step()
            optimizer.zero_grad()

    net, optimizer = build()
    train(net, optimizer, 3)
    packed = {
        **{f"model.{n}": v for n, v in net.state_dict().items()},
        **{f"optimizer.{n}": v for n, v in checkpoints.pack_optimizer(optimizer).items()},
    }
    save(tmp_path / "c.safetensors", Checkpoint(packed, {}))
    train(net, optimizer, 4)

    kept = load(tmp_path / "c.safetensors")
    assert kept is not None
    again, other = build()
    again.load_state_dict(
        {n.removeprefix("model."): v for n, v in kept.tensors.items() if n.startswith("model.")}
    )
    checkpoints.unpack_optimizer(
        other,
        {n.removeprefix("optimizer."): v for n, v in kept.tensors.items() if n[:4] == "opti"},
    )
    train(again, other, 4)
    for one, two in zip(net.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, two)


def test_a_damaged_one_is_told_and_never_replaces_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, said = tmp_path / "c.safetensors", []
    save(path, made(1))
    save(path, made(2))
    path.write_bytes(path.read_bytes()[:-9])
    assert same(load(path, said.append), made(1))
    assert "is damaged" in said[0]

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "write_tensors", full)
    with pytest.raises(StorageError):
        save(path, made(3))
    assert same(load(path), made(1))


def test_one_of_another_version_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, said = tmp_path / "c.safetensors", []
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "FORMAT", "99")
        save(path, made(1))
    assert load(path, said.append) is None
    assert "another version" in said[0]
