"""Backbones from timm."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from kitbox import storage
from kitbox.contracts import Weights
from kitbox.errors import WeightsError, some
from kitbox.models import weights
from kitbox.options import Options

if TYPE_CHECKING:
    from kitbox.contracts import Body


class Timm(Options):
    """Any timm model, without its classifier."""

    name: str = Field("resnet34", description="timm's name, with or without a weights tag")
    pretrained: bool = Field(True, description="false trains from random weights")
    weights: Path | None = Field(None, description="a file of weights (safetensors or pth)")
    channels: Literal[1, 3, 4] = Field(3, description="grey, RGB or RGBA pictures")
    pool: Literal["avg", "max", "avgmax", "catavgmax"] | None = Field(
        None, description="pooling of the last feature map; by default the model's own"
    )
    drop: Annotated[float, Field(ge=0, lt=1)] = Field(0.0, description="dropout before the head")
    drop_path: Annotated[float, Field(ge=0, lt=1)] = Field(0.0, description="stochastic depth")

    def find_weights(self) -> Weights:
        """See `kitbox.contracts.Backbone`."""
        if not self.pretrained:
            weights.config(self.name)
            return Weights("random (pretrained: false)")
        found = weights.find(self.name, self.weights)
        if found.file is not None:
            return Weights(found.source)
        return Weights(found.source, here=False, knock=partial(weights.knock, self.name))

    def build(self, size: tuple[int, int], *, load: bool = True, maps: bool = False) -> Body:
        """See `kitbox.contracts.Backbone`."""
        import torch

        from kitbox.models.body import TimmBody, TimmMaps

        weights.config(self.name)
        wrap = TimmMaps if maps else TimmBody
        if not (self.pretrained and load):
            source = "random (pretrained: false)"
            return wrap(self._create(size, maps), size, source, False, channels=self.channels)
        found = weights.find(self.name, self.weights)
        file = weights.fetch(self.name, found)
        with torch.random.fork_rng(devices=[]):
            # Built twice from one seed, so that a layer is seen that the weights did not reach.
            torch.default_generator.manual_seed(0)
            random = _fingerprints(self._create(size, maps))
            torch.default_generator.manual_seed(0)
            model, held = self._load(size, file, maps)
        if misfits := _misfits(model, random, held):
            raise WeightsError(
                f"The weights in {file} do not fit the model '{self.name}'",
                found=misfits,
                do="Check that the file belongs to this model",
            )
        source = f"{found.source}, SHA-256 {weights.digest(file)[:16]}"
        return wrap(model, size, source, True, channels=self.channels)

    def attach(self, folder: Path) -> Timm:
        """See `kitbox.contracts.Attaches`: the file, called after the model."""
        if not self.pretrained:
            return self
        file = weights.fetch(self.name, weights.find(self.name, self.weights))
        names = weights.file_names(self.name, weights.config(self.name))
        own = [name for name in names if name.endswith(file.suffix)]
        with storage.whole(folder / (own[0] if own else file.name)) as beside:
            shutil.copyfile(file, beside)
        return self.model_copy(update={"weights": None})

    def _create(self, size: tuple[int, int], maps: bool) -> Any:
        """The network with random weights."""
        try:
            return self._timm(size, maps)
        except Exception as error:  # timm's models each have their own ways to refuse
            raise WeightsError(
                f"timm cannot build '{self.name}' with these options",
                found=f"{type(error).__name__}: {error}",
                do="Leave out `pool`, `drop` or `drop_path`, or choose a size that suits the model",
            ) from error

    def _load(self, size: tuple[int, int], file: Path, maps: bool) -> tuple[Any, dict[str, Any]]:
        """The network with the weights of a file, and the file's tensors by name.

        timm adapts the first layer to the channels.
        """
        # The original weights of some models were no state dict; those of the hub are.
        overlay = {"file": str(file), "custom_load": file.suffix == ".npz"}
        try:
            held = {} if file.suffix == ".npz" else weights.read(file)
            return self._timm(size, maps, pretrained=True, pretrained_cfg_overlay=overlay), held
        except Exception as error:  # a damaged file raises what its format's reader likes
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            raise WeightsError(
                f"The weights in {file} do not fit the model '{self.name}'",
                found=" ".join(lines[:2]) or type(error).__name__,
                do="Check that the file belongs to this model and is whole",
            ) from error

    def _timm(self, size: tuple[int, int], maps: bool, **more: Any) -> Any:
        kind = {"features_only": True} if maps else {"num_classes": 0, "global_pool": self.pool}
        options = {
            **kind,
            "in_chans": self.channels,
            "drop_rate": self.drop or None,
            "drop_path_rate": self.drop_path or None,
            **more,
        }
        options = {key: value for key, value in options.items() if value is not None}
        with _quiet_on_heads(maps):
            return self._make(size, options)

    def _make(self, size: tuple[int, int], options: dict[str, Any]) -> Any:
        import timm

        settings = weights.config(self.name)
        if settings is not None and settings.fixed_input_size:
            # Vision transformers and their like: their position embedding is resampled.
            try:
                return timm.create_model(self.name, img_size=size, dynamic_img_size=True, **options)
            except TypeError:
                return timm.create_model(self.name, img_size=size, **options)
        return timm.create_model(self.name, **options)


@contextmanager
def _quiet_on_heads(maps: bool) -> Iterator[None]:
    """Without timm's remark that weights have a head, where maps are made and none is wanted.

    What does not fit is found by `_misfits`.
    """

    def other(record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith("Unexpected keys")

    logger = logging.getLogger("timm.models._builder")
    if maps:
        logger.addFilter(other)
    try:
        yield
    finally:
        logger.removeFilter(other)


def _misfits(model: Any, random: dict[str, tuple[int, float]], held: dict[str, Any]) -> str:
    """What the weights `held` by a file miss in the model, or have beyond it; '' if they fit.

    timm loads what has the same name and says nothing of the rest. A tenth is
    let pass, for layers that the pooling or another size makes anew.
    """
    sizes = {name: value.numel() for name, value in model.named_parameters()}
    tenth = 0.1 * sum(sizes.values())
    loaded = _fingerprints(model)
    missed = [name for name, value in random.items() if loaded.get(name) == value]
    if sum(sizes[name] for name in missed) > tenth:
        return f"no weights for {some(missed)}"
    own = model.state_dict().keys()
    if len(own & held.keys()) < 0.9 * len(own):
        return ""  # another library's names, which timm has translated: nothing to compare
    heads = model.pretrained_cfg.get("classifier") or ()
    heads = tuple(f"{head}." for head in ((heads,) if isinstance(heads, str) else heads))
    parts = {name.split(".")[0] for name in own}
    beyond = [
        name
        for name in held.keys() - own
        if name.split(".")[0] in parts and not name.startswith(heads)
    ]
    if sum(held[name].numel() for name in beyond) > tenth:
        return f"weights of layers that it has not, {some(sorted(beyond))}"
    return ""


def _fingerprints(model: Any) -> dict[str, tuple[int, float]]:
    """Number and sum of the values of every parameter that is not constant."""
    return {
        name: (value.numel(), float(value.detach().double().sum()))
        for name, value in model.named_parameters()
        if value.numel() > 1 and bool((value != value.flatten()[0]).any())
    }
