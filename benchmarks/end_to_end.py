"""Wall time from the start of the process to submission.csv, and the error: kitbox and fastai.

    python benchmarks/end_to_end.py [--seeds 1 2 3 4 5] [--tuned 3] [--keep FOLDER]

The same files, split, weights (mobilenetv2_100), size (160), batch (32) and epochs (4 frozen,
2 full) of flowers17, in turn, seed by seed; medians of the times, means of the errors. fastai
runs in an environment of its own, which this script makes, and is measured twice: as its
lessons have it, and, for fewer seeds, tuned (pictures shrunk beforehand in the timed part,
worker processes, normalisation held still, its rate finder's kind of rates). kitbox begins with
an empty cache; its decoding counts as part of the frozen stage, as fastai decodes in it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from machine import ROOT, alone, say_machine

DATA = ROOT.parent / "shared" / "data" / "flowers17"
WEIGHTS = ROOT.parent / "shared" / "weights" / "mobilenetv2_100.safetensors"
FASTAI = ["fastai==2.8.*", "timm", "torchvision", "ipython"]

SCRIPT = """
import json, sys, time
began = time.monotonic()
from fastai.vision.all import *
import timm
data, weights, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
seed, tuned = int(sys.argv[4]), sys.argv[5] == "tuned"
set_seed(seed)
table = pd.read_csv(data / "train.csv")
path = data
if tuned:
    path = out / "small"
    for part in ("train", "test"):
        resize_images(data / part, dest=path / part, max_size=256, recurse=True, max_workers=2)
table["is_valid"] = table["part"] == "valid"
block = DataBlock(
    blocks=(ImageBlock, CategoryBlock),
    get_x=ColReader("image", pref=f"{path}/train/"),
    get_y=ColReader("label"),
    splitter=ColSplitter("is_valid"),
    item_tfms=Resize(256),
    batch_tfms=[*aug_transforms(size=160, min_scale=0.75), Normalize.from_stats(*imagenet_stats)],
)
dls = block.dataloaders(table, bs=32, num_workers=2 if tuned else None)
body = timm.create_model(
    "mobilenetv2_100",
    pretrained=True,
    num_classes=0,
    global_pool="",
    pretrained_cfg_overlay={"file": weights},
)
class Held(Callback):
    def before_train(self):
        for module in self.model[0].modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
net = nn.Sequential(body, create_head(1280, dls.c))
apply_init(net[1], nn.init.kaiming_normal_)
learn = Learner(
    dls,
    net,
    splitter=lambda m: L(params(m[0]), params(m[1])),
    metrics=error_rate,
    cbs=[Held()] if tuned else [],
)
ready = time.monotonic()
learn.freeze()
learn.fit_one_cycle(4, 4e-3 if tuned else 1e-3)
frozen = time.monotonic()
learn.unfreeze()
learn.fit_one_cycle(2, lr_max=slice(1e-5, 1e-3 if tuned else 3e-4))
full = time.monotonic()
error = float(learn.recorder.values[-1][-1])
sample = pd.read_csv(data / "sample_submission.csv", dtype={"id": str})
files = [path / "test" / f"{name}.jpg" for name in sample["id"]]
probabilities, _ = learn.get_preds(dl=dls.test_dl(files))
made = pd.DataFrame(probabilities.numpy(), columns=list(dls.vocab))[list(sample.columns[1:])]
made.insert(0, "id", sample["id"])
made.to_csv(out / "submission.csv", index=False)
print(json.dumps({"error": error, "frozen": frozen - ready, "full": full - frozen}))
"""


def fastai_environment(place: Path) -> Path:
    """A Python with fastai in it; made once."""
    python = place / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        pip = [shutil.which("uv") or "uv", "pip", "install", "--python", str(python)]
        subprocess.run([*pip, *FASTAI], check=True)
    return python


def fastai(python: Path, place: Path, seed: int, kind: str) -> dict[str, float]:
    """Seconds and error of fastai."""
    out = place / f"fastai-{kind}-{seed}"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    began = time.monotonic()
    done = subprocess.run(
        [str(python), "-c", SCRIPT, str(DATA), str(WEIGHTS), str(out), str(seed), kind],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    seconds = time.monotonic() - began
    assert (out / "submission.csv").exists()
    return {"whole": seconds, **json.loads(done.stdout.splitlines()[-1])}


def kitbox(place: Path, seed: int) -> dict[str, float]:
    """Seconds and error of kitbox, with an empty cache."""
    out, cache = place / f"kitbox-{seed}", place / "cache"
    shutil.rmtree(out, ignore_errors=True)
    shutil.rmtree(cache, ignore_errors=True)
    command = [sys.executable, "-m", "kitbox", "run"]
    command += ["recipes/flowers17.yaml", "--out", str(out), "--set", f"seed={seed}"]
    began, at = time.monotonic(), {}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "KITBOX_CACHE": str(cache)},
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            for begin in MARKS:
                if line.startswith(begin):
                    at.setdefault(begin, time.monotonic() - began)
    assert running.returncode == 0
    seconds = time.monotonic() - began
    assert (out / "submission.csv").exists()
    error = float(pd.read_csv(out / "log.csv")["error_rate"].iloc[-1])
    decoding, second, over = (at[begin] for begin in MARKS)
    return {"whole": seconds, "error": error, "frozen": second - decoding, "full": over - second}


MARKS = ("pictures:", "stage 2 of", "validation (")
"""How lines of a run begin: before decoding, before the second stage, and after it."""


def main() -> None:
    """Measure in turn, and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--tuned", type=int, default=3, help="how many seeds for tuned fastai")
    parser.add_argument("--keep", type=Path, help="a folder for environment, runs and caches")
    given = parser.parse_args()
    place = (given.keep or Path(tempfile.mkdtemp(prefix="kitbox-end-"))).resolve()
    python = fastai_environment(place / "fastai")
    say_machine()
    found: dict[str, list[dict[str, float]]] = {}
    for seed in given.seeds:
        for name, run in (
            ("fastai", lambda seed: fastai(python, place, seed, "default")),
            ("kitbox", lambda seed: kitbox(place, seed)),
            ("fastai, tuned", lambda seed: fastai(python, place, seed, "tuned")),
        ):
            if name == "fastai, tuned" and len(found.get(name, [])) == given.tuned:
                continue
            with alone():
                found.setdefault(name, []).append(run(seed))
            facts = found[name][-1]
            said = "  ".join(f"{key} {value:.3g}" for key, value in facts.items())
            print(f"seed {seed} {name:>14}: {said}", flush=True)
    print(f"\n{'':>14} {'runs':>5} {'whole s':>9} {'frozen s':>9} {'full s':>8} {'mean error':>11}")
    for name, runs in found.items():
        whole, frozen, full = (
            statistics.median(one[key] for one in runs) for key in ("whole", "frozen", "full")
        )
        error = statistics.mean(one["error"] for one in runs)
        print(f"{name:>14} {len(runs):>5} {whole:>9.1f} {frozen:>9.1f} {full:>8.1f} {error:>11.4f}")
    for name in ("fastai", "fastai, tuned"):
        if name in found:
            pairs = [(one, other) for one, other in zip(found[name], found["kitbox"], strict=False)]
            times = {
                key: statistics.median(one[key] / other[key] for one, other in pairs)
                for key in ("whole", "frozen", "full")
            }
            said = ", ".join(f"{key} {value:.1f}" for key, value in times.items())
            print(f"{name} takes as many times as long, seed by seed: {said}")


if __name__ == "__main__":
    main()
