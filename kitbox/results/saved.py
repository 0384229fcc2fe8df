"""A saved model: safetensors and JSON, no pickle, no code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from kitbox.errors import WeightsError
from kitbox.models.state import load_weights, save_weights
from kitbox.models.weights import digest
from kitbox.storage import write_json

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
        tta: predictions are means of a picture's and its mirror image's.
        weights: SHA-256 of the weights' file; filled in when it is written.
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
    tta: bool = False
    weights: str = ""
    format: int = FORMAT

    __pydantic_config__ = ConfigDict(extra="forbid")


def save(folder: Path, state: Mapping[str, torch.Tensor], facts: Facts) -> None:
    """Write a model's folder: `model.safetensors`, then `model.json`."""
    save_weights(folder / WEIGHTS, state)
    told = replace(facts, weights=digest(folder / WEIGHTS))
    write_json(folder / FACTS, asdict(told))


def read(folder: Path) -> Facts:
    """The facts of a saved model.

    Raises:
        WeightsError: when there is none, or it is of another format.
    """
    path = folder / FACTS
    again = "Copy the run again"
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        found = values.get("format")
    except FileNotFoundError as error:
        raise WeightsError(
            f"There is no saved model in {folder}", do="Give the folder of a finished run"
        ) from error
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise WeightsError(f"{path} is damaged ({error})", do=again) from error
    if not isinstance(found, int):
        raise WeightsError(f"{path} is damaged (it names no format)", do=again)
    if found != FORMAT:
        raise WeightsError(
            f"{path} has format {found}, this kitbox reads format {FORMAT}",
            do="Use the version of kitbox that saved it",
        )
    try:
        return TypeAdapter(Facts).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise WeightsError(
            f"{path} is damaged", found=f"{where}: {first['msg']}", do=again
        ) from error


def weights(folder: Path, facts: Facts) -> dict[str, torch.Tensor]:
    """The weights of a saved model, whose facts were read.

    Raises:
        WeightsError: when they are missing, or not those that were saved with the facts.
    """
    path = folder / WEIGHTS
    try:
        found = digest(path)
    except OSError as error:
        raise WeightsError(
            f"The weights {path} cannot be read", found=str(error), do="Copy the run again"
        ) from error
    if found != facts.weights:
        raise WeightsError(
            f"{path} is not the file that was saved with this model",
            found=f"SHA-256 {found}, expected {facts.weights or 'the one in ' + FACTS}",
            do="Copy the run again",
        )
    return load_weights(path)
