"""Tests of the contract of tasks, to inherit."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import pandas as pd
import pytest
import torch

from kitbox import registry
from kitbox.contracts import Advises, Decides, Interprets, Mirrors, Recalls, Task, Variation
from kitbox.data import pixels
from kitbox.data.batches import Loader
from kitbox.data.frames import Frames
from kitbox.data.targets import Fixed, Targets
from kitbox.errors import LabelError
from kitbox.interpretation.interpretation import Interpretation
from kitbox.testing.network import offline
from kitbox.testing.plugins import PluginTests, refuses
from kitbox.testing.tiny_body import TinyBody

SIZE = (48, 64)
"""Height and width that the network sees."""


@dataclass
class Seen:
    """A learned task and all labelled rows as one batch.

    Attributes:
        head: a new head over a tiny body.
        features: of the pictures, (N, F) or maps.
        outputs: raw outputs (N, ...) of the new head.
        targets: as the loss gets them (N, ...).
        frames: of the N pictures.
    """

    task: Any
    head: torch.nn.Module
    features: Any
    outputs: torch.Tensor
    targets: torch.Tensor
    frames: Frames


class TaskTests(PluginTests):
    """What every task keeps to.

    Fixtures: `plugin`; `rows`, labelled rows with `part` as `learn` gets them
    (`kitbox.testing.labelled` writes some); `targets`, the names of their targets; `folder`,
    where their pictures lie (`labelled` was given it).
    """

    kind: ClassVar[str] = "task"

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path

    @pytest.fixture
    def rows(self, folder: Path) -> pd.DataFrame:
        raise NotImplementedError(
            f"Give {type(self).__name__} a fixture `rows`, by kitbox.testing.labelled(folder, ...)"
        )

    @pytest.fixture
    def targets(self, rows: pd.DataFrame) -> Sequence[str]:
        """By default all columns that are not kitbox's own."""
        return tuple(name for name in rows.columns if name not in ("id", "image", "part"))

    @pytest.fixture
    def seen(self, plugin: Any, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> Seen:
        with offline():
            task = plugin.learn(rows, targets, folder)
            encoded = task.encode(rows, folder)
        loader = _loader(encoded, rows, folder)
        ((images, batch, _),) = loader.fixed(range(len(rows)), SIZE)
        torch.manual_seed(0)
        body: Any = TinyBody(maps=task.maps()).eval()
        head = task.head(body).eval()
        with torch.no_grad():
            features = body(images)
            outputs = _cut(head(features))
        return Seen(task, head, features, outputs, batch, loader.frames(range(len(rows)), SIZE))

    def test_learning_fills_in_a_copy(
        self, plugin: Any, rows: pd.DataFrame, targets: Sequence[str], folder: Path
    ) -> None:
        """What it learned are options: a saved model keeps them as JSON and gives them back."""
        before, given = plugin.model_copy(deep=True), rows.copy()
        with offline():
            learned = plugin.learn(rows, targets, folder)
        assert type(learned) is type(plugin), f"expected another {type(plugin).__name__}"
        assert plugin == before, "learn() changed the task itself"
        pd.testing.assert_frame_equal(rows, given)
        assert self._again(learned) == learned, "a saved model would hold another task"

    def test_learning_is_deterministic(
        self, plugin: Any, rows: pd.DataFrame, targets: Sequence[str], folder: Path
    ) -> None:
        first, again = (plugin.learn(rows, targets, folder) for _ in range(2))
        assert first == again
        mixed = rows.sample(frac=1, random_state=1)
        found, expected = (
            json.dumps(_rounded(registry.tasks.describe(one)))
            for one in (plugin.learn(mixed, targets, folder), first)
        )
        assert found == expected, "in another order of rows it learns otherwise"

    def test_what_does_not_fit_is_told(
        self, plugin: Any, rows: pd.DataFrame, targets: Sequence[str], folder: Path
    ) -> None:
        none = rows.iloc[:0]
        refuses(lambda: plugin.learn(none, targets, folder), LabelError, "learn() from no rows")
        empty = rows.assign(**dict.fromkeys(targets))
        refuses(
            lambda: plugin.learn(empty, targets, folder), LabelError, "learn() from empty targets"
        )

    def test_targets_are_encoded_row_by_row(
        self, seen: Seen, rows: pd.DataFrame, folder: Path
    ) -> None:
        """Of all rows, of one row, of none."""
        whole = seen.task.encode(rows, folder)
        assert len(whole) == len(rows)
        assert len(seen.task.encode(rows.iloc[:1], folder)) == 1
        assert len(seen.task.encode(rows.iloc[:0], folder)) == 0
        if isinstance(whole, np.ndarray):
            assert whole.dtype.kind in "iufb", f"expected numbers, found {whole.dtype}"
            last = seen.task.encode(rows.iloc[-1:], folder)
            assert np.array_equal(last[0], whole[-1], equal_nan=last.dtype.kind == "f"), (
                "a row is encoded otherwise when it comes alone"
            )

    def test_rows_are_weighed(self, seen: Seen, rows: pd.DataFrame, folder: Path) -> None:
        encoded = seen.task.encode(rows, folder)
        bound = _loader(encoded, rows, folder).targets
        weights = seen.task.balance(bound, np.arange(len(rows)))
        assert np.shape(weights) == (len(rows),)
        assert np.isfinite(weights).all()
        assert (np.asarray(weights) > 0).all()

    def test_small_answers(self, seen: Seen) -> None:
        assert seen.task.fit() in ("crop", "squash", "pad")
        assert isinstance(seen.task.maps(), bool)
        name, better = seen.task.best()
        assert isinstance(name, str)
        assert better in ("min", "max")

    def test_the_head_gives_outputs_of_any_rectangle(self, seen: Seen) -> None:
        """(B, K), or maps (B, K, H, W) of the picture's size, also for one picture."""
        body: Any = TinyBody(maps=seen.task.maps()).eval()
        for height, width, count in ((48, 64, 2), (32, 80, 1)):
            with torch.no_grad():
                outputs = seen.head(body(torch.zeros(count, 3, height, width)))
            assert outputs.ndim in (2, 4), f"found outputs {tuple(outputs.shape)}"
            assert len(outputs) == count
            if outputs.ndim == 4:
                assert outputs.shape[2] >= height, "a map is smaller than the picture"
                assert outputs.shape[3] >= width, "a map is smaller than the picture"

    def test_a_loss_for_each_picture(self, seen: Seen) -> None:
        outputs = seen.outputs.clone().requires_grad_()
        losses = seen.task.loss(outputs, seen.targets)
        count = len(outputs)
        assert losses.shape == (count,), f"expected ({count},), found {tuple(losses.shape)}"
        assert bool(torch.isfinite(losses).all())
        losses.sum().backward()
        assert outputs.grad is not None, "the loss is not differentiable"
        assert bool(torch.isfinite(outputs.grad).all())
        assert bool((outputs.grad != 0).any()), "the loss does not depend on the outputs"
        for number in range(min(3, count)):
            one = slice(number, number + 1)
            alone = seen.task.loss(seen.outputs[one], seen.targets[one])
            torch.testing.assert_close(alone[0], losses[number].detach(), rtol=1e-4, atol=1e-5)

    def test_the_head_learns(self, seen: Seen) -> None:
        head = seen.head.train()
        seen.task.loss(_cut(head(seen.features)), seen.targets).mean().backward()
        without = [n for n, p in head.named_parameters() if p.grad is None]
        assert not without, f"no gradient reaches {without[:5]}"

    def test_batches_make_no_difference_to_the_score(self, seen: Seen) -> None:
        whole = seen.task.score(self._tally(seen, seen.outputs, len(seen.outputs)))
        parts = seen.task.score(self._tally(seen, seen.outputs, 2))
        assert set(whole) == set(parts)
        for name, value in whole.items():
            assert isinstance(value, float), f"{name} is no float: {value!r}"
            assert math.isclose(value, parts[name], rel_tol=1e-5, abs_tol=1e-6), (
                f"{name} is {value} in one batch, {parts[name]} in several"
            )
        assert seen.task.best()[0] in whole, f"best() names {seen.task.best()[0]}, no such metric"

    def test_what_lowers_the_loss_betters_the_metric(self, seen: Seen) -> None:
        """Raw outputs are moved down the loss until they fit; best() must call that better."""
        name, better = seen.task.best()
        tally = self._tally(seen, seen.outputs, 4)
        before = seen.task.score(tally)[name]
        after = seen.task.score(self._tally(seen, fitted(seen), 4))[name]
        assert not math.isnan(after), f"{name} of outputs that fit is no number"
        worse = after > before if better == "min" else after < before
        assert math.isnan(before) or not worse, (
            f"{name} went from {before:.4g} to {after:.4g} while the loss fell, and best() says "
            f"that {better} is better"
        )

    def test_what_fits_predicts_the_table(self, seen: Seen, rows: pd.DataFrame) -> None:
        """Where predictions have the targets' own columns of numbers, they agree with them."""
        outputs = fitted(seen)
        tally = self._tally(seen, outputs, 4)
        task = self._taught(seen.task, tally)
        table = task.predictions(outputs.numpy(), seen.frames)
        columns = [c for c in table.columns if c in rows and _are_numbers(rows[c])]
        if not columns:
            pytest.skip("predictions and table have no column of numbers in common")
        for name in columns:
            truth = rows[name].to_numpy(float)
            off = np.nanmedian(np.abs(table[name].to_numpy(float) - truth))
            spread = np.nanmax(truth) - np.nanmin(truth)
            assert off <= 0.1 * spread + 1e-6, (
                f"predictions of '{name}' are {off:.3g} off, of a range of {spread:.3g}"
            )

    def test_what_validation_teaches_is_kept(self, seen: Seen) -> None:
        task = self._taught(seen.task, self._tally(seen, seen.outputs, 4))
        assert type(task) is type(seen.task)
        assert self._again(task) == task, "a saved model would hold another task"

    def test_predictions_are_a_table(self, seen: Seen) -> None:
        """Of all pictures, of one, of none: the same columns, a row a picture."""
        task, outputs = self._again(seen.task), seen.outputs.numpy()
        whole = task.predictions(outputs, seen.frames)
        assert len(whole) == len(outputs)
        names = [str(name) for name in whole.columns]
        assert names == list(whole.columns), "expected columns called by str"
        assert len(set(names)) == len(names), f"columns of one name: {names}"
        assert not {"id", "image"} & set(names), "`id` and `image` are kitbox's own columns"
        for count in (0, 1):
            few = task.predictions(outputs[:count], _first(seen.frames, count))
            assert list(few.columns) == names
            assert len(few) == count
            if count and whole.map(_is_number).all(axis=None):
                found, expected = few.iloc[0].astype(float), whole.iloc[0].astype(float)
                assert np.allclose(found, expected, rtol=1e-4, atol=1e-5), "alone it is another"

    def test_predictions_can_be_written(self, seen: Seen, rows: pd.DataFrame, folder: Path) -> None:
        writer = registry.writers.build(dict(seen.task.writer(None)))
        table = seen.task.predictions(seen.outputs.numpy(), seen.frames)
        table.insert(0, "id", list(rows["id"]))
        made = writer.table(table, None, folder)
        assert len(made)

    def test_a_person_is_shown_something(self, seen: Seen, rows: pd.DataFrame) -> None:
        picture = np.zeros((*SIZE, 3), np.uint8)
        shown, caption = seen.task.draw(picture, seen.targets[0].numpy())
        assert shown.shape == picture.shape
        assert shown.dtype == np.uint8
        assert isinstance(caption, str)
        table = seen.task.predictions(seen.outputs.numpy(), seen.frames)
        if isinstance(seen.task, Decides):
            for top in (None, 1):
                words = seen.task.decide(table, top)
                assert len(words) == len(table)
                assert all(isinstance(word, str) for word in words)
        if isinstance(seen.task, Advises):
            for variation in (Variation(), Variation(mirrors=True, kept=0.2)):
                notes = seen.task.advise(rows, variation)
                assert all(isinstance(note, str) for note in notes)

    def test_what_it_shows_of_a_pass(self, seen: Seen) -> None:
        """Its interpretation takes batches of any size, and counts their pictures."""
        if not isinstance(seen.task, Interprets):
            pytest.skip("losses and worst pictures are shown, as of every task")
        made = seen.task.interpretation()
        assert isinstance(made, Interpretation), "expected a kitbox.Interpretation"
        assert made.count == 0, "it is not empty"
        for start in range(0, len(seen.outputs), 3):
            part = slice(start, start + 3)
            outputs, targets = seen.outputs[part].clone(), seen.targets[part].clone()
            losses, rows = seen.task.loss(outputs, targets), np.arange(start, start + len(outputs))
            made.add(outputs, targets, losses.detach(), _part(seen.frames, part), rows)
        again = seen.task.interpretation()
        assert again.count == 0, "two of them share what they gathered"
        made = again.finish(made, cast(Any, None))
        assert made.count == len(seen.outputs)
        assert len(made.losses) == len(seen.outputs)

    def test_mirrored_twice_is_as_before(self, seen: Seen) -> None:
        if not isinstance(seen.task, Mirrors):
            pytest.skip("a picture's mirror image has the same outputs")
        twice = seen.task.mirrored(seen.task.mirrored(seen.outputs))
        torch.testing.assert_close(twice, seen.outputs)

    def test_speed(self, seen: Seen, report: Callable[[str, int, float], None]) -> None:
        """Reported, not judged: loss, its gradient and the tally of one batch."""
        outputs = seen.outputs.clone().requires_grad_()
        began = time.perf_counter()
        seen.task.loss(outputs, seen.targets).sum().backward()
        self._tally(seen, seen.outputs, len(outputs))
        report("loss and tally", len(outputs), time.perf_counter() - began)

    def _again(self, task: Task) -> Any:
        """The task out of a saved model."""
        text = json.dumps(registry.tasks.describe(task))
        return registry.tasks.build(json.loads(text))

    def _tally(self, seen: Seen, outputs: torch.Tensor, size: int) -> Any:
        """A tally filled in batches of `size` pictures."""
        tally = seen.task.tally()
        for start in range(0, len(outputs), size):
            part = slice(start, start + size)
            frames = _part(seen.frames, part)
            tally.add(outputs[part].clone(), seen.targets[part].clone(), frames)
        return tally

    def _taught(self, task: Any, tally: Any) -> Any:
        """The task as a run makes it, before it predicts."""
        if isinstance(task, Recalls):
            task = task.recall(tally)
        return task.tune(tally)


def fitted(seen: Seen, steps: int = 300) -> torch.Tensor:
    """Raw outputs moved down the loss, from those of a new head."""
    outputs = seen.outputs.clone().requires_grad_()
    optimizer = torch.optim.Adam([outputs], lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        seen.task.loss(outputs, seen.targets).sum().backward()
        optimizer.step()
    return outputs.detach()


def _loader(encoded: np.ndarray | Targets, rows: pd.DataFrame, folder: Path) -> Loader:
    decoded = pixels.load(folder, list(rows["image"]), side=96, channels=3, cache=None, workers=2)
    targets = Fixed(encoded) if isinstance(encoded, np.ndarray) else encoded
    return Loader(
        pixels=decoded,
        targets=targets.bind(np.arange(len(rows)), decoded.sizes, decoded.extents),
        mean=(0.5,) * 3,
        std=(0.25,) * 3,
        interpolation=1,
        fit="squash",
        device="cpu",
        workers=2,
        batch_size=max(1, len(rows)),
    )


def _cut(outputs: torch.Tensor) -> torch.Tensor:
    return outputs[..., : SIZE[0], : SIZE[1]] if outputs.ndim == 4 else outputs


def _part(frames: Frames, part: slice) -> Frames:
    return Frames(frames.size, frames.sizes[part], frames.scale[part], frames.shift[part])


def _first(frames: Frames, count: int) -> Frames:
    return _part(frames, slice(0, count))


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _are_numbers(column: pd.Series) -> bool:
    return bool(column.dropna().map(lambda v: isinstance(v, int | float | np.number)).all())


def _rounded(value: Any) -> Any:
    """Sums in another order differ in their last digits."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list) else value
