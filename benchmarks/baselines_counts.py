"""Numbers: recipes/bccd.yaml beside the training mean and a plain timm regression net.

    python benchmarks/baselines_counts.py [folder for the run]

Root mean squared error of the counts on the validation rows. Same weights, size,
epochs and split.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import plain_regression as plain
import yaml

RECIPE = "recipes/bccd.yaml"


def main(folder: Path) -> None:
    """Run all three and print a table."""
    recipe = yaml.safe_load((plain.ROOT / RECIPE).read_text())
    data = plain.ROOT / recipe["source"]["path"]
    table = plain.kitbox_run(RECIPE, folder / "bccd")
    labelled = table[table["part"] != "test"].reset_index(drop=True)
    columns = list(plain.predicted(folder / "bccd").columns)
    counts = labelled[columns].to_numpy(float)
    train, valid = (np.flatnonzero(labelled["part"] == part) for part in ("train", "valid"))
    pictures, _ = plain.read([data / name for name in labelled["image"]], recipe["size"])

    ours = plain.predicted(folder / "bccd").loc[labelled["id"][valid], columns].to_numpy()
    mean = np.tile(counts[train].mean(axis=0), (len(valid), 1))
    epochs = sum(stage["epochs"] for stage in recipe["stages"])
    net = plain.train(
        pictures, counts, train, valid, epochs=epochs, batch_size=recipe["batch_size"]
    )
    rows = []
    for name, found in (
        ("training mean", mean),
        (f"plain net, {epochs} epochs", net),
        (f"kitbox run, {epochs} epochs", ours),
    ):
        errors = np.sqrt(((found - counts[valid]) ** 2).mean(axis=0))
        rows.append((name, [*errors, errors.mean()]))
    plain.show(f"bccd: {len(train)} train, {len(valid)} validate", [*columns, "mean"], rows)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as place:
            main(Path(place))
