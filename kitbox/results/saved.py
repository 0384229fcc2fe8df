"""A saved model: safetensors and JSON, no pickle, no code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from kitbox.errors import WeightsError
from kitbox.models.state import save_weights
from kitbox.storage import write

if TYPE_CHECKING:
    import torch

FORMAT = 1
WEIGHTS, FACTS = "model.safetensors", "model.json"


@dataclass(frozen=True)
class Facts:
    """What a prediction needs to know besides the weights.

    Attributes:
        task, backbone: as a recipe names them, everything learned filled in.
        size: (H, W) pixels.
        fit: how another aspect ratio comes to the size.
        mean, std, interpolation: of the input.
        channels: C.
        format: of this file.
    """

    task: Mapping[str, Any]
    backbone: Mapping[str, Any]
    size: tuple[int, int]
    fit: Literal["crop", "squash", "pad"]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str
    channels: int
    format: int = FORMAT


def save(folder: Path, state: Mapping[str, torch.Tensor], facts: Facts) -> None:
    """Write a model's folder: `model.safetensors`, then `model.json`."""
    save_weights(folder / WEIGHTS, state)
    write(folder / FACTS, json.dumps(asdict(facts), indent=2, ensure_ascii=False) + "\n")


def read(folder: Path) -> Facts:
    """The facts of a saved model.

    Raises:
        WeightsError: when there is none, or it is of another format.
    """
    path = folder / FACTS
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        found = values.get("format")
    except FileNotFoundError as error:
        raise WeightsError(
            f"There is no saved model in {folder}", do="Give the folder of a finished run"
        ) from error
    except (OSError, ValueError, AttributeError) as error:
        raise WeightsError(f"{path} is damaged ({error})", do="Copy the run again") from error
    if found != FORMAT:
        raise WeightsError(
            f"{path} has format {found}, this kitbox reads format {FORMAT}",
            do="Use the version of kitbox that saved it",
        )
    try:
        facts = Facts(**values)
    except TypeError as error:
        raise WeightsError(f"{path} is damaged ({error})", do="Copy the run again") from error
    return Facts(
        **{
            **asdict(facts),
            "size": tuple(facts.size),
            "mean": tuple(facts.mean),
            "std": tuple(facts.std),
        }
    )
