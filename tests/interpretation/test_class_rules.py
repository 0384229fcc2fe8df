"""Advice for classes: where it speaks, and where it is silent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from interpretation.made import classified, recipe
from kitbox.interpretation import class_rules, suspects, writing
from kitbox.interpretation.advice import Advice
from kitbox.interpretation.section import Plot
from kitbox.recipe import Recipe


def healthy() -> list[list[int]]:
    """Ten classes of 16 pictures, one or two of each wrong."""
    counts = [[0] * 10 for _ in range(10)]
    for n in range(10):
        counts[n][n] = 14 + n % 2
        counts[n][(n + 1) % 10] = 1
        counts[n][(n + 4) % 10] += 1 - n % 2
    return counts


def applied(advice: Advice | None, **changes: Any) -> Recipe:
    assert advice is not None
    return advice.apply(recipe(**changes))


def test_a_healthy_model_is_left_alone() -> None:
    assert class_rules.of(classified(healthy())) == []
    assert class_rules.of(classified(healthy(), sure=0.75)) == []
    assert class_rules.of(classified([[1, 0], [0, 0]])) == []
    assert class_rules.of(classified([[0, 1], [0, 0]])) == []  # one picture says nothing


def rare(found: int) -> list[list[int]]:
    """The last two of ten classes are rare; so many of their five pictures each are found."""
    counts = healthy()
    for n in (8, 9):
        counts[n] = [0] * 10
        counts[n][n] = found
        counts[n][n - 8] = 5 - found
    return counts


def test_rare_classes_that_are_missed() -> None:
    train = [50] * 8 + [6] * 2
    advice = class_rules.imbalance(classified(rare(1), train=train))
    assert applied(advice).sampler == "balanced"
    assert advice is not None
    assert "20%" in advice.seen
    assert "c8 (6), c9 (6)" in advice.seen
    given = {"sampler": "balanced"}
    advice = class_rules.imbalance(classified(rare(1), train=train, recipe=recipe(**given)))
    assert applied(advice, **given).task.class_weights == "balanced"  # type: ignore[attr-defined]


def test_rare_classes_that_are_found_or_none_rare() -> None:
    assert class_rules.imbalance(classified(rare(5), train=[50] * 8 + [6] * 2)) is None
    assert class_rules.imbalance(classified(rare(1), train=[50] * 10)) is None
    few = [row[:] for row in rare(0)]
    few[8], few[9] = [1] + [0] * 9, [1] + [0] * 9
    assert class_rules.imbalance(classified(few, train=[50] * 8 + [6] * 2)) is None


def test_a_class_that_goes_wrong_all_ways() -> None:
    counts = healthy()
    counts[3] = [2, 2, 2, 4, 2, 2, 2, 0, 0, 0]
    seen = classified(counts, run=Path("runs/a b"))
    found = class_rules.of(seen)
    assert [one.about for one in found] == ["one class"]
    made = applied(found[0])
    assert str(made.sampler.csv) == "runs/a b/interpretation/hard.csv"  # type: ignore[union-attr]
    assert found[0].first == (
        "kitbox interpret 'runs/a b' --hard 'runs/a b/interpretation/hard.csv'",
    )


def test_a_class_that_is_only_a_little_worse() -> None:
    counts = healthy()
    counts[3] = [1, 1, 1, 11, 1, 1, 0, 0, 0, 0]
    assert class_rules.one_class(classified(counts)) is None


def test_a_class_that_is_taken_for_one_other() -> None:
    counts = healthy()
    counts[3] = [0, 0, 0, 8, 0, 0, 0, 8, 0, 0]
    found = class_rules.of(classified(counts))
    assert [one.about for one in found] == ["two classes"]
    assert "50% of the 16 pictures of c3 are taken for c7" in found[0].seen
    assert applied(found[0]).hw == (96, 96)
    large = {"size": [384, 512]}
    advice = class_rules.one_pair(classified(counts, recipe=recipe(**large)))
    assert applied(advice, **large).sampler is not None  # larger still is not the answer


def test_a_pair_of_few_pictures_is_chance() -> None:
    counts = healthy()
    counts[3] = [0, 0, 0, 2, 0, 0, 0, 3, 0, 0]
    assert class_rules.one_pair(classified(counts)) is None


def test_labels_that_look_wrong() -> None:
    counts = [[40, 2, 0], [0, 40, 2], [0, 0, 40]]
    advice = class_rules.labels(classified(counts, sure=0.97))
    assert advice is not None
    assert "4 labels of 124 look wrong" in advice.seen
    assert str(applied(advice).exclude) == "suspects.csv"
    assert class_rules.labels(classified(counts, sure=0.7)) is None  # not sure enough
    poor = [[12, 6, 4], [6, 12, 4], [5, 5, 12]]
    assert class_rules.labels(classified(poor, sure=0.97)) is None  # doubts of a poor model


def test_the_file_holds_what_was_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a table lists, classes that the model does not know, and doubts that are small."""
    counts = [[400, 30, 0, 0], [0, 400, 30, 0], [0, 0, 400, 0], [12, 0, 0, 4]]
    seen = classified(counts, sure=0.97)
    changed = seen.probabilities.copy()
    changed[400] = [0.3, 0.7, 0, 0]  # one of the 60, less sure than the others
    seen.__dict__["probabilities"] = changed
    advice = class_rules.labels(seen)
    assert advice is not None
    assert "59 labels of 1276 look wrong" in advice.seen
    monkeypatch.setattr(type(seen), "plot_pictures", lambda self, places: Plot(figsize=(1, 1)))
    (section,) = suspects.sections(seen)
    written = writing.save([section], [advice], tmp_path / "interpretation").files
    assert [path.name for path in written] == [advice.change["exclude"], "suspects.png"]
    for path in (written[0], seen.write_suspects(tmp_path / "suspects.csv")):
        assert len(pd.read_csv(path)) == 59
    assert "59 labels may be wrong" in " ".join(seen.headlines())


