"""What a pass over labelled pictures was made with: model, task, pictures, table and log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

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
        model: with the weights that made the pass.
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
        """Raw outputs (B, ...) of rows, computed again, in full precision, as they predict."""
        import torch

        from kitbox.models.forward import BothWays

        tta = self.recipe is not None and self.recipe.tta
        model: torch.nn.Module = BothWays(self.model, self.task) if tta else self.model
        training = self.model.training
        self.model.eval()
        try:
            with torch.inference_mode():
                return torch.cat(
                    [
                        model(images).float()
                        for images, _, _ in self.loader.fixed(rows, self.size, targets=False)
                    ]
                )
        finally:
            self.model.train(training)
