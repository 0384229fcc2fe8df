"""Checkpoints: all that a run needs to go on, in one file that is sound or not used."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from kitbox.models.state import alone, write_tensors
from kitbox.storage import whole

FORMAT = "1"
"""Raise when another version of kitbox could not go on from what this one writes."""


@dataclass(frozen=True)
class Checkpoint:
    """Where a training was.

    Attributes:
        tensors: of model, optimizer and random states, by name.
        facts: everything else, plain values.
    """

    tensors: dict[str, torch.Tensor]
    facts: dict[str, Any]


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; the one before stays beside it until the next.

    Raises:
        StorageError: when the disk is full; the one before is then still there.
    """
    tensors = {name: alone(value) for name, value in checkpoint.tensors.items()}
    facts = json.dumps(checkpoint.facts)
    told = {"facts": facts, "digest": _digest(tensors, facts), "format": FORMAT}
    with whole(path) as beside:
        write_tensors(beside, tensors, told)
        with beside.open("rb") as file:
            os.fsync(file.fileno())  # sound before the one before it moves
        if path.exists():
            os.replace(path, before(path))


def load(path: Path, warn: Callable[[str], None] = lambda text: None) -> Checkpoint | None:
    """The newest sound checkpoint; None where there is none.

    A file that was damaged is not used: its digest tells. It is removed where the one before
    is sound, which the next save would otherwise replace by it.

    Args:
        warn: told of each file that cannot be used.
    """
    for file in (path, before(path)):
        if not file.exists():
            continue
        try:
            with safe_open(file, "pt") as opened:
                held = opened.metadata() or {}
                tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
            if held.get("format") != FORMAT:
                warn(f"the checkpoint {file} is of another version of kitbox and is not used")
                continue
            if held.get("digest") == _digest(tensors, held.get("facts", "")):
                if file != path:
                    path.unlink(missing_ok=True)
                return Checkpoint(tensors, json.loads(held["facts"]))
        except (OSError, SafetensorError, ValueError, KeyError):
            pass
        warn(f"the checkpoint {file} is damaged and is not used")
    return None


def before(path: Path) -> Path:
    """Where the checkpoint before the newest lies."""
    return path.with_name(f"{path.stem}.before{path.suffix}")


def pack_optimizer(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """An optimizer's state as tensors by name; its groups are made anew by who loads it."""
    return {
        f"{index}.{name}": torch.as_tensor(value)
        for index, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }


def unpack_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]) -> None:
    """Give an optimizer with the same groups the state that `pack_optimizer` gave.

    A fused optimizer walks the memory of a parameter and of its state side by side: the
    state gets the parameter's layout (channels-last, say), which files do not keep.
    """
    parameters = [one for group in optimizer.param_groups for one in group["params"]]
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        index, _, key = name.partition(".")
        own = state.setdefault(int(index), {})
        parameter = parameters[int(index)]
        if value.shape == parameter.shape:
            own[key] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
        else:  # the number of steps
            own[key] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def _digest(tensors: Mapping[str, torch.Tensor], facts: str) -> str:
    digest = hashlib.blake2b(facts.encode(), digest_size=16)
    for name in sorted(tensors):
        value = tensors[name].contiguous()
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
