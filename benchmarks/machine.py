"""What the benchmarks share: the machine in words, timing in turn, a trainer as a run has it."""

from __future__ import annotations

import fcntl
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from kitbox import environment as environments
from kitbox.allocator import keep_freed
from kitbox.data.assemble import decode, without_broken
from kitbox.models.model import Model
from kitbox.progress import Progress
from kitbox.recipe import Recipe, read
from kitbox.runner import gather, make_trainer
from kitbox.training.trainer import Trainer

ROOT = Path(__file__).resolve().parents[1]


def say_machine() -> None:
    """Print the machine, the date and the libraries."""
    found = environments.detect()
    versions = environments.versions()
    load = os.getloadavg()[0]
    print(time.strftime("%Y-%m-%d %H:%M"), end=": ")
    number_format = {"no": "fp32"}.get(found.precision, found.precision)
    print(f"{found.device_name}, {environments.cores()} cores, {number_format}; load {load:.1f}")
    print(", ".join(f"{name} {versions[name]}" for name in ("torch", "timm", "opencv", "python")))


def alternate(
    parts: Mapping[str, Callable[[], object]],
    rounds: int,
    after: Callable[[object], object] = lambda made: None,
) -> dict[str, list[float]]:
    """Seconds of each part in each round, in turn; a first round does not count.

    Args:
        after: called with what a part returned, not timed.
    """
    taken: dict[str, list[float]] = {name: [] for name in parts}
    for number in range(rounds + 1):
        for name, part in parts.items():
            began = time.perf_counter()
            made = part()
            seconds = time.perf_counter() - began
            after(made)
            if number:
                taken[name].append(seconds)
    return taken


@contextmanager
def alone() -> Iterator[None]:
    """Hold the locks of the files that KITBOX_ALONE names, in their order, while measuring.

    Whoever else works on the machine holds the same ones (shared) for what would disturb.
    """
    names = [one for one in os.environ.get("KITBOX_ALONE", "").split(os.pathsep) if one]
    with ExitStack() as held:
        for name in names:
            fcntl.flock(held.enter_context(Path(name).open("w")), fcntl.LOCK_EX)
        yield
    time.sleep(2 if names else 0)  # for those who wait


def middle(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def spread(values: Sequence[float]) -> str:
    """Least and greatest, for a table."""
    return f"{min(values):.3g}..{max(values):.3g}"


def recipe_of(name: str, changes: Sequence[str]) -> Recipe:
    """A recipe of this project, changed; its paths hold wherever the script was started."""
    os.chdir(ROOT)
    return read(Path("recipes") / f"{name}.yaml", changes)


def trainer_of(recipe: Recipe) -> tuple[Trainer, pd.DataFrame]:
    """The trainer that a run of the recipe would have, and its table."""
    quiet, environment = Progress(quiet=True), environments.detect()
    if environment.device == "cpu":
        keep_freed()  # as a run does; for what it is compared with too
    files = recipe.source.fetch(environment.cache)
    data = gather(recipe, files, quiet)
    body = recipe.backbone.build(recipe.hw, maps=data.task.maps())
    model = Model(body, data.task.head(body))
    decoded = decode(files, data.rows, body, recipe.decode_hw, environment, quiet)
    rows = without_broken(data.rows, decoded, recipe.broken, quiet)
    made = make_trainer(recipe, data.task, model, files, rows, decoded, environment, quiet)
    return made, rows


def repeated(rows: np.ndarray, count: int) -> np.ndarray:
    """`count` rows, all of them again and again."""
    return np.resize(rows, count)
