"""Points: recipes/faces68.yaml beside the training mean and a plain timm regression net.

    python benchmarks/baselines_faces.py [folder for the run]

Mean error in pixels of the pictures as their files have them, on the validation rows
(other people than those that train). Same weights, size, epochs and split.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import plain_regression as plain
import yaml

RECIPE = "recipes/faces68.yaml"


def main(folder: Path) -> None:
    """Run all three and print a table."""
    recipe = yaml.safe_load((plain.ROOT / RECIPE).read_text())
    data = plain.ROOT / recipe["source"]["path"]
    table = plain.kitbox_run(RECIPE, folder / "faces68")
    labelled = table[table["part"] != "test"].reset_index(drop=True)
    columns = [f"{axis}{i}" for i in range(68) for axis in "xy"]
    xy = labelled[columns].to_numpy(float)
    train, valid = (np.flatnonzero(labelled["part"] == part) for part in ("train", "valid"))
    pictures, sizes = plain.read([data / name for name in labelled["image"]], recipe["size"])
    scale = np.tile(sizes, 68)  # a point as a share of its picture

    ours = plain.predicted(folder / "faces68").loc[labelled["id"][valid], columns].to_numpy()
    mean = np.tile((xy / scale)[train].mean(axis=0), (len(valid), 1)) * scale[valid]
    epochs = sum(stage["epochs"] for stage in recipe["stages"])
    net = plain.train(
        pictures, xy / scale, train, valid, epochs=epochs, batch_size=recipe["batch_size"]
    )
    rows = []
    for name, found in (
        ("training mean", mean),
        (f"plain net, {epochs} epochs", net * scale[valid]),
        (f"kitbox run, {epochs} epochs", ours),
    ):
        apart = np.hypot(*(found - xy[valid]).reshape(len(valid), -1, 2).transpose(2, 0, 1))
        wide = xy[valid].reshape(len(valid), -1, 2)
        eyes = np.hypot(*(wide[:, 36] - wide[:, 45]).T)
        rows.append((name, [apart.mean(), (apart.mean(axis=1) / eyes).mean()]))
    plain.show(
        f"faces68: {len(train)} train, {len(valid)} validate", ["pixels", "of eyes apart"], rows
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as place:
            main(Path(place))
