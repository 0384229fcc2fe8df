"""The contract tests themselves: each wrong plugin fails the test that it should."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

BEGIN = """
from __future__ import annotations

import itertools
import os
import random
import subprocess
import tempfile
import urllib.request
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from kitbox import Fixed, Frames, Gathered, Labels, Options, Runs, Warp, contracts, errors
from kitbox.data.augment import Nothing, Standard
from kitbox.data.split import Random
from kitbox.labelers.folder import FolderLabels
from kitbox.sources.digits import Digits
from kitbox.tasks.multi_label import MultiLabel
from kitbox.tasks.points import Points
from kitbox.tasks.regression import Regression
from kitbox.tasks.segmentation import Segmentation
from kitbox.tasks.single_label import SingleLabel
from kitbox.testing import *
from kitbox.testing import Tiny, TinyBody
from kitbox.writers.wide import Wide
"""

FIXTURES = {
    "source": "",
    "labeler": """
    @pytest.fixture
    def folder(self, tmp_path):
        for name in ("cat", "dog"):
            for number in range(2):
                write_picture(tmp_path / "raw" / name / f"{number}.png")
        return tmp_path / "raw"
""",
    "splitter": "",
    "augmentation": "",
    "backbone": "",
    "backbone:vectors": """
    maps = False
""",
    "task:classes": """
    @pytest.fixture
    def rows(self, folder):
        return labelled(folder, {"label": ["cat", "dog", "cow"] * 3}, valid=4)
""",
    "task:tags": """
    @pytest.fixture
    def rows(self, folder):
        return labelled(folder, {"tags": [("sun",), ("rain", "wind"), (), ("sun", "wind")] * 3})
""",
    "task:points": """
    @pytest.fixture
    def rows(self, folder):
        rng = np.random.default_rng(0)
        names = ["x0", "y0", "x1", "y1"]
        return labelled(folder, {name: rng.uniform(4, 36, 9) for name in names})
