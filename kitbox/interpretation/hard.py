"""Problem cases: the training pictures that a model does worst on, drawn more often."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from kitbox import storage
from kitbox.errors import KitboxError

if TYPE_CHECKING:
    import pandas as pd

    from kitbox.interpretation.interpretation import Interpretation

HEADER = ("image", "weight", "loss")


def write(seen: Interpretation, path: Path, *, share: float, weight: float) -> Path:
    """Write the worst `share` of the training pictures with a `weight`, worst first.

    Pictures whose label may be wrong (`Interpretation.doubtful`) are left out: to learn those
    harder makes it worse. A model that was trained on a wrong label may have learned it, so not all
    of them are found.

    Raises:
        StorageError: when it cannot be written, or is somebody's.
        KitboxError: when the training pictures are not here.
    """
    storage.refuse_strangers(path, ",".join(HEADER))
    table = cases(seen, share=share, weight=weight)
    text = io.StringIO()
    table.to_csv(text, index=False, float_format="%.6g", lineterminator="\n")
    storage.write(path, text.getvalue().encode("utf-8", "surrogateescape"))
    return path


def cases(seen: Interpretation, *, share: float, weight: float) -> pd.DataFrame:
    """The worst `share` of the training pictures: `image`, `weight`, `loss`."""
    import numpy as np
    import pandas as pd

    from kitbox.interpretation.watch import look

    if not (0 < share <= 1 and weight > 0):
        raise KitboxError(
            "Problem cases are a share from 0 to 1 with a weight above 0",
            found=f"share {share:g}, weight {weight:g}",
        )
    scene = seen.scene
    rows = np.flatnonzero(scene.table["part"] == "train")
    if not len(rows):
        raise KitboxError(
            "The training pictures were not read, so nothing is known of them",
            do="Ask for them: kitbox.interpret(run, train=True)",
        )
    trained = look(scene, rows)
    doubted = set(trained.doubtful().tolist())
    count = max(1, round(share * len(rows)))
    places = [place for place in trained.worst().tolist() if place not in doubted][:count]
    return pd.DataFrame(
        {
            "image": trained.table["image"].to_numpy()[places],
            "weight": float(weight),
            "loss": trained.losses[places],
        }
    )
