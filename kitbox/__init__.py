"""kitbox: from pictures to a submission, on plugins.

The public names below are loaded when first used; `import kitbox` does no work.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kitbox import contracts, errors
    from kitbox.contracts import Labels
    from kitbox.data.files import pictures as list_pictures
    from kitbox.data.frames import Frames
    from kitbox.data.targets import Fixed, Masks, Points, Targets
    from kitbox.data.warp import Draw, Warp
    from kitbox.demo import demo_recipe
    from kitbox.environment import Environment
    from kitbox.errors import KitboxError
    from kitbox.interpretation.advice import Advice
    from kitbox.interpretation.areas import AreasInterpretation
    from kitbox.interpretation.classification import ClassificationInterpretation
    from kitbox.interpretation.interpretation import Interpretation
    from kitbox.interpretation.landmarks import LandmarksInterpretation
    from kitbox.interpretation.of import of_run as interpret
    from kitbox.interpretation.section import Plot, Section
    from kitbox.interpretation.tagging import TaggingInterpretation
    from kitbox.interpretation.values import ValuesInterpretation
    from kitbox.learner import Learner
    from kitbox.learning.data import Data, load
    from kitbox.learning.fetching import fetch
    from kitbox.options import Options
    from kitbox.recipe import Recipe
    from kitbox.recipe import make as make_recipe
    from kitbox.recipe import read as read_recipe
    from kitbox.registry import register
    from kitbox.results.predictor import Predictor
    from kitbox.runner import run
    from kitbox.runs import Runs
    from kitbox.sources.below import derived_name, list_files
    from kitbox.sources.whole import make_folder
    from kitbox.tasks.tally import Gathered
    from kitbox.writers.sample import check as obey_sample

__version__ = "0.1.0"

_HOMES = {
    "Advice": "kitbox.interpretation.advice",
    "AreasInterpretation": "kitbox.interpretation.areas",
    "ClassificationInterpretation": "kitbox.interpretation.classification",
    "Data": "kitbox.learning.data",
    "Draw": "kitbox.data.warp",
    "Environment": "kitbox.environment",
    "Fixed": "kitbox.data.targets",
    "Frames": "kitbox.data.frames",
    "Gathered": "kitbox.tasks.tally",
    "Interpretation": "kitbox.interpretation.interpretation",
    "KitboxError": "kitbox.errors",
    "Labels": "kitbox.contracts.labeler",
    "LandmarksInterpretation": "kitbox.interpretation.landmarks",
    "Learner": "kitbox.learner",
    "Masks": "kitbox.data.targets",
    "Options": "kitbox.options",
    "Plot": "kitbox.interpretation.section",
    "Points": "kitbox.data.targets",
    "Predictor": "kitbox.results.predictor",
    "Recipe": "kitbox.recipe",
    "Runs": "kitbox.runs",
    "Section": "kitbox.interpretation.section",
    "TaggingInterpretation": "kitbox.interpretation.tagging",
    "Targets": "kitbox.data.targets",
    "ValuesInterpretation": "kitbox.interpretation.values",
    "Warp": "kitbox.data.warp",
    "contracts": "kitbox.contracts",
    "demo_recipe": "kitbox.demo",
    "derived_name": "kitbox.sources.below",
    "errors": "kitbox.errors",
    "fetch": "kitbox.learning.fetching",
    "interpret": "kitbox.interpretation.of:of_run",
    "list_files": "kitbox.sources.below",
    "list_pictures": "kitbox.data.files:pictures",
    "load": "kitbox.learning.data",
    "make_folder": "kitbox.sources.whole",
    "make_recipe": "kitbox.recipe:make",
    "obey_sample": "kitbox.writers.sample:check",
    "read_recipe": "kitbox.recipe:read",
    "register": "kitbox.registry",
    "run": "kitbox.runner",
}

__all__ = [
    "Advice",
    "AreasInterpretation",
    "ClassificationInterpretation",
    "Data",
    "Draw",
    "Environment",
    "Fixed",
    "Frames",
    "Gathered",
    "Interpretation",
    "KitboxError",
    "Labels",
    "LandmarksInterpretation",
    "Learner",
    "Masks",
    "Options",
    "Plot",
    "Points",
    "Predictor",
    "Recipe",
    "Runs",
    "Section",
    "TaggingInterpretation",
    "Targets",
    "ValuesInterpretation",
    "Warp",
    "contracts",
    "demo_recipe",
    "derived_name",
    "errors",
    "fetch",
    "interpret",
    "list_files",
    "list_pictures",
    "load",
    "make_folder",
    "make_recipe",
    "obey_sample",
    "read_recipe",
    "register",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'kitbox' has no attribute {name!r}")
    home, _, attribute = _HOMES[name].partition(":")
    module = importlib.import_module(home)
    return module if home == f"kitbox.{name}" else getattr(module, attribute or name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
