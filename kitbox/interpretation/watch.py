"""A task's interpretation, filled by a pass: one that is made anyway, or one of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kitbox.contracts import Interprets, Task
from kitbox.errors import PluginError
from kitbox.interpretation.interpretation import Interpretation

if TYPE_CHECKING:
    import numpy as np

    from kitbox.interpretation.scene import Scene


def watch(task: Task) -> Interpretation:
    """A new, empty interpretation that suits a task, to be given to `Trainer.validate`.

    Raises:
        PluginError: when the task gives something else.
    """
    made = task.interpretation() if isinstance(task, Interprets) else Interpretation()
    if not isinstance(made, Interpretation):
        raise PluginError(
            f"The task {type(task).__name__} gives no interpretation",
            found=f"`interpretation()` gives {type(made).__name__}",
            do="Return a kitbox.Interpretation, of a class derived from it",
        )
    return made


def finish(seen: Interpretation, scene: Scene) -> Interpretation:
    """What a pass gathered, as the task of the scene, tuned meanwhile, interprets it."""
    return watch(scene.task).finish(seen, scene)


def look(
    scene: Scene, rows: np.ndarray, step: Callable[..., None] = lambda n=1, note="": None
) -> Interpretation:
    """The interpretation of some rows of a scene, by a pass over them.

    Args:
        step: told each batch.

    Raises:
        KitboxError: when the network has other weights than the scene was made with.
    """
    from kitbox.models.forward import BothWays
    from kitbox.training.step import evaluate

    seen = watch(scene.task)
    tta = scene.recipe is not None and scene.recipe.tta
    network = scene.network()
    model = BothWays(network, scene.task) if tta else network
    training = network.training
    try:
        evaluate(model, scene.task, scene.loader, rows, scene.size, step, watch=seen)
    finally:
        network.train(training)
    return seen.finish(seen, scene)
