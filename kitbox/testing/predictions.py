"""Tests of what a task predicts."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from kitbox import registry
from kitbox.classes import name as class_name
from kitbox.contracts import Advises, Decides, Mirrors, Variation
from kitbox.data.targets import Fixed
from kitbox.models.forward import upright
from kitbox.runs import Runs
from kitbox.testing.elsewhere import predict_again, run_elsewhere
from kitbox.testing.rehearsal import MIRROR, SHIFT, SIZE, RehearsalTests, Seen, part_of
from kitbox.writers import submission


class PredictionTests(RehearsalTests):
    """What a task says of raw outputs, to a table and to a person."""

    def test_what_fits_predicts_the_table(
        self, seen: Seen, padded: Seen, rows: pd.DataFrame, targets: Any
    ) -> None:
        """Where predictions have the targets' own columns of numbers, they agree with them.

        All of them then, not some. Squashed, and padded where targets lie on the picture.
        """
        lie = not isinstance(seen.loader.targets, Fixed)
        for fit, one in {"squash": seen, **({"pad": padded} if lie else {})}.items():
            outputs = one.fitted()
            table = one.taught(outputs).predictions(outputs.numpy(), one.frames)
            columns = [c for c in table.columns if c in rows and _are_numbers(rows[c])]
            if not columns:
                pytest.skip("predictions and table have no column of numbers in common")
            lost = [c for c in targets if c in rows and c not in table and _are_numbers(rows[c])]
            assert not lost, f"predictions have columns {columns}, and none for the targets {lost}"
            for name in columns:
                truth = rows[name].to_numpy(float)
                off = np.nanmedian(np.abs(table[name].to_numpy(float) - truth))
                spread = np.nanmax(truth) - np.nanmin(truth)
                assert off <= 0.1 * spread + 1e-6, (
                    f"with `fit: {fit}` predictions of '{name}' are {off:.3g} off, of a range of "
                    f"{spread:.3g}"
                )

    def test_a_column_of_a_class_is_that_class_s(
        self, seen: Seen, rows: pd.DataFrame, targets: Any
    ) -> None:
        """A column called as a label is higher where the pictures have that label."""
        outputs = seen.fitted()
        table = seen.taught(outputs).predictions(outputs.numpy(), seen.frames)
        looked = 0
        for target in targets:
            held = [_labels(cell) for cell in rows[target]]
            for column in (c for c in table.columns if table[c].map(_is_number).all()):
                has = np.array([column in labels for labels in held])
                values = table[column].to_numpy(float)
                if has.all() or not has.any() or np.ptp(values) < 1e-6:
                    continue
                looked += 1
                above = values[has][:, None] - values[~has][None]
                share = float(((above > 0) + 0.5 * (above == 0)).mean())
                assert share >= 0.9, (
                    f"of outputs that fit, the column '{column}' is higher where '{target}' is "
                    f"{column} than elsewhere in {share:.0%} of the pairs of pictures, expected "
                    "at least 90%: are the columns in the order of the outputs?"
                )
        if not looked:
            pytest.skip("no column of the predictions is called as a label")

    @pytest.mark.parametrize("fit", ["squash", "pad"])
    def test_a_predicted_mask_lies_where_its_output_does(
        self, seen: Seen, padded: Seen, fit: str
    ) -> None:
        """Outputs that put one class into the picture's upper left quarter, another elsewhere."""
        seen = padded if fit == "pad" else seen
        count = seen.outputs.shape[1]
        if seen.outputs.ndim != 4 or seen.targets.shape[1:] != SIZE:
            pytest.skip("its outputs are no maps of classes")
        numbers, pixels = seen.targets.unique(return_counts=True)
        known = [
            (int(pixel), int(number))
            for pixel, number in zip(pixels, numbers, strict=True)
            if number <= max(1, count - 1)
        ]
        if len(known) < 2:
            pytest.skip("the masks show one class")
        (_, outside), (_, inside) = sorted(known, reverse=True)[:2]
        wanted = torch.full_like(seen.targets, outside)
        middles = seen.frames.sizes[:, ::-1] / 2 - 0.5
        for mask, (x, y) in zip(
            wanted, middles * seen.frames.scale + seen.frames.shift, strict=True
        ):
            mask[: round(y + 0.5), : round(x + 0.5)] = inside
        outputs = seen.fitted(wanted)
        table = seen.again().predictions(outputs.numpy(), seen.frames)
        columns = [c for c in table.columns if isinstance(table[c].iloc[0], Runs)]
        if not columns:
            pytest.skip("its predictions are no masks")
        for column in columns:
            for runs, size in zip(table[column], seen.frames.sizes.tolist(), strict=True):
                found = list(runs.mask().shape)
                assert found == size, f"expected a mask of the file's size {size}, found {found}"
        overlaps = {}
        for column in columns:
            for corner in (True, False):
                pairs = [(runs.mask(), _quarter(runs, corner)) for runs in table[column]]
                shares = [(a & b).sum() / max(1, (a | b).sum()) for a, b in pairs]
                overlaps[column, corner] = float(np.min(shares))
        best = max(overlaps, key=lambda one: overlaps[one])
        assert overlaps[best] >= 0.8, (
            f"the class {inside} is in the upper left quarter of the outputs and {outside} "
            f"elsewhere, with `fit: {fit}`; expected masks that lie so, found at best '{best[0]}', "
            f"which has in a picture {overlaps[best]:.0%} of the pixels in common"
        )

    def test_what_validation_teaches_is_kept(self, seen: Seen) -> None:
        task = seen.taught(seen.outputs)
        assert type(task) is type(seen.task)
        assert seen.again(task) == task, "a saved model would hold another task"

    def test_predictions_are_a_table(self, seen: Seen) -> None:
        """Of all pictures, of one, of none: the same columns, a row a picture."""
        task, outputs = seen.again(), seen.outputs.numpy()
        whole = task.predictions(outputs, seen.frames)
        assert len(whole) == len(outputs)
        names = [str(name) for name in whole.columns]
        assert names == list(whole.columns), "expected columns called by str"
        assert len(set(names)) == len(names), f"columns of one name: {names}"
        assert not {"id", "image"} & set(names), "`id` and `image` are kitbox's own columns"
        for count in (0, 1):
            few = task.predictions(outputs[:count], part_of(seen.frames, slice(0, count)))
            assert list(few.columns) == names
            assert len(few) == count
            if count and whole.map(_is_number).all(axis=None):
                found, expected = few.iloc[0].astype(float), whole.iloc[0].astype(float)
                assert np.allclose(found, expected, rtol=1e-4, atol=1e-5), "alone it is another"

    def test_another_process_predicts_the_same(self, seen: Seen) -> None:
        """A saved model has the options alone: nothing that this process remembers besides."""
        outputs = seen.outputs.numpy()
        task = seen.taught(seen.outputs)
        here = task.predictions(outputs, seen.frames)
        words = task.decide(here) if isinstance(task, Decides) else []
        options = json.dumps({k: v for k, v in registry.tasks.describe(task).items() if k != "use"})
        given = (type(task), options, outputs, seen.frames)
        there, said = run_elsewhere(predict_again, *given)
        pd.testing.assert_frame_equal(
            there, here, rtol=1e-6, obj="predictions of another process, from the saved options,"
        )
        assert said == words, f"expected {words[:2]}, found in another process {said[:2]}"

    def test_predictions_can_be_written(self, seen: Seen, rows: pd.DataFrame, folder: Any) -> None:
        """Without a sample, and with one that looks as what was written."""
        table = seen.task.predictions(seen.outputs.numpy(), seen.frames)
        table.insert(0, "id", list(rows["id"]))
        sample = None
        for _ in range(2):
            writer = registry.writers.build(dict(seen.task.writer(sample)))
            made = submission.make(writer, table, sample, folder)
            assert len(made)
            sample = made.astype(str)

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

    def test_mirrored_twice_is_as_before(self, seen: Seen) -> None:
        if not isinstance(seen.task, Mirrors):
            pytest.skip("a picture's mirror image has the same outputs")
        twice = seen.task.mirrored(seen.task.mirrored(seen.outputs))
        torch.testing.assert_close(twice, seen.outputs)

    def test_outputs_of_mirror_images_fit_when_mirrored_back(self, seen: Seen) -> None:
        """Where targets lie on the picture, as with `tta: true`."""
        if isinstance(seen.loader.targets, Fixed):
            pytest.skip("its targets do not lie on the picture")
        there, mirrored = seen.moved(SHIFT), seen.moved(SHIFT @ MIRROR)
        outputs = seen.fitted(mirrored)
        best, untouched = seen.loss(seen.fitted(there), there), seen.loss(outputs, there)
        if untouched - best < 1e-3 * abs(untouched):
            pytest.skip("a mirror image has the same targets")
        found = seen.loss(upright(seen.task, outputs), there)
        assert found <= best + 0.25 * (untouched - best), (
            f"outputs that fit the mirror images, mirrored back, have a loss of {found:.3g}; "
            f"expected about {best:.3g}, as those that fit the pictures (as they are: "
            f"{untouched:.3g}): see `mirrored` of kitbox.contracts.Mirrors"
        )


def _quarter(runs: Runs, corner: bool) -> np.ndarray:
    """The upper left quarter of a mask's picture, or the rest."""
    height, width = runs.mask().shape
    found = np.zeros((height, width), bool)
    found[: height // 2, : width // 2] = True
    return found if corner else ~found


def _labels(cell: Any) -> set[str]:
    """The labels of a cell: one, or several."""
    return {class_name(one) for one in (cell if isinstance(cell, list | tuple) else [cell])}


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _are_numbers(column: pd.Series) -> bool:
    return bool(column.dropna().map(lambda v: isinstance(v, int | float | np.number)).all())
