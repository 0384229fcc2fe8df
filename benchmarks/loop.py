"""Loop efficiency: the bare step on one resident batch beside the real loop.

    python benchmarks/loop.py [--rounds 5] [--threads N] [MODEL:SIZE ...]

Same model, batch, memory layout, number format and optimizer. The bare step has its batch
on the device; the loop takes cached pictures, varies them and sends them. Both in turn, in
one process; the efficiency is the ratio of the medians. By default mobilenetv2_100 at 160
and resnet18 at 224 pixels (random weights) on a CPU, resnet50 at 224 on a GPU.
"""

from __future__ import annotations

import argparse

import torch
from machine import alone, alternate, middle, recipe_of, say_machine, spread, trainer_of

from kitbox.models.model import parameter_groups
from kitbox.training.cycle import Cycle
from kitbox.training.step import Part, Slices, train_epoch

BATCH = 32


def measure(model_name: str, size: int, rounds: int, threads: int | None) -> None:
    """Print a row of the table."""
    recipe = recipe_of(
        "flowers17",
        [
            f"backbone={{use: timm, name: {model_name}, pretrained: false}}",
            f"size={size}",
            f"batch_size={BATCH}",
        ],
    )
    trainer, _ = trainer_of(recipe)
    if threads is not None:
        torch.set_num_threads(threads)
    model, task, accelerator = trainer.feed.whole, trainer.task, trainer.accelerator
    trainer.model.freeze(False, hold_norm=True)
    steps = trainer.loader.count(len(trainer.train))
    optimizer = accelerator.prepare(
        torch.optim.AdamW(
            parameter_groups(trainer.model, (1e-6, 1e-5), 0.01),
            fused=accelerator.device.type in ("cpu", "cuda"),
        )
    )
    hw = (size, size)
    kept = list(trainer.loader.varied(trainer.train, hw, recipe.augmentation, (1, 1, 1)))
    cuda = accelerator.device.type == "cuda"
    epoch = iter(range(2, 10_000))

    def bare() -> None:
        model.train()
        for images, targets, _ in [kept[0]] * steps:
            loss = task.loss(model(images), targets).mean()
            accelerator.backward(loss)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        if cuda:
            torch.cuda.synchronize()

    def loop() -> None:
        device = accelerator.device
        train_epoch(
            model,
            task,
            trainer.loader.varied(trainer.train, hw, recipe.augmentation, (1, 1, next(epoch))),
            optimizer,
            Cycle(optimizer.optimizer, steps),
            accelerator,
            Part(torch.zeros((), dtype=torch.float64, device=device)),
            Slices(),
        )

    with alone():
        taken = alternate({"bare": bare, "loop": loop}, rounds)
    pictures = len(trainer.train)
    bare_s, loop_s = middle(taken["bare"]), middle(taken["loop"])
    print(
        f"{model_name:>18} {size:>5} {1000 * bare_s / pictures:>10.2f} "
        f"{1000 * loop_s / pictures:>10.2f} {bare_s / loop_s:>11.3f}   "
        f"{spread([b / x for b, x in zip(taken['bare'], taken['loop'], strict=True)])}"
    )


def main() -> None:
    """Measure each net."""
    parser = argparse.ArgumentParser()
    parser.add_argument("nets", nargs="*")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int)
    given = parser.parse_args()
    say_machine()
    default = (
        ["resnet50:224"] if torch.cuda.is_available() else ["mobilenetv2_100:160", "resnet18:224"]
    )
    print(f"{'':>18} {'':>5} {'ms a picture':>21}")
    print(f"{'net':>18} {'size':>5} {'bare':>10} {'loop':>10} {'efficiency':>11}   by round")
    for net in given.nets or default:
        name, _, size = net.partition(":")
        measure(name, int(size), given.rounds, given.threads)


if __name__ == "__main__":
    main()
