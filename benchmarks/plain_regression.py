"""A plain timm regression net in an ordinary PyTorch loop, and `kitbox run` beside it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import timm
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS = ROOT.parent / "shared" / "weights" / "mobilenetv2_100.safetensors"


def kitbox_run(recipe: str, out: Path, changes: Sequence[str] = ()) -> pd.DataFrame:
    """Run a recipe as a person would; its table, with the column `part`."""
    command = [sys.executable, "-m", "kitbox"]
    command += ["run", recipe, "--out", str(out)]
    command += [part for change in changes for part in ("--set", change)]
    cache = os.environ.get("KITBOX_CACHE", str(out.parent / "cache"))
    subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, "KITBOX_CACHE": cache})
    return pd.read_csv(out / "table.csv", dtype={"id": str})


def predicted(out: Path) -> pd.DataFrame:
    """What a run predicted of its validation rows, by id."""
    return pd.read_csv(out / "predictions_valid.csv", dtype={"id": str}).set_index("id")


def read(files: Sequence[Path], size: int | Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (N, H, W, 3) uint8, squashed, and their own sizes (N, 2), w and h."""
    height, width = (size, size) if isinstance(size, int) else size

    def one(path: Path) -> tuple[np.ndarray, tuple[int, int]]:
        with Image.open(path) as picture:
            squashed = picture.convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
            return np.asarray(squashed), picture.size

    with ThreadPoolExecutor(2) as pool:
        pictures, sizes = zip(*pool.map(one, files), strict=True)
    return np.stack(pictures), np.array(sizes)


def train(
    pictures: np.ndarray,
    targets: np.ndarray,
    train: np.ndarray,
    valid: np.ndarray,
    *,
    epochs: int,
    batch_size: int,
    lr: float = 1e-3,
    seed: int = 42,
) -> np.ndarray:
    """Train all layers by Adam and mean squared error; predictions of the valid rows (M, K).

    Targets (N, K) are learned with mean 0 and standard deviation 1.
    """
    torch.manual_seed(seed)
    net = timm.create_model(
        "mobilenetv2_100",
        pretrained=True,
        pretrained_cfg_overlay={"file": str(WEIGHTS)},
        num_classes=targets.shape[1],
    )
    settings = net.pretrained_cfg
    mean, std = torch.tensor(settings["mean"]) * 255, torch.tensor(settings["std"]) * 255
    centre, spread = targets[train].mean(axis=0), targets[train].std(axis=0)
    wanted = torch.from_numpy(((targets - centre) / spread).astype(np.float32))

    def batch(rows: np.ndarray) -> torch.Tensor:
        return ((torch.from_numpy(pictures[rows]).float() - mean) / std).permute(0, 3, 1, 2)

    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    rng = np.random.default_rng(seed)
    for epoch in range(1, epochs + 1):
        began, total = time.monotonic(), 0.0
        net.train()
        order = rng.permutation(train)
        for rows in np.array_split(order, -(-len(order) // batch_size)):
            loss = torch.nn.functional.mse_loss(net(batch(rows)), wanted[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        seconds = time.monotonic() - began
        print(f"plain net, epoch {epoch}: loss {total / len(order):.4f}, {seconds:.0f} s")
    net.eval()
    with torch.inference_mode():
        parts = [
            net(batch(rows)).numpy() for rows in np.array_split(valid, -(-len(valid) // batch_size))
        ]
    return np.concatenate(parts) * spread + centre


def show(title: str, columns: Sequence[str], rows: Sequence[tuple[str, Sequence[float]]]) -> None:
    """Print a table."""
    print(f"\n{title}")
    print(f"{'':34}" + "".join(f"{name:>14}" for name in columns))
    for name, values in rows:
        print(f"{name:34}" + "".join(f"{value:14.3f}" for value in values))
