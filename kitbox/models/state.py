"""Weights on disk: safetensors, whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save

from kitbox.errors import WeightsError
from kitbox.storage import whole


def save_weights(
    path: Path, state: Mapping[str, torch.Tensor], facts: dict[str, str] | None = None
) -> None:
    """Write a state dict, with a few facts on it.

    Raises:
        StorageError: when the disk is full; an older file stays as it was.
    """
    with whole(path) as beside:
        write_tensors(beside, {name: alone(value) for name, value in state.items()}, facts)


def read_facts(path: Path) -> dict[str, str]:
    """The facts that weights were written with; {} where the file is damaged or has none."""
    try:
        with safe_open(path, "pt") as opened:
            return opened.metadata() or {}
    except (OSError, SafetensorError):
        return {}


def load_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read a state dict.

    Raises:
        WeightsError: when the file is missing or damaged.
    """
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            f"The weights {path} cannot be read", found=str(error), do="Train or copy them again"
        ) from error


def fingerprint(state: Mapping[str, torch.Tensor]) -> str:
    """A hash of a state dict: its names, types, shapes and values."""
    found = hashlib.blake2b(digest_size=16)
    for name, value in state.items():
        plain = value.detach().cpu().contiguous()
        found.update(f"{name} {plain.dtype} {tuple(plain.shape)}".encode())
        found.update(plain.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def alone(value: torch.Tensor) -> torch.Tensor:
    """A copy with memory of its own: safetensors takes neither tied weights nor views."""
    return value.detach().cpu().clone(memory_format=torch.contiguous_format)


def write_tensors(
    path: Path, tensors: dict[str, torch.Tensor], facts: dict[str, str] | None = None
) -> None:
    """Write tensors as safetensors.

    Raises:
        OSError: when it cannot be written; safetensors' own writer hides it in an error of its own.
    """
    path.write_bytes(save(tensors, facts))
