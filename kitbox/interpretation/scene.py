"""What a pass over labelled pictures was made with: model, task, pictures, table and log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kitbox.errors import KitboxError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import torch

    from kitbox.contracts import Task
    from kitbox.data.batches import Loader
    from kitbox.models.model import Model
    from kitbox.recipe import Recipe


SIDE = 640
"""The longer side of a file's picture, in pixels, at most."""


@dataclass(frozen=True)
class Scene:
    """What an interpretation knows besides the pass itself.

    Attributes:
        task: learned, and tuned on the validation rows.
        model: whose weights made the pass; `network` gives it while it still has them.
        loader: of the rows of `table`.
        table: rows by the loader's numbers; `id`, `image`, `part` and the target columns.
        labelled: all labelled rows of the run, with `part`; their numbers may be others.
        files: the source's folder.
        size: (H, W) of what the network sees.
        recipe: of the run, where there is one.
        log: a row an epoch, as in `log.csv`; None where nothing is known.
        calmed: the loss was not finite once, and the rates were lowered.
        run: the run's folder, where there is one.
    """

    task: Task
    model: Model
    loader: Loader
    table: pd.DataFrame
    labelled: pd.DataFrame
    files: Path
    size: tuple[int, int]
    recipe: Recipe | None = None
    log: pd.DataFrame | None = field(default=None)
    calmed: bool = False
    run: Path | None = None
    _weights: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_weights", sums(self.model))

    def network(self) -> Model:
        """The model, whose weights are still those that made the pass.

        Raises:
            KitboxError: when they are not: it was trained on, or others were loaded.
        """
        if sums(self.model) != self._weights:
            raise KitboxError(
                "The network has other weights now than when it looked at these pictures, so "
                "nothing new can be said of that pass",
                do="Call learn.interpret() again",
            )
        return self.model

    @property
    def train(self) -> pd.DataFrame:
        """The labelled rows that train."""
        return self.labelled[self.labelled["part"] == "train"]

    def images(self, rows: Sequence[int] | np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Normalised images (B, C, H, W) of rows, and their targets (B, ...), on the device."""
        import torch

        batches = list(self.loader.fixed(rows, self.size))
        return torch.cat([one[0] for one in batches]), torch.cat([one[1] for one in batches])

    def pictures(self, rows: Sequence[int] | np.ndarray) -> list[np.ndarray]:
        """Pictures (H, W, 3) uint8 of rows, as the model sees them."""
        import numpy as np

        if not len(rows):
            return []
        found = [self.loader.picture(int(row), self.size) for row in rows]
        return [
            one.repeat(3, axis=2) if one.shape[2] == 1 else np.ascontiguousarray(one[..., :3])
            for one in found
        ]

    def file(self, row: int) -> np.ndarray:
        """The picture (h, w, 3) uint8 of a row as its file has it, upright, of at most `SIDE`."""
        from kitbox.data.images import decode, size

        path = self.files / str(self.table.at[row, "image"])
        return decode(path, min(SIDE, max(size(path))))[0]

    def outputs(self, rows: Sequence[int] | np.ndarray) -> torch.Tensor:
        """Raw outputs (B, ...) of rows, computed again, in full precision, as they predict.

        Raises:
            KitboxError: when the network has other weights now.
        """
        import torch

        from kitbox.models.forward import BothWays

        tta = self.recipe is not None and self.recipe.tta
        network = self.network()
        model: torch.nn.Module = BothWays(network, self.task) if tta else network
        training = network.training
        network.eval()
        try:
            with torch.inference_mode():
                return torch.cat(
                    [
                        model(images).float()
                        for images, _, _ in self.loader.fixed(rows, self.size, targets=False)
                    ]
                )
        finally:
            network.train(training)


def sums(model: torch.nn.Module) -> tuple[int, ...]:
    """A sum of the bits of each parameter and buffer: the same for the same weights, anywhere.

    Not of what changed them: a learning-rate finder, or a checkpoint that is loaded, may bring
    back the very same weights.
    """
    import torch

    whole = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
    tensors = [one for one in model.state_dict().values() if isinstance(one, torch.Tensor)]
    plain = [torch.view_as_real(one) if one.is_complex() else one for one in tensors]
    found = [one.view(whole[one.element_size()]).sum(dtype=torch.int64) for one in plain]
    # Together: each number that is asked for alone makes an accelerator wait.
    return tuple(torch.stack([one.to(found[0].device) for one in found]).tolist()) if found else ()
