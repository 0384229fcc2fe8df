"""Masks: recipes/camvid.yaml beside segmentation_models_pytorch's U-Net in a plain loop.

    python benchmarks/baselines_masks.py [folder for the run]

Pixel accuracy without void and mean IoU on the validation rows, at the pictures' own
size, computed here from the mask files for both. Same weights, size, batch, epochs and
split. A run that the folder holds already is used as it is.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import segmentation_models_pytorch as smp
import timm
import torch
import yaml
from PIL import Image
from plain_regression import ROOT, WEIGHTS, kitbox_run
from torch.nn import functional as F

from kitbox import Runs

RECIPE = "recipes/camvid.yaml"
VOID = 255


def main(folder: Path) -> None:
    """Run both and print a table."""
    recipe = yaml.safe_load((ROOT / RECIPE).read_text())
    data = ROOT / recipe["source"]["path"]
    table = kitbox_run(RECIPE, folder / "camvid")
    names = (data / "codes.txt").read_text().split()
    void = names.index(recipe["task"]["void"])
    parts = {
        part: [data / image for image in table.loc[table["part"] == part, "image"]]
        for part in ("train", "valid")
    }
    masks = {part: [read_mask(path, void) for path in paths] for part, paths in parts.items()}
    epochs = sum(stage["epochs"] for stage in recipe["stages"])

    began = time.monotonic()
    net = train(parts["train"], masks["train"], recipe, len(names) - 1, epochs)
    print(f"plain net: {time.monotonic() - began:.0f} s to train")
    plain = [segment(net, path, recipe["size"]) for path in parts["valid"]]
    ours = predicted(folder / "camvid", [name for name in names if name != names[void]])

    print(f"\ncamvid: {len(masks['train'])} train, {len(masks['valid'])} validate")
    print(f"{'':34}{'pixel accuracy':>16}{'mean IoU':>12}")
    for name, found in (
        (f"plain smp.Unet, {epochs} epochs", plain),
        (f"kitbox run, {epochs} epochs", ours),
    ):
        accuracy, iou = score(masks["valid"], found)
        print(f"{name:34}{accuracy:16.4f}{iou:12.4f}")


def predicted(out: Path, names: list[str]) -> list[np.ndarray]:
    """What the run predicted of its validation rows: class numbers (h, w) each."""
    table = pd.read_csv(out / "predictions_valid.csv")
    found = []
    for _, row in table.iterrows():
        planes = np.stack([Runs.parse(row[name]).mask() for name in names])
        assert (planes.sum(axis=0) == 1).all(), "every pixel has one class"
        found.append(planes.argmax(axis=0))
    return found


def read_mask(picture: Path, void: int) -> np.ndarray:
    """Class numbers (h, w), `VOID` where not counted; void is the last of the codes."""
    mask = np.array(Image.open(picture.parents[1] / "labels" / f"{picture.stem}_P.png"))
    return np.where(mask == void, VOID, mask).astype(np.uint8)


def read_picture(path: Path, size: list[int]) -> np.ndarray:
    """A picture (H, W, 3) uint8, squashed to the size."""
    return np.array(Image.open(path).convert("RGB").resize(size[::-1], Image.Resampling.BILINEAR))


def normal(pictures: np.ndarray) -> torch.Tensor:
    """Pictures (B, H, W, 3) as the weights want them, (B, 3, H, W)."""
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return ((torch.from_numpy(pictures).float() / 255 - mean) / std).permute(0, 3, 1, 2)


def train(
    paths: list[Path],
    masks: list[np.ndarray],
    recipe: dict,
    classes: int,
    epochs: int,
    *,
    lr: float = 1e-3,
    seed: int = 42,
) -> torch.nn.Module:
    """All layers by Adam and cross-entropy, half of the pictures mirrored."""
    torch.manual_seed(seed)
    net = smp.Unet("tu-mobilenetv2_100", encoder_weights=None, classes=classes)
    weights = timm.create_model(
        "mobilenetv2_100",
        features_only=True,
        pretrained=True,
        pretrained_cfg_overlay={"file": str(WEIGHTS)},
    ).state_dict()
    net.encoder.model.load_state_dict(weights)
    size = recipe["size"]
    pictures = np.stack([read_picture(path, size) for path in paths])
    targets = np.stack(
        [np.array(Image.fromarray(m).resize(size[::-1], Image.Resampling.NEAREST)) for m in masks]
    )
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    rng = np.random.default_rng(seed)
    for epoch in range(1, epochs + 1):
        began, total = time.monotonic(), 0.0
        net.train()
        order = rng.permutation(len(paths))
        for rows in np.array_split(order, -(-len(order) // recipe["batch_size"])):
            images, wanted = pictures[rows], targets[rows]
            mirrored = rng.random(len(rows)) < 0.5
            images[mirrored] = images[mirrored, :, ::-1]
            wanted[mirrored] = wanted[mirrored, :, ::-1]
            outputs = net(normal(images))
            loss = F.cross_entropy(outputs, torch.from_numpy(wanted).long(), ignore_index=VOID)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        seconds = time.monotonic() - began
        print(f"plain net, epoch {epoch}: loss {total / len(order):.4f}, {seconds:.0f} s")
    return net.eval()


@torch.inference_mode()
def segment(net: torch.nn.Module, path: Path, size: list[int]) -> np.ndarray:
    """Class numbers (h, w) of a picture, its outputs scaled to its own size."""
    with Image.open(path) as picture:
        own = picture.size[::-1]
    outputs = net(normal(read_picture(path, size)[None]))
    return F.interpolate(outputs, own, mode="bilinear")[0].argmax(0).numpy()


def score(masks: list[np.ndarray], found: list[np.ndarray]) -> tuple[float, float]:
    """Pixel accuracy and mean IoU over all pictures, without void."""
    true = np.concatenate([mask[mask != VOID] for mask in masks])
    guess = np.concatenate([one[mask != VOID] for mask, one in zip(masks, found, strict=True)])
    ious = []
    for number in np.union1d(true, guess):
        both = np.sum((true == number) & (guess == number))
        ious.append(both / np.sum((true == number) | (guess == number)))
    return float((true == guess).mean()), float(np.mean(ious))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as place:
            main(Path(place))
