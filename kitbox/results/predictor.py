"""A saved model put to use: pictures in, a table out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kitbox import registry
from kitbox.allocator import keep_freed
from kitbox.contracts import Task
from kitbox.data import geometry, pixels
from kitbox.errors import PictureError, WeightsError, some
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

    def __repr__(self) -> str:
        height, width = self.facts.size
        return f"Predictor: {self.facts.task['use']}, {height}x{width} pixels"

    @staticmethod
    def load(path: Path | str) -> Predictor:
        """Load a model. Runs no code from it: safetensors and JSON.

        Raises:
            WeightsError: when there is none, or it does not fit.
        """
        from kitbox.models.model import Model

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
            model.load_state_dict(saved.weights(folder, facts))
        except RuntimeError as error:
            raise WeightsError(
                f"The weights in {folder} do not fit their own description",
                found=str(error).splitlines()[-1].strip(),
                do="Copy the run again",
            ) from error
        return Predictor(model.eval(), task, facts)

    def predict(
        self,
        pictures: Sequence[Path | str],
        batch_size: int = 64,
        *,
        broken: dict[str, str] | None = None,
        blank: bool = False,
    ) -> pd.DataFrame:
        """Predictions of picture files: `image` and one column per output.

        Args:
            broken: takes the pictures that cannot be read, and why; they are left out.
            blank: those that cannot be read are not left out, but predicted as if blank.

        Raises:
            PictureError: naming the pictures that cannot be read, unless `broken` takes them.
        """
        import pandas as pd

        unreadable: dict[str, str] = {} if broken is None else broken
        tables = [
            self._predict([str(p) for p in pictures[i : i + CHUNK]], batch_size, unreadable, blank)
            for i in range(0, len(pictures), CHUNK)
        ]
        if unreadable and broken is None:
            raise PictureError(
                f"{len(unreadable)} of {len(pictures)} pictures cannot be read",
                found=some(f"{name} ({why})" for name, why in unreadable.items()),
                do="Leave them out or mend them",
            )
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame({"image": []})

    def _predict(
        self, names: Sequence[str], batch_size: int, unreadable: dict[str, str], blank: bool
    ) -> pd.DataFrame:
        import numpy as np

        from kitbox.data.batches import Loader
        from kitbox.data.targets import Fixed
        from kitbox.environment import detect
        from kitbox.models.forward import BothWays, predict
        from kitbox.results.tables import tabulate

        environment = detect()
        if environment.device == "cpu":
            keep_freed()
        decoded = pixels.load(
            Path(),
            [str(Path(name).absolute()) for name in names],
            side=pixels.side_for(self.facts.size),
            channels=self.facts.channels,
            cache=None,
            workers=environment.workers,
        )
        unreadable.update({names[row]: why for row, why in decoded.broken.items()})
        left_out = {} if blank else decoded.broken
        rows = np.array([row for row in range(len(names)) if row not in left_out], np.int64)
        loader = Loader(
            pixels=decoded,
            targets=Fixed(np.zeros(len(names), np.int64)),
            mean=self.facts.mean,
            std=self.facts.std,
            interpolation=geometry.interpolation(self.facts.interpolation),
            fit=self.facts.fit,
            device=environment.device,
            workers=environment.workers,
            batch_size=batch_size,
        )
        self.model.to(environment.device)
        model = BothWays(self.model, self.task) if self.facts.tta else self.model
        table = tabulate(self.task, predict(model, loader, rows, self.facts.size))
        table.insert(0, "image", [names[row] for row in rows])
        return table
