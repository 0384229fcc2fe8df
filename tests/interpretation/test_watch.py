"""A pass that is made anyway fills an interpretation; it changes nothing of the pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from interpretation.made import recipe, seen_by
from kitbox.errors import PluginError
from kitbox.interpretation.classification import ClassificationInterpretation
from kitbox.interpretation.interpretation import Interpretation
from kitbox.interpretation.tagging import TaggingInterpretation
from kitbox.interpretation.watch import finish, look, watch
from kitbox.tasks.multi_label import MultiLabel
from kitbox.tasks.single_label import SingleLabel
from kitbox.testing import labelled


class Silent:
    """A task without an interpretation."""


class Wrong:
    """A task that gives something else."""

    def interpretation(self) -> str:
        return "nothing"


def test_a_task_s_own_or_the_base() -> None:
    assert type(watch(SingleLabel(classes=("a", "b")))) is ClassificationInterpretation
    assert type(watch(Silent())) is Interpretation  # type: ignore[arg-type]
    with pytest.raises(PluginError, match=r"gives str.*kitbox\.Interpretation"):
        watch(Wrong())  # type: ignore[arg-type]


def test_what_was_seen_before_tune_is_read_with_the_tuned_task(tmp_path: Path) -> None:
    rows = labelled(tmp_path, {"tags": [("x",), ("y",), ("x", "y")] * 4})
    given = recipe(task="multi-label")
    first = seen_by(tmp_path, MultiLabel(unlearnable="keep"), rows, ["tags"], recipe=given)
    task = first.scene.task.model_copy(update={"threshold": 1e-6})
    object.__setattr__(first.scene, "task", task)
    made = finish(first, first.scene)
    assert isinstance(made, TaggingInterpretation)
    assert made.chosen.all()
    assert made.count == first.count


def test_a_look_leaves_the_mode(tmp_path: Path) -> None:
    rows = labelled(tmp_path, {"label": ["a", "b"] * 6})
    seen = seen_by(tmp_path, SingleLabel(), rows, ["label"], recipe=recipe())
    for mode in (True, False):
        seen.scene.model.train(mode)
        again = look(seen.scene, seen.rows)
        assert seen.scene.model.training == mode
        assert again.losses.tolist() == seen.losses.tolist()
