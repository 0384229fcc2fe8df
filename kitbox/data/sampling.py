"""How often training pictures are drawn: weights from a csv file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from kitbox.errors import LabelError, nearest, some
from kitbox.labelers.csvs import open_csv
from kitbox.options import Options

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

NAMES, WEIGHT = ("image", "id"), "weight"


class Listed(Options):
    """Training pictures drawn as often as a csv file says, relative to the others."""

    csv: Path = Field(
        description="csv file with a column `image` or `id` and a column `weight` above 0, as "
        "`kitbox interpret RUN --hard` writes it; pictures that it does not name have the weight "
        "1; relative to the working folder"
    )

    def digest(self, rows: pd.DataFrame) -> str:
        """A hash of the training rows' weights: a run that is gone on with wants the same ones.

        Raises:
            LabelError: as `weights`.
        """
        import hashlib

        found = self.weights(rows[rows["part"] == "train"])
        return hashlib.blake2b(found.tobytes(), digest_size=8).hexdigest()

    def weights(self, rows: pd.DataFrame) -> np.ndarray:
        """The weight of each of some training rows (N,), which have `id` and `image`.

        Pictures that the file names beside them, in validation say, change nothing.

        Raises:
            LabelError: when the file is not there, has other columns or weights that are no
                numbers above 0, names a picture twice, or none of the rows.
        """
        import numpy as np
        import pandas as pd

        path = self.csv.expanduser()
        if not path.is_file():
            raise LabelError(
                f"The file of weights does not exist: {path.absolute()}",
                do="Correct `sampler.csv` (relative to where you are), or make it: "
                f"kitbox interpret RUN --hard {path}",
            )
        opened = open_csv(path)
        column = next((name for name in NAMES if name in opened.columns), "")
        for name in (column or NAMES[0], WEIGHT):
            if name not in opened.columns:
                raise LabelError(
                    f"The file of weights has no column '{name}': {path}",
                    found=f"columns {some(opened.columns)}",
                    do=nearest(name, opened.columns),
                )
        table = opened.read().dropna(subset=[column])
        values = pd.to_numeric(table[WEIGHT], errors="coerce")
        wrong = ~(np.isfinite(values) & (values > 0))
        if wrong.any():
            raise LabelError(
                f"Weights in {path} are no numbers above 0",
                found=some(
                    f"{name}: {cell}"
                    for name, cell in zip(
                        table.loc[wrong, column], table.loc[wrong, WEIGHT], strict=True
                    )
                ),
                do="A picture that is never to be drawn is left out with `exclude`",
            )
        if (doubled := table[column].duplicated()).any():
            raise LabelError(
                f"{path} names pictures more than once",
                found=some(table.loc[doubled, column]),
                do="Give each one weight",
            )
        known = dict(zip(table[column], values.astype(float), strict=True))
        if known and not rows[column].astype(str).isin(known).any():
            raise LabelError(
                f"None of the {len(known)} pictures in {path} is a training picture",
                found=f"{some(list(known), 2)}, and in training {some(rows[column], 2)}",
                do="Make it from a run of this recipe: kitbox interpret RUN --hard",
            )
        return np.array([known.get(str(name), 1.0) for name in rows[column]], np.float64)
