"""Tags: a linear probe on frozen features beside recipes/camvid_tags.yaml.

The probe: the recipe's network and weights, frozen, pictures at the recipe's size
without variation; a linear layer trained by binary cross-entropy with AdamW and one
cycle for as many epochs as the recipe has, in its batches. Both sides choose their
thresholds on the validation rows by kitbox's own rules, for F1 and for F2 each, one
for all labels and one per label; scikit-learn says what that gives. `--logistic`
adds scikit-learn's logistic regression, trained to the end, with its best C.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, fbeta_score

from kitbox.tasks import thresholds

RECIPE = Path("recipes/camvid_tags.yaml")
Figures = dict[str, float]


def main(arguments: Sequence[str]) -> None:
    """Print the figures of the probe and of kitbox, seed by seed."""
    parser = argparse.ArgumentParser("baselines.py tags", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[42])
    parser.add_argument("--out", type=Path, default=Path("runs/baseline-tags"))
    parser.add_argument("--logistic", action="store_true")
    given = parser.parse_args(arguments)
    rows: list[tuple[str, str, Figures]] = []
    for seed in given.seeds:
        ours, folder = follow(seed, given.out)
        features = extract(folder)
        rows.append(("probe", str(seed), probe(features, seed)))
        rows.append(("kitbox", str(seed), ours))
    if given.logistic:
        rows.append(("logistic", "-", logistic(features)))
    everything = np.ones_like(features.valid_truth, float)
    rows.append(("every label", "-", figures(features.valid_truth, everything)))
    table = pd.DataFrame([{"who": who, "seed": seed, **f} for who, seed, f in rows])
    print(table.to_string(index=False, float_format="%.4f"))
    print(table.drop(columns="seed").groupby("who").mean().to_string(float_format="%.4f"))


def figures(truth: np.ndarray, probabilities: np.ndarray) -> Figures:
    """F-beta over pictures with one threshold and with one per label; mean average precision."""
    found = {}
    for beta in (2, 1):
        metric = {"use": "f_beta", "beta": beta}
        for name, rule in (("", thresholds.one), (" each", thresholds.each)):
            chosen = probabilities > rule(metric, truth, probabilities)
            score = fbeta_score(truth, chosen, beta=beta, average="samples", zero_division=0)
            found[f"F{beta}{name}"] = float(score)
    there = np.flatnonzero(truth.any(axis=0))
    each = [average_precision_score(truth[:, k], probabilities[:, k]) for k in there]
    return {**found, "mAP": float(np.mean(each))}


def follow(seed: int, out: Path) -> tuple[Figures, Path]:
    """Our figures and the run's folder, from a real run of the recipe."""
    import kitbox

    recipe = kitbox.read_recipe(RECIPE, [f"seed={seed}"])
    done = kitbox.run(recipe, out / f"seed-{seed}")
    predicted = pd.read_csv(done.folder / "predictions_valid.csv", dtype={"id": str}).set_index(
        "id"
    )
    truth = tags(done.folder, "valid").reindex(columns=predicted.columns)
    return figures(truth.loc[predicted.index].to_numpy(), predicted.to_numpy()), done.folder


def tags(folder: Path, part: str) -> pd.DataFrame:
    """Which labels the rows of a part have, by id, from the data's own file."""
    import kitbox

    recipe = kitbox.read_recipe(RECIPE)
    source = Path(recipe.source.fetch(folder))
    table = pd.read_csv(source / "tags.csv", dtype=str).set_index("image_name")
    table = table[table["part"] == part]
    return table["tags"].fillna("").str.get_dummies(" ")


class Features:
    """Frozen features and labels of both parts."""

    def __init__(self, folder: Path) -> None:
        import timm
        import torch
        from PIL import Image

        import kitbox

        recipe = kitbox.read_recipe(RECIPE)
        source, (height, width) = Path(recipe.source.fetch(folder)), recipe.hw
        options = kitbox.read_recipe(RECIPE).model_dump(mode="json")["backbone"]
        overlay = {"file": options["weights"]}
        net = timm.create_model(
            options["name"], pretrained=True, pretrained_cfg_overlay=overlay, num_classes=0
        ).eval()
        mean = np.array(net.pretrained_cfg["mean"], np.float32)
        std = np.array(net.pretrained_cfg["std"], np.float32)

        def embed(names: Sequence[str]) -> np.ndarray:
            found = []
            for name in names:
                with Image.open(source / "images" / f"{name}.jpg") as file:
                    small = file.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
                picture = (np.asarray(small, np.float32) / 255 - mean) / std
                found.append(torch.from_numpy(picture).permute(2, 0, 1))
            with torch.inference_mode():
                return torch.cat([net(torch.stack(b)) for b in _parts(found, 32)]).numpy()

        train, valid = tags(folder, "train"), tags(folder, "valid")
        valid = valid.reindex(columns=train.columns, fill_value=0)
        self.train, self.train_truth = embed(list(train.index)), train.to_numpy()
        self.valid, self.valid_truth = embed(list(valid.index)), valid.to_numpy()
        self.batch_size = recipe.batch_size
        self.epochs = sum(stage.epochs for stage in recipe.stages)


_KEPT: list[Features] = []


def extract(folder: Path) -> Features:
    """The features; computed once."""
    if not _KEPT:
        _KEPT.append(Features(folder))
    return _KEPT[0]


def probe(features: Features, seed: int, rate: float = 4e-3) -> Figures:
    """A linear layer trained for the recipe's epochs."""
    import torch

    torch.manual_seed(seed)
    x, y = torch.from_numpy(features.train), torch.from_numpy(features.train_truth).float()
    layer = torch.nn.Linear(x.shape[1], y.shape[1])
    optimizer = torch.optim.AdamW(layer.parameters(), lr=rate, weight_decay=0.01)
    steps = -(-len(x) // features.batch_size) * features.epochs
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    for _ in range(features.epochs):
        for rows in torch.randperm(len(x)).split(features.batch_size):
            loss = torch.nn.functional.binary_cross_entropy_with_logits(layer(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    with torch.inference_mode():
        found = torch.sigmoid(layer(torch.from_numpy(features.valid))).numpy()
    return figures(features.valid_truth, found)


def logistic(features: Features) -> Figures:
    """Scikit-learn's logistic regression of each label on scaled features, of the best C."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(features.train)
    x, z = scaler.transform(features.train), scaler.transform(features.valid)
    results = []
    for strength in (1e-4, 1e-3, 1e-2, 0.1, 1.0):
        found = np.empty(features.valid_truth.shape)
        for k, truth in enumerate(features.train_truth.T):
            found[:, k] = truth[0]
            if truth.min() < truth.max():
                model = LogisticRegression(C=strength, max_iter=2000).fit(x, truth)
                found[:, k] = model.predict_proba(z)[:, 1]
        results.append(figures(features.valid_truth, found))
    return max(results, key=lambda one: one["F1 each"])


def _parts(items: list, size: int) -> list[list]:
    return [items[i : i + size] for i in range(0, len(items), size)]


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
