"""Tests of the contract of tasks, to inherit."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import torch

from kitbox import registry
from kitbox.contracts import Interprets
from kitbox.data.targets import Fixed
from kitbox.errors import LabelError
from kitbox.interpretation.interpretation import Interpretation
from kitbox.testing.network import offline
from kitbox.testing.plugins import refuses
from kitbox.testing.predictions import PredictionTests
from kitbox.testing.rehearsal import Seen, cut, load, part_of
from kitbox.testing.tiny_body import TinyBody


class TaskTests(PredictionTests):
    """What every task keeps to.

    Fixtures: `plugin`; `rows`, labelled rows with `part` as `learn` gets them
    (`kitbox.testing.labelled` writes some); `targets`, the names of their targets; `folder`,
    where their pictures lie (`labelled` was given it).
    """

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
        assert _again(learned) == learned, "a saved model would hold another task"

    def test_learning_is_deterministic(
        self, plugin: Any, rows: pd.DataFrame, targets: Sequence[str], folder: Path
    ) -> None:
        first, again = (plugin.learn(rows, targets, folder) for _ in range(2))
        assert first == again
        mixed = rows.sample(frac=1, random_state=1)
        found, expected = (
            registry.tasks.describe(one) for one in (plugin.learn(mixed, targets, folder), first)
        )
        assert _alike(found, expected), (
            f"in another order of rows it learns otherwise: expected {expected}, found {found}"
        )

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
        """All rows, and some of them in another order; rare classes as often as others at least.

        Frequencies are those of the rows that are asked for, or of all labelled ones.
        """
        bound = seen.loader.targets
        every = np.arange(len(rows))
        some = np.random.default_rng(0).permutation(every[1:])
        part = rows.iloc[some]
        alone = load(seen.task.encode(part, folder), part, folder).targets
        whole, found, expected = (
            np.asarray(seen.task.balance(targets, asked))
            for targets, asked in ((bound, every), (bound, some), (alone, every[: len(some)]))
        )
        for weights, asked in ((whole, every), (found, some), (expected, some)):
            assert weights.shape == asked.shape, (
                f"expected a weight for each of the `rows` asked for, {asked.shape}, found "
                f"{weights.shape}"
            )
            assert np.isfinite(weights).all()
            assert (weights > 0).all()
        assert any(
            np.allclose(found / found.sum(), other / other.sum(), rtol=1e-4)
            for other in (expected, whole[some])
        ), "asked for some rows, it gives the weights of others: expected those of `rows`, in order"
        values = bound.values if isinstance(bound, Fixed) else np.zeros((0, 0))
        if not _are_classes(values, seen.outputs):
            return
        counts, in_all = ((values[asked] == values[some, None]).sum(1) for asked in (some, every))
        rarer = (counts[:, None] < counts) & (in_all[:, None] <= in_all)
        heavier = found[:, None] >= found * (1 - 1e-6)
        assert heavier[rarer].all(), (
            "a row of a rare class weighs less than one of a frequent class"
        )

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

    def test_a_picture_s_outputs_are_its_own(self, seen: Seen) -> None:
        """Where nothing is trained, whatever the other pictures of the batch are."""
        for number in range(min(3, len(seen.outputs))):
            with torch.no_grad():
                alone = cut(seen.head(_only(seen.features, number)))
            off = float((alone[0] - seen.outputs[number]).abs().max())
            assert torch.allclose(alone[0], seen.outputs[number], rtol=1e-3, atol=1e-4), (
                "the head's outputs for a picture depend on the other pictures of the batch: "
                f"expected the same when it comes alone, found up to {off:.3g} beside it"
            )

    def test_the_head_learns(self, seen: Seen) -> None:
        head = seen.head.train()
        seen.task.loss(cut(head(seen.features)), seen.targets).mean().backward()
        without = [n for n, p in head.named_parameters() if p.grad is None]
        assert not without, f"no gradient reaches {without[:5]}"

    def test_batches_make_no_difference_to_the_score(self, seen: Seen) -> None:
        whole = seen.task.score(seen.tally(seen.outputs, len(seen.outputs)))
        parts = seen.task.score(seen.tally(seen.outputs, 2))
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
        tally = seen.tally(seen.outputs, 4)
        before = seen.task.score(tally)[name]
        after = seen.task.score(seen.tally(seen.fitted(), 4))[name]
        assert not math.isnan(after), f"{name} of outputs that fit is no number"
        worse = after > before if better == "min" else after < before
        assert math.isnan(before) or not worse, (
            f"{name} went from {before:.4g} to {after:.4g} while the loss fell, and best() says "
            f"that {better} is better"
        )

    def test_what_it_shows_of_a_pass(self, seen: Seen) -> None:
        """Its interpretation takes batches of any size, and counts their pictures."""
        task: Any = seen.task
        if not isinstance(task, Interprets):
            return  # losses and worst pictures are shown, as of every task
        made = task.interpretation()
        assert isinstance(made, Interpretation), "expected a kitbox.Interpretation"
        assert made.count == 0, "it is not empty"
        for start in range(0, len(seen.outputs), 3):
            part = slice(start, start + 3)
            outputs, targets = seen.outputs[part].clone(), seen.targets[part].clone()
            losses, rows = seen.task.loss(outputs, targets), np.arange(start, start + len(outputs))
            made.add(outputs, targets, losses.detach(), part_of(seen.frames, part), rows)
        again = seen.task.interpretation()
        assert again.count == 0, "two of them share what they gathered"
        made = again.finish(made, cast(Any, None))
        assert made.count == len(seen.outputs)
        assert len(made.kept("losses")) == len(seen.outputs)

    def test_speed(self, seen: Seen, report: Callable[[str, int, float], None]) -> None:
        """Reported, not judged: loss, its gradient and the tally of one batch."""
        outputs = seen.outputs.clone().requires_grad_()
        began = time.perf_counter()
        seen.task.loss(outputs, seen.targets).sum().backward()
        seen.tally(seen.outputs, len(outputs))
        report("loss and tally", len(outputs), time.perf_counter() - began)


def _again(task: Any) -> Any:
    """The task out of a saved model."""
    return registry.tasks.build(json.loads(json.dumps(registry.tasks.describe(task))))


def _alike(found: Any, expected: Any) -> bool:
    """Sums in another order differ in their last digits, in single precision too."""
    if isinstance(found, float) and isinstance(expected, float):
        return math.isclose(found, expected, rel_tol=1e-5, abs_tol=1e-8)
    if isinstance(found, dict) and isinstance(expected, dict):
        return list(found) == list(expected) and _alike(
            list(found.values()), list(expected.values())
        )
    if isinstance(found, list | tuple) and isinstance(expected, list | tuple):
        return len(found) == len(expected) and all(map(_alike, found, expected))
    return bool(found == expected)


def _are_classes(values: np.ndarray, outputs: torch.Tensor) -> bool:
    """Whether encoded targets are numbers of classes: there are outputs for them, or cuts."""
    if values.ndim != 1 or outputs.ndim != 2:
        return False
    count = len(np.unique(values))
    return count == 2 or (values.dtype.kind in "iub" and outputs.shape[1] >= count - 1)


def _only(features: Any, number: int) -> Any:
    """The features of one picture."""
    if isinstance(features, list):
        return [one[number : number + 1] for one in features]
    return features[number : number + 1]
