"""A saved model put to use: pictures in, a table out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kitbox import registry
from kitbox.contracts import Task
from kitbox.data import geometry, pixels
from kitbox.errors import PictureError, WeightsError
from kitbox.options import Mistakes
from kitbox.results import saved
from kitbox.results.folder import MODEL
from kitbox.results.saved import Facts

if TYPE_CHECKING:
    import pandas as pd

    from kitbox.models.model import Model


CHUNK = 512
"""Pictures that are decoded at a time."""


@dataclass(frozen=True)
class Predictor:
    """A trained model, loaded from a run's folder (or its `model` folder)."""

    model: Model
    task: Task
    facts: Facts

    @staticmethod
    def load(path: Path | str) -> Predictor:
        """Load a model. Runs no code from it: safetensors and JSON.

        Raises:
            WeightsError: when there is none, or it does not fit.
        """
        from kitbox.models.model import Model
        from kitbox.training.checkpoints import load_weights

        folder = Path(path)
        if (folder / MODEL / saved.FACTS).exists():
            folder = folder / MODEL
        facts = saved.read(folder)
        try:
            task = registry.tasks.build(facts.task)
            backbone = registry.backbones.build(facts.backbone)
        except Mistakes as error:
            raise WeightsError(
                f"The model in {folder} needs plugins or options that are not here",
                found=str(error),
                do="Install the packages that it was trained with",
            ) from error
        body = backbone.build(facts.size, load=False, maps=task.maps())
        model = Model(body, task.head(body))
        try:
            model.load_state_dict(load_weights(folder / saved.WEIGHTS))
        except RuntimeError as error:
            raise WeightsError(
                f"The weights in {folder} do not fit their own description",
                found=str(error).splitlines()[-1].strip(),
                do="Copy the run again",
            ) from error
        return Predictor(model.eval(), task, facts)

    def predict(self, pictures: Sequence[Path | str], batch_size: int = 64) -> pd.DataFrame:
        """Predictions of picture files: `image` and one column per output.

        Raises:
            PictureError: naming the picture that cannot be read.
        """
        import pandas as pd

        tables = [
            self._predict([Path(p) for p in pictures[i : i + CHUNK]], batch_size)
            for i in range(0, len(pictures), CHUNK)
        ]
        table = pd.concat(tables, ignore_index=True)
        table.insert(0, "image", [str(picture) for picture in pictures])
        return table

    def _predict(self, pictures: Sequence[Path], batch_size: int) -> pd.DataFrame:
        import numpy as np

        from kitbox.data.batches import Loader
        from kitbox.data.targets import Fixed
        from kitbox.environment import detect
        from kitbox.results.predictions import tabulate
        from kitbox.training.step import predict

        environment = detect()
        loader = Loader(
            pixels=_decode(pictures, self.facts),
            targets=Fixed(np.zeros(len(pictures), np.int64)),
            mean=self.facts.mean,
            std=self.facts.std,
            interpolation=geometry.interpolation(self.facts.interpolation),
            fit=self.facts.fit,
            device=environment.device,
            workers=environment.workers,
            batch_size=batch_size,
        )
        self.model.to(environment.device)
        rows = np.arange(len(pictures))
        return tabulate(self.task, predict(self.model, loader, rows, self.facts.size))


def _decode(paths: Sequence[Path], facts: Facts) -> pixels.Pixels:
    import numpy as np

    from kitbox.data.images import decode

    side = pixels.side_for(facts.size)
    canvas = np.zeros((len(paths), side, side, facts.channels), np.uint8)
    extents = np.zeros((len(paths), 2), np.int32)
    sizes = np.zeros((len(paths), 2), np.int32)
    for row, path in enumerate(paths):
        try:
            picture, sizes[row] = decode(path, side, facts.channels)
        except PictureError as error:
            raise PictureError(f"{path}: {error.wrong}", do="Leave it out or mend it") from error
        extents[row] = picture.shape[:2]
        canvas[row, : extents[row, 0], : extents[row, 1]] = picture
    return pixels.Pixels(canvas, extents, sizes, {}, "in memory")