""",
    "task:masks": """
    @pytest.fixture
    def rows(self, folder):
        rows = labelled(folder, {"mask": [f"masks/{n}.png" for n in range(6)]})
        (folder / "masks").mkdir()
        for image, mask in zip(rows["image"], rows["mask"]):
            height, width = cv2.imread(str(folder / image)).shape[:2]
            codes = np.zeros((height, width), np.uint8)
            codes[height // 2 :] = 1
            cv2.imwrite(str(folder / mask), codes)
        return rows
""",
    "task": """
    @pytest.fixture
    def rows(self, folder):
        return labelled(folder, {"value": [0.0, 1.0, 2.5, 3.0, 4.0, 5.5, 6.0, 7.5]})
""",
    "writer": """
    @pytest.fixture
    def predictions(self):
        return pd.DataFrame({"id": ["b", "a", "c"], "x": [0.5, 1, 2], "y": [3, 4, 5.5]})

    @pytest.fixture
    def sample(self):
        return pd.DataFrame({"id": ["a", "b", "c"], "x": "0", "y": "0"}, dtype=str)
""",
}

MUTANTS = {
    # a name: kind, base, body of the class, the test that it must fail (None: nothing is wrong)
    "Silent": ("source", "Digits", "", None),
    "Undocumented": ("splitter", "Random", "    more: int = 3\n", "test_it_is_documented"),
    "Anything": (
        "splitter",
        "Random",
        "    more: object = Field(None, description='x')\n",
        "test_mistakes_in_options_are_explained",
    ),
    "Forgetful": (
        "splitter",
        "Random",
        "    @model_serializer\n    def s(self):\n        return {'seed': 7}\n",
        "test_options_go_through_a_recipe",
    ),
    "Thawed": (
        "splitter",
        "Random",
        "    model_config = {'frozen': False}\n    anything: int = Field(0, description='x')\n",
        "test_it_cannot_be_changed",
    ),
    "Lavish": (
        "splitter",
        "Random",
        "    model_config = {'extra': 'ignore'}\n",
        "test_unknown_options_are_refused",
    ),
    "Busy": (
        "source",
        "Digits",
        "    def find(self, cache):\n        (cache / 'x').mkdir()\n",
        "test_finding_does_no_work",
    ),
    "Lost": (
        "source",
        "Digits",
        "    def find(self, cache):\n        return None\n",
        "test_what_was_fetched_is_found",
    ),
    "Chatty": (
        "source",
        "Digits",
        """    def fetch(self, cache):
        try:
            urllib.request.urlopen('http://127.0.0.1:9/')
        except OSError:
            pass
        return super().fetch(cache)
""",
        "test_what_was_fetched_is_found",
    ),
    "Moody": (
        "source",
        "Digits",
        """    def fetch(self, cache):
        folder = super().fetch(cache)
        (folder / 'x.txt').write_text(str(random.random()))
        return folder
""",
        "test_it_is_deterministic",
    ),
    "Halves": (
        "source",
        "Options",
        """    def find(self, cache):
        return cache / 'x' if (cache / 'x').is_dir() else None

    def fetch(self, cache):
        (cache / 'x').mkdir(exist_ok=True)
        with errors.storage(cache, 'writing'):
            for name in 'ab':
                (cache / 'x' / name).write_text(name)
        return cache / 'x'
""",
        "test_it_appears_whole_or_not_at_all",
    ),
    "Opener": (
        "labeler",
        "FolderLabels",
        """    def label(self, folder):
        for file in folder.rglob('*.png'):
            file.read_bytes()
        return super().label(folder)
""",
        "test_it_only_looks",
    ),
    "Doubled": (
        "labeler",
        "FolderLabels",
        """    def label(self, folder):
        labels = super().label(folder)
        return Labels(pd.concat([labels.rows] * 2), labels.targets)
""",
        "test_it_gives_a_sound_table",
    ),
    "Absolute": (
        "labeler",
        "FolderLabels",
        """    def label(self, folder):
        labels = super().label(folder)
        return Labels(labels.rows.assign(label=str(folder)), labels.targets)
""",
        "test_it_is_deterministic",
    ),
    "Careless": (
        "labeler",
        "FolderLabels",
        """    def label(self, folder):
        return super().label(next(folder.iterdir()).parent)
""",
        "test_no_pictures",
    ),
    "Placed": (
        "splitter",
        "Random",
        """    def split(self, rows, targets, folder):
        parts = ['valid' if n % 4 == 0 else 'train' for n in range(len(rows))]
        super().split(rows, targets, folder)
        return pd.Series(parts, index=rows.index)
""",
        "test_the_order_of_rows_does_not_matter",
    ),
    "Salted": (
        "splitter",
        "Random",
        """    def split(self, rows, targets, folder):
        super().split(rows, targets, folder)
        return rows['id'].map(lambda one: 'valid' if hash(one) % 3 == 0 else 'train')
""",
        "test_it_is_the_same_on_every_machine",
    ),
    "Indexless": (
        "splitter",
        "Random",
        """    def split(self, rows, targets, folder):
        return super().split(rows, targets, folder).reset_index(drop=True)
""",
        "test_every_row_has_a_part",
    ),
    "Alone": (
        "splitter",
        "Random",
        """    def split(self, rows, targets, folder):
        return pd.Series(['valid'] * len(rows), index=rows.index)
""",
        "test_too_few_rows_are_refused",
    ),
    "Square": (
        "augmentation",
        "Standard",
        """    def transforms(self, height, width, interpolation):
        import albumentations as A
        return [A.Resize(height, height)]
""",
        "test_it_ends_with_the_size_asked_for[size1]",
    ),
    "Global": (
        "augmentation",
        "Standard",
        """    def transforms(self, height, width, interpolation):
        draw = super().transforms(height, width, interpolation)
        return lambda rng, shape: draw(np.random.default_rng(random.getrandbits(32)), shape)
""",
        "test_it_is_deterministic",
    ),
    "Slipped": (
        "augmentation",
        "Standard",
        """    def transforms(self, height, width, interpolation):
        import albumentations as A
        return [A.Resize(height, width), A.Lambda(image=slip, p=1)]
""",
        "test_masks_move_with_the_picture",
    ),
    "SlippedPoints": (
        "augmentation",
        "Standard",
        """    def transforms(self, height, width, interpolation):
        import albumentations as A
        return [A.Resize(height, width), A.Lambda(image=slip, p=1)]
""",
        "test_points_move_with_the_picture",
    ),
    "Forgotten": (
        "backbone",
        "Tiny",
        """    def build(self, size, *, load=True, maps=False):
        class Body(TinyBody):
            def layers(self):
                return super().layers()[1:]
        return Body(maps)
""",
        "test_layers_hold_every_parameter_once",
    ),
    "Boxed": (
        "backbone",
        "Tiny",
        """    def build(self, size, *, load=True, maps=False):
        class Body(TinyBody):
            def forward(self, images):
                return super().forward(images)[..., None]
        return Body(maps)
""",
        "test_a_vector_a_picture",
    ),
    "Dropping": (
        "backbone",
        "Tiny",
        """    def build(self, size, *, load=True, maps=False):
        class Body(TinyBody):
            def forward(self, images):
                return torch.nn.functional.dropout(super().forward(images))
        return Body(maps)
""",
        "test_it_is_deterministic",
    ),
    "Upside": (
        "backbone",
        "Tiny",
        """    def build(self, size, *, load=True, maps=False):
        class Body(TinyBody):
            def forward(self, images):
                return super().forward(images)[::-1]
        return Body(maps)
""",
        "test_maps",
    ),
    "Mean": (
        "task",
        "Regression",
        """    def loss(self, outputs, targets):
        return super().loss(outputs, targets).mean()
""",
        "test_a_loss_for_each_picture",
    ),
    "Mixing": (
        "task",
        "Regression",
        """    def loss(self, outputs, targets):
        return super().loss(outputs - outputs.mean(0), targets)
""",
        "test_a_loss_for_each_picture",
    ),
    "Backwards": (
        "task",
        "Regression",
        """    def best(self):
        return 'rmse', 'max'
""",
        "test_what_lowers_the_loss_betters_the_metric",
    ),
    "Nameless": (
        "task",
        "Regression",
        """    def best(self):
        return 'rsme', 'min'
""",
        "test_batches_make_no_difference_to_the_score",
    ),
    "Last": (
        "task",
        "Regression",
        """    def tally(self):
        class Tally(Gathered):
            def add(self, outputs, targets, frames):
                self._outputs.clear(), self._targets.clear(), self._frames.clear()
                super().add(outputs, targets, frames)
        return Tally()
""",
        "test_batches_make_no_difference_to_the_score",
    ),
    "Scaled": (
        "task",
        "Regression",
        """    def predictions(self, outputs, frames):
        return super().predictions(outputs, frames) * 2
""",
        "test_what_fits_predicts_the_table",
    ),
    "Relative": (
        "task",
        "Regression",
        """    def predictions(self, outputs, frames):
        return super().predictions(outputs - outputs.sum(0), frames)
""",
        "test_predictions_are_a_table",
    ),
    "Clashing": (
        "task",
        "Regression",
        """    def predictions(self, outputs, frames):
        return super().predictions(outputs, frames).rename(columns={'value': 'image'})
""",
        "test_predictions_are_a_table",
    ),
    "Unsaved": (
        "task",
        "Regression",
        """    def learn(self, rows, targets, folder):
        learned = super().learn(rows, targets, folder)
        return learned.model_copy(update={'mean': np.array(learned.mean)})
""",
        "test_learning_fills_in_a_copy",
    ),
    "Marking": (
        "task",
        "Regression",
        """    def learn(self, rows, targets, folder):
        rows['value'] = rows['value'].astype(float) + 0.0
        rows.drop(columns='part')
        rows['seen'] = 1
        return super().learn(rows, targets, folder)
""",
        "test_learning_fills_in_a_copy",
    ),
    "FirstRow": (
        "task",
        "Regression",
        """    def learn(self, rows, targets, folder):
        learned = super().learn(rows, targets, folder)
        return learned.model_copy(update={'mean': (float(rows['value'].iloc[0]),)})
""",
        "test_learning_is_deterministic",
    ),
    "Trusting": (
        "task",
        "Regression",
        """    def learn(self, rows, targets, folder):
        rows[targets[0]].astype(float).iloc[0]
        return super().learn(rows, targets, folder)
""",
        "test_what_does_not_fit_is_told",
    ),
    "Centred": (
        "task",
        "Regression",
        """    def encode(self, rows, folder):
        found = super().encode(rows, folder)
        return found - found[:1]
""",
        "test_targets_are_encoded_row_by_row",
    ),
    "Fixed48": (
        "task",
        "Regression",
        """    def head(self, body):
        class Head(torch.nn.Linear):
            def forward(self, features):
                return super().forward(features)[0]
        return Head(body.features, 1)
""",
        "test_the_head_gives_outputs_of_any_rectangle",
    ),
    "Tabloid": (
        "splitter",
        "Random",
        """    def split(self, rows, targets, folder):
        super().split(rows, targets, folder)
        return pd.Series(['valid' if n % 4 == 0 else 'train' for n in rows.index], index=rows.index)
""",
        "test_the_order_of_rows_does_not_matter",
    ),
    "Flipped": (
        "augmentation",
        "Standard",
        """    def transforms(self, height, width, interpolation):
        import albumentations as A
        return [A.Resize(height, width), A.Lambda(image=flip, p=0.5)]
""",
        "test_masks_move_with_the_picture",
    ),
    "FlippedPoints": (
        "augmentation",
        "Standard",
        """    def transforms(self, height, width, interpolation):
        import albumentations as A
        return [A.Resize(height, width), A.Lambda(image=flip, p=0.5)]
""",
        "test_points_move_with_the_picture",
    ),
    "FlippedSeldom": (
        "augmentation",
        "Standard",
        """    def transforms(self, height, width, interpolation):
        import albumentations as A
        return [A.Resize(height, width), A.Lambda(image=flip, p=0.1)]
""",
        "test_masks_move_with_the_picture",
    ),
    "Stained": (  # draws on pictures, which is allowed
        "augmentation",
        "Standard",
        """    def transforms(self, height, width, interpolation):
        import albumentations as A
        stains = A.CoarseDropout(num_holes_range=(3, 5), hole_height_range=(8, 12),
                                 hole_width_range=(8, 12), fill=255, p=1)
        return [A.Resize(height, width), A.HorizontalFlip(), stains, A.InvertImg(p=0.5)]
""",
        None,
    ),
    "Reversed": (
        "backbone",
        "Tiny",
        """    def build(self, size, *, load=True, maps=False):
        class Body(TinyBody):
            def layers(self):
                return super().layers()[::-1]
        return Body(maps)
""",
        "test_layers_go_from_the_input_to_the_output",
    ),
    "Exchanged": (
        "backbone",
        "Tiny",
        """    def build(self, size, *, load=True, maps=False):
        class Body(TinyBody):
            def layers(self):
                a, b, c, *rest = super().layers()
                return [a, c, b, *rest]
        return Body(maps)
""",
        "test_layers_go_from_the_input_to_the_output",
    ),
    "Crowd": (
        "backbone",
        "Tiny",
        """    def build(self, size, *, load=True, maps=False):
        class Body(TinyBody):
            def forward(self, images):
                found = super().forward(images - images.mean(dim=0))
                return found
        return Body(maps)
""",
        "test_a_picture_s_features_are_its_own",
    ),
    "CrowdedHead": (
        "task",
        "Regression",
        """    def head(self, body):
        class Head(torch.nn.Linear):
            def forward(self, features):
                return super().forward(features - features.mean(dim=0))
        return Head(body.features, 1)
""",
        "test_a_picture_s_outputs_are_its_own",
    ),
    "Backcolumns": (
        "task:classes",
        "SingleLabel",
        """    def predictions(self, outputs, frames):
        made = super().predictions(outputs, frames)
        return made.set_axis(list(made.columns)[::-1], axis=1)
""",
        "test_a_column_of_a_class_is_that_class_s",
    ),
    "Backtags": (
        "task:tags",
        "MultiLabel",
        """    def predictions(self, outputs, frames):
        made = super().predictions(outputs, frames)
        return made.set_axis(list(made.columns)[::-1], axis=1)
""",
        "test_a_column_of_a_class_is_that_class_s",
    ),
    "Lefthanded": (
        "task:masks",
        "Segmentation",
        """    codes: tuple[str, ...] = Field(("sky", "road"), description="of classes")

    def predictions(self, outputs, frames):
        return super().predictions(outputs, frames).map(lambda runs: Runs.of(runs.mask()[:, ::-1]))
""",
        "test_a_predicted_mask_lies_where_its_output_does[squash]",
    ),
    "Headstand": (
        "task:masks",
        "Segmentation",
        """    codes: tuple[str, ...] = Field(("sky", "road"), description="of classes")

    def predictions(self, outputs, frames):
        return super().predictions(outputs, frames).map(lambda runs: Runs.of(runs.mask()[::-1]))
""",
        "test_a_predicted_mask_lies_where_its_output_does[squash]",
    ),
    "Identity": (
        "task:points",
        "Points",
        """    def mirrored(self, outputs):
        return outputs
""",
        "test_outputs_of_mirror_images_fit_when_mirrored_back",
    ),
    "Onlyflipped": (  # forgets that pairs change places
        "task:points",
        "Points",
        """    pairs: tuple[tuple[str, str], ...] = Field((("0", "1"),), description="of points")

    def mirrored(self, outputs):
        learned = self.model_copy(update={"pairs": ()})
        return Points.mirrored(learned, outputs)
""",
        "test_outputs_of_mirror_images_fit_when_mirrored_back",
    ),
    "Twosided": (
        "task:masks",
        "Segmentation",
        """    codes: tuple[str, ...] = Field(("sky", "road"), description="of classes")

    def mirrored(self, outputs):
        return outputs
""",
        "test_outputs_of_mirror_images_fit_when_mirrored_back",
    ),
    "Globalist": (
        "task",
        "Regression",
        """    def learn(self, rows, targets, folder):
        REMEMBERED.append(7.0)
        return super().learn(rows, targets, folder)

    def predictions(self, outputs, frames):
        return super().predictions(outputs, frames) + sum(REMEMBERED[-1:])
""",
        "test_another_process_predicts_the_same",
    ),
    "Sayer": (
        "task",
        "Regression",
        """    def learn(self, rows, targets, folder):
        REMEMBERED.append(7.0)
        return super().learn(rows, targets, folder)

    def decide(self, predictions, top=None):
        return [f"{len(REMEMBERED)}"] * len(predictions)
""",
        "test_another_process_predicts_the_same",
    ),
    "Painter": (
        "source",
        "Digits",
        """    def fetch(self, cache):
        cv2.imwrite('preview.png', np.zeros((4, 4), np.uint8))
        return super().fetch(cache)
""",
        "test_it_writes_below_the_cache_alone",
    ),
    "Homely": (
        "source",
        "Digits",
        """    def fetch(self, cache):
        handle = os.open(Path.home() / 'seen', os.O_WRONLY | os.O_CREAT)
        os.write(handle, b'1'), os.close(handle)
        return super().fetch(cache)
""",
        "test_it_writes_below_the_cache_alone",
    ),
    "Curled": (
        "source",
        "Digits",
        """    def fetch(self, cache):
        subprocess.run(['sh', '-c', 'echo 1 > "${TMPDIR:-/tmp}/fetched"'], check=True)
        return super().fetch(cache)
""",
        "test_it_writes_below_the_cache_alone",
    ),
    "Literal": (
        "source",
        "Digits",
        """    def fetch(self, cache):
        subprocess.run(['sh', '-c', f'echo 1 > {LITERAL}'], check=True)
        return super().fetch(cache)
""",
        "test_it_writes_below_the_cache_alone",
    ),
    "Beside": (
        "source",
        "Digits",
        """    def fetch(self, cache):
        cv2.imwrite(str(cache.parent / 'preview.png'), np.zeros((4, 4), np.uint8))
        return super().fetch(cache)
""",
        "test_it_writes_below_the_cache_alone",
    ),
    "Seeker": (
        "source",
        "Digits",
        """    def find(self, cache):
        cv2.imwrite(str(Path.home() / 'preview.png'), np.zeros((4, 4), np.uint8))
        return super().find(cache)
""",
        "test_finding_does_no_work",
    ),
    "Tidy": (  # temporary files that are removed again are allowed
        "source",
        "Digits",
        """    def fetch(self, cache):
        with tempfile.TemporaryDirectory() as folder:
            cv2.imwrite(f'{folder}/preview.png', np.zeros((4, 4), np.uint8))
        return super().fetch(cache)
""",
        None,
    ),
    "Parts": (
        "source",
        "Options",
        """    def find(self, cache):
        return cache / 'x' if (cache / 'x').is_dir() else None

    def fetch(self, cache):
        (cache / 'x').mkdir(exist_ok=True)
        for name in 'abc':
            cv2.imwrite(str(cache / 'x' / f'{name}.png'), np.zeros((4, 4), np.uint8))
        return cache / 'x'
""",
        "test_a_killed_fetch_leaves_nothing_half",
    ),
    "Shelled": (
        "source",
        "Options",
        """    def find(self, cache):
        return cache / 'x' if (cache / 'x').is_dir() else None

    def fetch(self, cache):
        (cache / 'x').mkdir(exist_ok=True)
        for name in 'abc':
            subprocess.run(['sh', '-c', f'echo 1 > {name}'], cwd=cache / 'x', check=True)
        return cache / 'x'
""",
        "test_a_killed_fetch_leaves_nothing_half",
    ),
    "Marked": (  # in parts, but find() waits for a mark: allowed
        "source",
        "Options",
        """    def find(self, cache):
        return cache / 'x' if (cache / 'x.done').exists() else None

    def fetch(self, cache):
        (cache / 'x').mkdir(exist_ok=True)
        with errors.storage(cache, 'writing'):
            for name in 'ab':
                (cache / 'x' / name).write_text(name)
            (cache / 'x.done').write_text('')
        return cache / 'x'
""",
        None,
    ),
    "Sorted": (
        "writer",
        "Wide",
        """    def table(self, predictions, sample, folder):
        made = super().table(predictions, sample, folder)
        return made.sort_values('id').reset_index(drop=True)
""",
        "test_it_obeys_the_sample",
    ),
    "Filling": (
        "writer",
        "Wide",
        """    def table(self, predictions, sample, folder):
        if sample is not None:
            known = predictions.set_index('id').reindex(sample['id']).fillna(0)
            return known.reset_index()[list(sample.columns)]
        return super().table(predictions, sample, folder)
""",
        "test_a_missing_picture_is_told",
    ),
    "Strange": (
        "writer",
        "Wide",
        """    def ids(self, sample, folder):
        return [f'{one}.jpg' for one in super().ids(sample, folder)]
""",
        "test_the_pictures_that_the_sample_asks_for",
    ),
    "NetSized": (  # masks of the network's size, not the file's
        "task:masks",
        "Segmentation",
        """    codes: tuple[str, ...] = Field(("sky", "road"), description="of classes")

    def predictions(self, outputs, frames):
        made = super().predictions(outputs, frames)
        return made.map(lambda runs: Runs.of(cv2.resize(runs.mask().astype('uint8'), (64, 48)) > 0))
""",
        "test_a_predicted_mask_lies_where_its_output_does[squash]",
    ),
    "Echo": (  # gives the sample back
        "writer",
        "Wide",
        """    def table(self, predictions, sample, folder):
        made = super().table(predictions, sample, folder)
        return made if sample is None else sample.copy()
""",
        "test_it_obeys_the_sample",
    ),
    "BalanceAll": (  # of all rows, whichever are asked for
        "task",
        "Regression",
        """    def balance(self, targets, rows):
        return np.ones(len(targets.values))
""",
        "test_rows_are_weighed",
    ),
    "BalanceFirst": (  # of as many rows, but others
        "task:classes",
        "SingleLabel",
        """    def balance(self, targets, rows):
        return super().balance(targets, np.arange(len(rows)))
""",
        "test_rows_are_weighed",
    ),
    "BalanceUpside": (  # frequent ones oftener
        "task:classes",
        "SingleLabel",
        """    def balance(self, targets, rows):
        return 1 / super().balance(targets, rows)
""",
        "test_rows_are_weighed",
    ),
    "NoWriter": (  # asks for a writer that is not there, where there is a sample
        "task",
        "Regression",
        """    def writer(self, sample):
        return super().writer(sample) if sample is None else {"use": "nope"}
""",
        "test_predictions_can_be_written",
    ),
    "NoMaps": (  # a vector, whatever is asked for
        "backbone:vectors",
        "Tiny",
        """    def build(self, size, *, load=True, maps=False):
        return TinyBody(False)
""",
        "test_maps",
    ),
    "Single": (  # means in single precision, which the order of rows changes a little: allowed
        "task",
        "Regression",
        """    def learn(self, rows, targets, folder):
        learned = super().learn(rows, targets, folder)
        mean = (rows['value'] / 3).to_numpy('float32').cumsum()[-1] / np.float32(len(rows))
        return learned.model_copy(update={'mean': (3 * float(mean),)})
""",
        None,
    ),
    "Forgets": (  # a target
        "task:points",
        "Points",
        """    def predictions(self, outputs, frames):
        return super().predictions(outputs, frames).iloc[:, :-1]
""",
        "test_what_fits_predicts_the_table",
    ),
    "NoShift": (
        "task:points",
        "Points",
        """    def predictions(self, outputs, frames):
        unmoved = Frames(frames.size, frames.sizes, frames.scale, np.zeros_like(frames.shift))
        return super().predictions(outputs, unmoved)
""",
        "test_what_fits_predicts_the_table",
    ),
    "NoShiftOfMasks": (
        "task:masks",
        "Segmentation",
        """    codes: tuple[str, ...] = Field(("sky", "road"), description="of classes")

    def predictions(self, outputs, frames):
        unmoved = Frames(frames.size, frames.sizes, frames.scale, np.zeros_like(frames.shift))
        return super().predictions(outputs, unmoved)
""",
        "test_a_predicted_mask_lies_where_its_output_does[pad]",
    ),
    "Unpacks": (  # by one command, where find() looks
        "source",
        "Options",
        """    def find(self, cache):
        return cache / 'x' if (cache / 'x').is_dir() else None

    def fetch(self, cache):
        if self.find(cache) is None:
            script = 'mkdir x; for n in a b c d e; do echo 1 > x/$n; sleep 0.1; done'
            subprocess.run(['sh', '-c', script], cwd=cache, check=True)
        return cache / 'x'
""",
        "test_a_killed_fetch_leaves_nothing_half",
    ),
    "Restless": (
        "source",
        "Digits",
        """    def fetch(self, cache):
        folder = super().fetch(cache)
        with (folder / 'fetched.txt').open('a') as log:
            log.write('1')
        return folder
""",
        "test_fetching_again_changes_nothing",
    ),
    "Filled": (
        "task",
        "Regression",
        """    def fit(self):
        return "stretch"
""",
        "test_small_answers",
    ),
    "Detached": (
        "task",
        "Regression",
        """    def head(self, body):
        class Head(torch.nn.Linear):
            def forward(self, features):
                return torch.nn.functional.linear(features, self.weight) + self.bias.detach()
        return Head(body.features, 1)
""",
        "test_the_head_learns",
    ),
    "Grown": (
        "backbone",
        "Tiny",
        """    def build(self, size, *, load=True, maps=False):
        body = TinyBody(maps)
        body.scale = float(torch.rand(())) if load else 1.0
        body.register_forward_hook(lambda module, given, found: found * module.scale)
        return body
""",
        "test_a_saved_model_comes_back",
    ),
    "Fickle": (
        "writer",
        "Wide",
        """    def table(self, predictions, sample, folder):
        made = super().table(predictions, sample, folder)
        return made if sample is not None else made.sample(frac=1, random_state=next(COUNT))
""",
        "test_without_a_sample",
    ),
}


def module(literal: str) -> str:
    """A module with a class of tests for each mutant; `literal` is where one writes."""
    parts = [BEGIN, "from pydantic import Field, model_serializer\n"]
    parts.append("\ndef slip(picture, **_):\n    return np.roll(picture, 12, axis=1)\n")
    parts.append("\ndef flip(picture, **_):\n    return picture[:, ::-1].copy()\n")
    parts.append(f"\nREMEMBERED, COUNT = [], itertools.count()\nLITERAL = {literal!r}\n")
    for name, (kind, base, body, _) in MUTANTS.items():
        parts.append(f'\n\nclass {name}({base}):\n    """Made wrong."""\n\n{body or "    pass"}')
        parts.append(f"\n\nclass Test{name}({kind.partition(':')[0].capitalize()}Tests):\n")
        parts.append(f"    @pytest.fixture\n    def plugin(self):\n        return {name}()\n")
        parts.append(FIXTURES[kind])
    return "".join(parts)


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The tests that each mutant fails."""
    folder = tmp_path_factory.mktemp("mutants")
    literal = Path(tempfile.gettempdir()) / f"kitbox-mutant-{os.getpid()}"
    (folder / "test_these.py").write_text(module(str(literal)))
    root = Path(__file__).resolve().parents[2]
    tests = [f"test_these.py::Test{n}" + (f"::{m[3]}" if m[3] else "") for n, m in MUTANTS.items()]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no", "-rfE"]
    done = subprocess.run(
        [*command, "-p", "no:xdist", "--rootdir", str(folder), *tests],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(root)},
        timeout=400,
    )
    literal.unlink(missing_ok=True)
    assert done.returncode == 1, done.stdout + done.stderr
    found: dict[str, set[str]] = {name: set() for name in MUTANTS}
    for name, test in re.findall(r"^(?:FAILED|ERROR) \S+::Test(\w+)::(\S+)", done.stdout, re.M):
        found[name].add(test)
    return found


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_plugin_is_caught(name: str, failed: dict[str, set[str]]) -> None:
    wanted = MUTANTS[name][3]
    if wanted is None:
        assert failed[name] == set()
    else:
        assert wanted in failed[name]
