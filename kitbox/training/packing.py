"""What a checkpoint holds in tensors: model, optimizer and random states, and all given back."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from kitbox.training.checkpoints import pack_optimizer, unpack_optimizer


def pack(
    model: torch.nn.Module, optimizer: torch.optim.Optimizer | None
) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint by name; without an optimizer where a stage has ended."""
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors["random.cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        for i, state in enumerate(torch.cuda.get_rng_state_all()):
            tensors[f"random.cuda.{i}"] = state
    if optimizer is not None:
        for name, value in pack_optimizer(optimizer).items():
            tensors[f"optimizer.{name}"] = value
    return tensors


def unpack(model: torch.nn.Module, tensors: Mapping[str, torch.Tensor]) -> None:
    """Give a model, and this process's random states, what a checkpoint has."""
    model.load_state_dict(_below("model.", tensors))
    torch.set_rng_state(tensors["random.cpu"])
    if torch.cuda.is_available():
        for i in range(torch.cuda.device_count()):
            if (state := tensors.get(f"random.cuda.{i}")) is not None:
                torch.cuda.set_rng_state(state, i)


def unpack_into(optimizer: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]) -> None:
    """Give an optimizer of the same groups what a checkpoint has."""
    unpack_optimizer(optimizer, _below("optimizer.", tensors))


def _below(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {n.removeprefix(prefix): v for n, v in tensors.items() if n.startswith(prefix)}
