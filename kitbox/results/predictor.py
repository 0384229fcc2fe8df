"""A saved model put to use: pictures in, a table out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kitbox import registry
from kitbox.allocator import keep_freed
from kitbox.contracts import Task
from kitbox.data import files, geometry, pixels
from kitbox.errors import PictureError, WeightsError, counted, some
from kitbox.options import Mistakes
from kitbox.results import presence, saved
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
        presence.check(folder, WeightsError)
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
        pictures: Path | str | Iterable[Path | str],
        batch_size: int = 64,
        *,
        broken: dict[str, str] | None = None,
        blank: bool = False,
    ) -> pd.DataFrame:
        """Predictions of picture files: `image` and one column per output.

        Files are decoded as in training: a large JPEG at half, a quarter or an eighth of its
        size where that is enough for the network. The same picture from memory (as
        `Learner.predict` takes it), or in another format, is decoded whole and then made
        smaller, so its outputs differ a little.

        Args:
            pictures: a file, a folder (all pictures below it), or several of them.
            broken: takes the pictures that cannot be read, and why; they are left out.
            blank: those that cannot be read are not left out, but predicted as if blank.

        Raises:
            PictureError: naming the pictures that cannot be read, unless `broken` takes them;
                for what names no file, and for a folder without pictures.
        """
        import pandas as pd

        paths = listed(pictures)

        unreadable: dict[str, str] = {} if broken is None else broken
        tables = [
            self._predict([str(p) for p in paths[i : i + CHUNK]], batch_size, unreadable, blank)
            for i in range(0, len(paths), CHUNK)
        ]
        if unreadable and broken is None:
            raise PictureError(
                f"{len(unreadable)} of {counted(len(paths), 'picture')} cannot be read",
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


def listed(pictures: Path | str | Iterable[Path | str]) -> list[Path | str]:
    """The picture files that a person named: a file, a folder, or several of them.

    Files are not looked for; of a folder all pictures below it.

    Raises:
        PictureError: for what names no file, and for a folder without pictures.
    """
    if isinstance(pictures, str | os.PathLike):
        pictures = [pictures]
    elif isinstance(pictures, bytes) or not isinstance(pictures, Iterable):
        raise _no_name(pictures)
    found: list[Path | str] = []
    for one in pictures:
        if not isinstance(one, str | os.PathLike):
            raise _no_name(one)
        if not os.path.isdir(one):
            found.append(one)
        elif below := files.pictures(Path(one)):
            found += [Path(one) / name for name in below]
        else:
            raise PictureError(
                f"There are no pictures below {one}", do="Give picture files, or a folder of them"
            )
    return found


def _no_name(given: object) -> PictureError:
    kind = f"{type(given).__module__}.{type(given).__name__}".removeprefix("builtins.")
    return PictureError(
        f"A {kind} is not the name of a picture file",
        do="Give the path of a file or folder, or a list of them; a picture in memory is saved to "
        "a file first",
    )
