"""How many views of each picture a frozen stage needs: the head on cached features.

    python benchmarks/views.py [--seeds 1 2 3] [--views false 1 2 4] [RECIPE ...]

The frozen stage of a recipe alone, its first metric on the validation rows after the last
epoch, and its seconds (features included). `false` runs the body in every epoch.
"""

from __future__ import annotations

import argparse
import statistics
import time

from machine import recipe_of, say_machine, trainer_of

RECIPES = ("flowers17", "camvid_tags", "bccd")
EPOCHS = 4


def measure(name: str, views: str, seed: int) -> tuple[str, float, float]:
    """The metric's name, its value, and seconds."""
    stage = f"{{epochs: {EPOCHS}, freeze: true, features: {views}}}"
    recipe = recipe_of(name, [f"stages=[{stage}]", f"seed={seed}"])
    trainer, _ = trainer_of(recipe)
    began = time.monotonic()
    epochs = list(trainer.stages(recipe.stages, recipe.stage_hw))
    metric, _ = trainer.task.best()
    return metric, epochs[-1].scores[metric], time.monotonic() - began


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("recipes", nargs="*")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--views", nargs="+", default=["false", "1", "2", "4"])
    given = parser.parse_args()
    say_machine()
    print(f"{EPOCHS} frozen epochs, seeds {given.seeds}")
    print(f"{'recipe':>12} {'views':>6} {'metric':>12} {'mean':>8} {'seconds':>8}   by seed")
    for name in given.recipes or RECIPES:
        for views in given.views:
            found = [measure(name, views, seed) for seed in given.seeds]
            values = [value for _, value, _ in found]
            seconds = statistics.median(taken for _, _, taken in found)
            listed = " ".join(f"{value:.4f}" for value in values)
            print(
                f"{name:>12} {views:>6} {found[0][0]:>12} {statistics.mean(values):>8.4f} "
                f"{seconds:>8.1f}   {listed}",
                flush=True,
            )


if __name__ == "__main__":
    main()
