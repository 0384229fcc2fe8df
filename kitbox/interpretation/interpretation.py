"""The base of what there is to see: what a pass over labelled pictures gathered, and top losses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from kitbox.contracts import Decides
from kitbox.errors import PluginError, counted
from kitbox.interpretation import figures
from kitbox.interpretation.figures import BAD, INK, Plot, Tile
from kitbox.interpretation.section import Section, each

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import torch

    from kitbox.data.frames import Frames
    from kitbox.interpretation.advice import Advice
    from kitbox.interpretation.scene import Scene

LISTED = 50
"""Worst pictures that a section's table lists."""


class Interpretation:
    """What a model did with N labelled pictures, to be looked at.

    A task says with `kitbox.contracts.Interprets` which class derived from this one suits it; a
    derived class says what it keeps of a batch (`keep`), what is written below a picture
    (`told`), what is drawn on it (`drawn`), which output a heat map explains (`explained`) and
    what else there is to see (`sections`, `headlines`, `advice`).

    `kitbox.interpret` fills one from a run's folder.
    """

    def __init__(self) -> None:
        self._gathered: dict[str, list[torch.Tensor]] = defaultdict(list)
        self._frames: list[Frames] = []
        self._rows: list[np.ndarray] = []
        self._scene: Scene | None = None

    # ---- the pass ----------------------------------------------------------

    def add(
        self,
        outputs: torch.Tensor,
        targets: torch.Tensor,
        losses: torch.Tensor,
        frames: Frames,
        rows: np.ndarray,
    ) -> None:
        """A batch: raw outputs and targets (B, ...), losses (B,), the rows' numbers (B,)."""
        for name, kept in self.keep(outputs, targets).items():
            self._gathered[name].append(kept.cpu())
        self._gathered["losses"].append(losses.cpu())
        self._frames.append(frames)
        self._rows.append(rows)

    def keep(self, outputs: torch.Tensor, targets: torch.Tensor) -> dict[str, torch.Tensor]:
        """What is kept of a batch, by name: tensors that are joined along their first axis.

        By default all outputs and targets, and nothing of maps (B, K, H, W): a derived class
        may keep counts of those. What is kept lies in the machine's memory, not the device's.
        """
        return {} if outputs.ndim > 3 else {"outputs": outputs, "targets": targets}

    def finish(self, seen: Interpretation, scene: Scene) -> Self:
        """This interpretation, of the task as it is after `tune`, with what another gathered."""
        self._gathered, self._frames, self._rows = seen._gathered, seen._frames, seen._rows
        self._scene = scene
        return self

    # ---- what is known -----------------------------------------------------

    @property
    def scene(self) -> Scene:
        """Model, task, pictures and table."""
        assert self._scene is not None, "finish() gives the scene"
        return self._scene

    def kept(self, name: str) -> np.ndarray:
        """What the pass kept under a name, joined.

        Raises:
            PluginError: when it kept nothing under that name.
        """
        import torch

        if not self._gathered[name]:
            raise PluginError(
                f"{type(self).__name__} kept no {name} of the pass",
                do="Let its `keep` return them; by default nothing is kept of maps",
            )
        return torch.cat(self._gathered[name]).numpy()

    @property
    def count(self) -> int:
        """N."""
        return sum(len(rows) for rows in self._rows)

    @property
    def rows(self) -> np.ndarray:
        """The row numbers (N,) in the scene's table."""
        import numpy as np

        return np.concatenate(self._rows) if self._rows else np.empty(0, np.int64)

    @cached_property
    def losses(self) -> np.ndarray:
        """The loss of each picture (N,) float."""
        import numpy as np

        return self.kept("losses") if self._rows else np.empty(0, np.float32)

    @cached_property
    def frames(self) -> Frames:
        """How the network's view lies on each of the N pictures."""
        import numpy as np

        from kitbox.data.frames import Frames

        names = ("sizes", "scale", "shift")
        joined = (np.concatenate([getattr(one, name) for one in self._frames]) for name in names)
        return Frames(self._frames[0].size, *joined)

    @property
    def table(self) -> pd.DataFrame:
        """The N pictures' rows of the run's table."""
        return self.scene.table.iloc[self.rows]

    def trained_on(self) -> bool:
        """Whether these are pictures that the network was trained on."""
        return self.count > 0 and bool((self.table["part"] == "train").all())

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """The task's predictions: N rows, a column per output."""
        return self.scene.task.predictions(self.kept("outputs"), self.frames)

    def predicted(self) -> list[str]:
        """What is predicted for each picture, in words (N,); "" where no outputs were kept."""
        if not self._gathered["outputs"]:
            return [""] * self.count
        predictions = self.predictions
        if isinstance(self.scene.task, Decides):
            return self.scene.task.decide(predictions)
        lines = []
        for row in each(predictions.head(self.count)):
            cells = list(zip(predictions.columns, row, strict=True))[:3]
            lines.append(", ".join(f"{n} {c:.4g}" if _number(c) else f"{n} {c}" for n, c in cells))
        return lines

    def truth(self) -> list[str]:
        """What is right for each picture, in words (N,); "" where no targets were kept."""
        import numpy as np

        if not self._gathered["targets"]:
            return [""] * self.count

        blank = np.zeros((8, 8, 3), np.uint8)
        return [self.scene.task.draw(blank, target)[1] for target in self.kept("targets")]

    # ---- top losses --------------------------------------------------------

    def worst(self, k: int | None = None) -> np.ndarray:
        """The places (0 to N - 1) of the k pictures with the highest losses, worst first."""
        import numpy as np

        losses = np.nan_to_num(self.losses, nan=-np.inf)
        return np.argsort(-losses, kind="stable")[:k]

    def top_losses(self, k: int | None = None) -> pd.DataFrame:
        """The k worst pictures (all by default): `id`, `image`, `loss`, `predicted`, `truth`."""
        return self.described(self.worst(k))

    def described(self, places: np.ndarray) -> pd.DataFrame:
        """A row for each of the places (0 to N - 1); a derived class may have more columns."""
        import pandas as pd

        rows = self.table.iloc[places]
        predicted, truth = self.predicted(), self.truth()
        return pd.DataFrame(
            {
                "id": rows["id"].to_numpy(),
                "image": rows["image"].to_numpy(),
                "loss": self.losses[places],
                "predicted": [predicted[place] for place in places],
                "truth": [truth[place] for place in places],
            }
        )

    def plot_top_losses(self, k: int = 9, *, heatmap: bool = True) -> Plot:
        """The k worst pictures with prediction, truth and loss, and where the net looked.

        Args:
            heatmap: lay a heat map of the predicted output over each picture, where there is one.
        """
        return self.plot_pictures(self.worst(k), heatmap=heatmap)

    def plot_pictures(
        self,
        places: np.ndarray | Sequence[int],
        *,
        heatmap: bool = False,
        columns: int = 3,
        title: str = "",
        rows: Sequence[str] = (),
    ) -> Plot:
        """Pictures of some places (0 to N - 1), as the model sees them, with what `told` says."""
        import numpy as np

        places = np.asarray(places, np.int64)
        heats = self.heat(places) if heatmap else None
        told = self.told(places)
        shown = [
            Tile(picture, lines, None if heats is None else heats[number])
            for number, (picture, lines) in enumerate(zip(self.drawn(places), told, strict=True))
        ]
        return figures.tiles(shown, columns=columns, title=title, rows=rows)

    def told(self, places: np.ndarray) -> list[list[tuple[str, str]]]:
        """The lines below each picture: text and colour."""
        rows = self.described(places)
        lines = [
            [(row.predicted, INK), (row.truth, BAD), (f"loss {row.loss:.3g}", figures.GREY)]
            for row in each(rows)
        ]
        return [[line for line in told if line[0]] for told in lines]

    def drawn(self, places: np.ndarray) -> list[np.ndarray]:
        """The pictures (H, W, 3) uint8 of some places, with what is drawn on them."""
        return self.scene.pictures(self.rows[places])

    def explained(self, places: np.ndarray) -> Sequence[int] | None:
        """The number of the output (of K) that a heat map of each picture explains, or None."""
        return None

    def heat(self, places: np.ndarray) -> np.ndarray | None:
        """Heat maps (B, H, W) from 0 to 1 of some places; None where the task has none to show.

        Raises:
            KitboxError: when the network has other weights now than in the pass.
        """
        from kitbox.interpretation import heat

        outputs = self.explained(places) if len(places) else None
        if outputs is None:
            return None
        network = self.scene.network()
        images, _ = self.scene.images(self.rows[places])
        return heat.heat(network, images, outputs)

    # ---- the whole ---------------------------------------------------------

    def __repr__(self) -> str:
        shown = sorted(one for one in dir(type(self)) if one.startswith("plot_"))
        lines = [f"{type(self).__name__} of {counted(self.count, 'picture')}"]
        whole = self.count and self._scene is not None
        lines += [f"  {line}" for line in (self.headlines() if whole else [])]
        lines += [f"  {'(), '.join(shown)}()", "  advice(), scores of all in sections()"]
        return "\n".join(lines)

    def sections(self) -> list[Section]:
        """What there is to see, in the order in which a person reads it."""
        return [*self.own_sections(), self._top_section()] if self.count else []

    def own_sections(self) -> list[Section]:
        """The sections of a derived class, before that of the top losses."""
        return []

    def _top_section(self) -> Section:
        import numpy as np

        text = (
            "The pictures that cost the most, worst first. A wrong label shows here before "
            "anywhere else."
        )
        if self.explained(np.zeros(1, np.int64)) is not None:
            text += (
                " Colours lie where the network looked for what it says, red where most; "
                "without any, nothing in the picture speaks for it."
            )
        return Section(
            "Top losses",
            text,
            {"top losses": self.top_losses(LISTED)},
            {"top losses": self.plot_top_losses(9)},
        )

    def headlines(self) -> list[str]:
        """The most important of it, a line each, for a terminal."""
        worst = self.top_losses(3)
        return [
            f"loss {row.loss:.3g}: {row.image}"
            + (f" ({row.predicted}; true: {row.truth})" if row.predicted or row.truth else "")
            for row in each(worst)
        ]

    def advice(self, *, copies: bool | None = None) -> list[Advice]:
        """What was seen that a change of the recipe may mend; empty where all looks well.

        Args:
            copies: look for near-duplicates across the split too; by default where all labelled
                pictures were read anyway, and are 20,000 at most.
        """
        from kitbox.interpretation import advice

        return advice.collect(self, copies=copies)

    def own_advice(self) -> list[Advice]:
        """The advice of a derived class, beside that of the log."""
        return []

    def doubtful(self) -> np.ndarray:
        """Places (0 to N - 1) of pictures whose label may be wrong, not to be learned harder."""
        import numpy as np

        return np.empty(0, np.int64)

    def write_hard(self, path: Path | str, *, share: float = 0.1, weight: float = 3.0) -> Path:
        """Write the problem cases as a csv file that a recipe takes: `sampler: {csv: hard.csv}`.

        They are the training pictures that the model does worst on, found by a pass over all
        of them, without those whose label looks wrong.

        Args:
            path: the file; columns `image`, `weight`, `loss`.
            share: of the training pictures.
            weight: how much more often than others they are to be drawn.

        Raises:
            StorageError: when it cannot be written, or is somebody's.
            KitboxError: when the training pictures were not read (`kitbox.interpret(run,
                train=True)` reads them), or the network has other weights now.
        """
        from kitbox.interpretation import hard

        return hard.write(self, Path(path), share=share, weight=weight)


def _number(cell: Any) -> bool:
    import numpy as np

    return isinstance(cell, float | int | np.number)