def test_what_leaving_labels_out_means_is_said() -> None:
    counts = [[40, 2, 0], [0, 40, 2], [0, 0, 40]]
    seen = classified(counts, sure=0.97, run=Path("runs/a"))
    advice = class_rules.labels(seen)
    assert advice is not None
    assert "the model is no better" in advice.why
    assert "in folds" in advice.why
    assert advice.first == ("kitbox interpret runs/a",)
    assert advice.change == {"exclude": "runs/a/interpretation/suspects.csv"}
    seen.scene.table["part"] = "train"
    advice = class_rules.labels(seen)
    assert advice is not None
    assert "may have learned wrong labels" in advice.why
    assert advice.first == ("kitbox interpret runs/a --part train",)


def test_overconfidence_asks_for_smoothing() -> None:
    counts = [[24, 8], [8, 24]]
    options = {"use": "single-label", "smoothing": 0.0}
    given = recipe(task=options)
    advice = class_rules.overconfidence(classified(counts, sure=0.99, recipe=given))
    assert applied(advice, task=options).task.smoothing == 0.1  # type: ignore[attr-defined]
    assert class_rules.overconfidence(classified(counts, sure=0.99)) is None  # smoothed already
    assert class_rules.overconfidence(classified(counts, sure=0.8, recipe=given)) is None


def test_underconfidence_asks_for_plain_labels() -> None:
    counts = [[31, 1], [1, 31]]
    advice = class_rules.underconfidence(classified(counts, sure=0.7))
    assert applied(advice).task.smoothing == 0  # type: ignore[attr-defined]
    options = {"use": "single-label", "smoothing": 0.0}
    plain = classified(counts, sure=0.7, recipe=recipe(task=options))
    assert class_rules.underconfidence(plain) is None
    assert class_rules.underconfidence(classified(counts, sure=0.95)) is None


def test_a_class_of_five_pictures_that_is_never_found() -> None:
    """As chance would hardly have it; of four nothing is said."""
    counts = [[20, 0, 0], [0, 20, 0], [5, 0, 0]]
    found = class_rules.one_class(classified(counts))
    assert found is not None
    assert "0% of 5 pictures of c2" in found.seen
    assert class_rules.one_class(classified([[20, 0, 0], [0, 20, 0], [4, 0, 0]])) is None


RULES = ["imbalance", "one_class", "one_pair", "labels", "overconfidence", "underconfidence"]


@pytest.mark.parametrize("rule", RULES)
def test_300_classes_and_one_missing(rule: str) -> None:
    counts = [[2 if n == m else 0 for m in range(300)] for n in range(300)]
    counts[7][7] = 0
    assert getattr(class_rules, rule)(classified(counts)) is None


def test_a_model_that_learned_nothing() -> None:
    counts = [[0] * 4 for _ in range(4)]
    for row in counts:
        row[1] = 10  # all are called c1
    found = class_rules.of(classified(counts))
    assert [one.about for one in found] == ["nothing learned"]
    assert "25.0%" in found[0].seen
    made = applied(found[0])
    assert made.stages[1].epochs == 12
    assert made.stages[1].lr == "find"
    few = [[0, 4], [0, 4]]
    assert class_rules.nothing_learned(classified(few)) is None
    rare_one = [[95, 0], [5, 0]]  # nothing but the frequent class: rare ones may be the trouble
    assert class_rules.nothing_learned(classified(rare_one)) is None
