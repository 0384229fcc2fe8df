"""fast.ai's words in a recipe."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from kitbox import fastai_words
from kitbox.errors import RecipeError
from kitbox.recipe import Recipe, Stage, make

LEAST: dict[str, Any] = {"source": "digits", "labeler": "folder", "task": "single-label"}


def test_they_are_no_options_of_ours() -> None:
    assert not set(fastai_words.RECIPE) & set(Recipe.model_fields)
    assert not set(fastai_words.STAGE) & set(Stage.model_fields)


def test_what_is_said_instead_can_be_written() -> None:
    for words, model in ((fastai_words.RECIPE, Recipe), (fastai_words.STAGE, Stage)):
        for said in words.values():
            whole, names = re.findall(r"`(\w+: .*?)`", said), re.findall(r"`(\w+)`", said)
            assert whole or names or "nothing" in said or model is Stage, said
            for text in whole:
                written = yaml.safe_load(text.replace("[...]", "[accuracy]"))
                if model is Recipe:
                    make({**LEAST, **written})
            known = {*Recipe.model_fields, *Stage.model_fields, "pretrained", "metrics", "random"}
            assert set(names) <= known, said


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"bs": 64}, "bs: unknown option. What fast.ai calls `bs` is here `batch_size`"),
        ({"valid_pct": 0.2}, r"split: \{use: stratified, valid: 0.2\}"),
        ({"n_epoch": 2}, r"n_epoch: .*here `epochs` of a stage"),
        ({"stages": [{"epochs": 1, "lr_max": 1e-3}]}, r"stages\[0\]\.lr_max: .*is here `lr`"),
        ({"labeler": {"use": "folder", "bs": 3}}, r"labeler\.bs: unknown option\. Known"),
    ],
)
def test_a_recipe_that_has_them_is_told(values: dict[str, Any], words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        make({**LEAST, **values})
