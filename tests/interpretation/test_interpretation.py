"""The base: what a pass gathers, the worst pictures, tasks that say nothing of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from interpretation.made import classified, recipe, seen_by
from interpretation.test_areas import made as areas
from kitbox.contracts import Interprets
from kitbox.data.frames import Frames
from kitbox.errors import PluginError
from kitbox.interpretation import watch
from kitbox.interpretation.interpretation import Interpretation
from kitbox.interpretation.watch import finish
from kitbox.tasks.regression import Regression
from kitbox.testing import labelled

NUMBERS = {"n": [1.0, 4.0, 2.0, 8.0, 5.0, 7.0, 3.0, 9.0, 6.0]}


@pytest.fixture
def bare(tmp_path: Path) -> Interpretation:
    rows = labelled(tmp_path, NUMBERS)
    found = seen_by(tmp_path, Regression(), rows, ["n"], recipe=recipe(task="regression"))
    return Interpretation().finish(found, found.scene)


def test_it_knows_rows_losses_and_words(bare: Interpretation) -> None:
    assert bare.count == 3
    assert bare.table["n"].tolist() == [2.0, 7.0, 6.0]
    assert bare.truth() == ["2", "7", "6"]
    given = bare.predictions["n"].to_numpy()
    assert bare.predicted() == [f"{value:.4g}" for value in given]
    scale = np.array([1.0, 4.0, 8.0, 5.0, 3.0, 9.0]).std()
    assert bare.losses == pytest.approx(((given - [2, 7, 6]) / scale) ** 2, rel=1e-4)
    assert bare.frames.sizes.tolist() == [[48, 48]] * 3


def test_the_worst_come_first(bare: Interpretation) -> None:
    table = bare.top_losses()
    assert table["loss"].is_monotonic_decreasing
    assert sorted(table["id"]) == ["0002", "0005", "0008"]
    assert list(bare.top_losses(1)["id"]) == list(table["id"][:1])
    assert table["predicted"].tolist() == [bare.predicted()[place] for place in bare.worst()]


def test_it_is_shown_without_a_heat_map(bare: Interpretation) -> None:
    assert bare.heat(bare.worst()) is None
    assert bare.plot_top_losses(2).png()[:4] == b"\x89PNG"
    (section,) = bare.sections()
    assert section.title == "Top losses"
    assert len(section.tables["top losses"]) == 3
    assert bare.advice() == []
    assert len(bare.headlines()) == 3


def test_a_task_without_words_is_told_by_its_columns() -> None:
    seen = classified([[1, 0], [0, 1]])
    base = Interpretation().finish(seen, seen.scene)
    object.__setattr__(base.scene, "task", _Silent(base.scene.task))
    assert base.predicted() == ["c0 0.9, c1 0.1", "c0 0.1, c1 0.9"]


class _Silent:
    def __init__(self, task: object) -> None:
        self.predictions = task.predictions  # type: ignore[attr-defined]


def test_a_loss_that_is_no_number_is_not_the_worst() -> None:
    seen = classified([[1, 0], [1, 1]])
    seen.__dict__["losses"] = np.array([1.0, np.nan, 2.0])
    assert seen.worst().tolist() == [2, 0, 1]


def test_nothing_was_seen() -> None:
    seen = classified([[1, 0], [0, 0]])
    empty = finish(Interpretation(), seen.scene)
    assert empty.count == 0
    assert empty.rows.tolist() == []
    assert empty.losses.tolist() == []
    assert empty.sections() == []
    assert empty.advice() == []


def test_batches_are_joined_in_their_order() -> None:
    made = Interpretation()
    for start in (0, 4):
        outputs = torch.arange(start, start + 4.0)[:, None]
        made.add(outputs, outputs, outputs[:, 0], Frames.whole((8, 8), 4), np.arange(4) + start)
    assert made.kept("outputs")[:, 0].tolist() == list(range(8))
    assert made.rows.tolist() == list(range(8))
    assert made.count == 8


def test_of_a_stranger_s_maps_losses_alone_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logits of a whole validation set are more than a machine has."""
    scene = areas(tmp_path).scene
    monkeypatch.setattr(watch, "watch", lambda task: Interpretation())
    seen = watch.look(scene, np.array([2, 5, 8]))
    assert seen.count == len(seen.losses) == 3
    for name in ("outputs", "targets"):
        with pytest.raises(PluginError, match=f"kept no {name}"):
            seen.kept(name)
    table = seen.top_losses()
    assert table["loss"].is_monotonic_decreasing
    assert set(table["predicted"]) == set(table["truth"]) == {""}
    assert seen.headlines()[0] == f"loss {table['loss'][0]:.3g}: {table['image'][0]}"
    assert [len(lines) for lines in seen.told(seen.worst())] == [1, 1, 1]
    assert seen.plot_top_losses().png()
    assert [one.title for one in seen.sections()] == ["Top losses"]


class OnDevice:
    """A tensor that lies on a GPU."""

    def __init__(self, values: list[float]) -> None:
        self.values, self.ndim = values, 1

    def cpu(self) -> torch.Tensor:
        return torch.tensor(self.values)


def test_what_is_kept_leaves_the_device() -> None:
    made, one = Interpretation(), OnDevice([1.0, 2.0])
    rows = np.arange(2)
    made.add(one, one, one, Frames.whole((8, 8), 2), rows)  # type: ignore[arg-type]
    for name in ("outputs", "targets", "losses"):
        (kept,) = made._gathered[name]
        assert isinstance(kept, torch.Tensor)


def test_all_built_in_tasks_interpret() -> None:
    from kitbox import registry

    for name in ("single-label", "multi-label", "segmentation", "regression", "points"):
        assert issubclass(registry.tasks.load(name), Interprets)
