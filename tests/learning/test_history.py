"""The history as a recipe, and what no recipe can repeat."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

from results import small

from kitbox.learning import history
from kitbox.learning.history import Fit
from kitbox.recipe import Stage


def fit(before: str = "", size: tuple[int, int] = (32, 32), **stage: object) -> Fit:
    made = Stage.model_validate({"epochs": 2, **stage})
    return Fit(history.stage_values(made, size), history.settings(small()), "d", list(size), before)


def test_the_key_is_of_all_that_the_weights_depend_on() -> None:
    one = fit()
    assert one.key == fit().key
    assert Fit(**json.loads(json.dumps(asdict(one)))).key == one.key
    assert replace(one, cut="epoch 1, step 2", calmed=True).key == one.key
    # A run's folder may move; its weights may be others in the same folder.
    assert replace(one, origin="the run x").key == replace(one, origin="the run y").key
    others = [
        fit(lr=1e-3),
        fit(before="x"),
        fit(size=(32, 40)),
        replace(one, data="e"),
        replace(one, foreign="by hand"),
        replace(one, weights="ab"),
        replace(one, settings={**one.settings, "seed": 1}),
    ]
    assert len({one.key, *(other.key for other in others)}) == 8


def test_what_a_fit_leaves_depends_on_where_it_was_cut_short() -> None:
    one = fit()
    cut = [replace(one, cut=f"epoch 1, step {step}").left for step in (1, 2)]
    assert len({one.left, *cut}) == 3
    assert one.left == one.key


def test_in_words() -> None:
    one = fit(freeze=True, lr=1e-3)
    assert history.in_words(one) == "2 epochs, head alone, lr 0.001, 32x32 pixels"
    told = history.in_words(replace(fit(freeze=3), cut="epoch 1, step 2", calmed=True))
    assert told == (
        "2 epochs, freeze 3, default rate, lowered to 0.3 of it after a loss that was not finite, "
        "32x32 pixels, cut short at epoch 1, step 2"
    )


def test_settings_leave_out_what_weights_do_not_depend_on() -> None:
    settings = history.settings(small())
    same = small(tta=True, checkpoint_every=3, time_budget="1h", name="other", size=64)
    assert history.settings(same) == settings
    assert history.settings(small(weight_decay=0.1)) != settings
    json.dumps(settings)


def test_the_recipe_of_fits() -> None:
    fits = [fit(freeze=True), fit(size=(48, 64), lr=(1e-4, 1e-3)), fit(schedule="constant")]
    fits = [replace(one, decoded=[96, 96]) for one in fits]
    made = history.compose(small(), fits, "by-hand")
    assert (made.name, made.size, made.largest, made.keep) == ("by-hand", 32, (96, 96), "last")
    assert made.stages == (
        Stage(epochs=2, freeze=True),
        Stage(epochs=2, lr=(1e-4, 1e-3), size=(48, 64)),
        Stage(epochs=2, schedule="constant"),
    )
    assert made.source == small().source
    assert history.compose(small(), [fits[1]], "one").size == (48, 64)
    assert history.compose(small(), [replace(fits[1], decoded=[48, 64])], "one").largest is None


def test_what_no_recipe_can_repeat() -> None:
    first = fit()
    assert history.untold([first, fit(first.key, freeze=True)]) == []
    found = history.untold(
        [
            first,
            replace(first, settings={**first.settings, "batch_size": 8, "mix": 1}),
            replace(first, data="e", decoded=[64, 64]),
            replace(first, foreign="somebody was here"),
            replace(first, cut="epoch 1, step 3", calmed=True),
            replace(first, origin="the run x"),
        ]
    )
    assert found == [
        "the weights of the run x were taken up, without its random state",
        "fit 2 was made with another `batch_size`, `mix` than fit 1",
        "fit 3 saw other pictures, labels or parts than fit 1",
        "fit 3 saw pictures decoded for 64 pixels, fit 1 for 32: a run decodes them once (name "
        "`largest` in kitbox.load)",
        "before fit 4 somebody was here",
        "fit 5 was cut short at epoch 1, step 3",
        "fit 5 went on with 0.3 of its learning rate after a loss that was not finite: a run goes "
        "back to its own checkpoint then, and lowers the rates of later stages too",
    ]
