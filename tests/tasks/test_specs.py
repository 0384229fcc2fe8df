"""Metrics as recipes name them."""

from __future__ import annotations

import pytest

from kitbox.tasks import measures, scores, specs, tag_scores


def test_name_and_options() -> None:
    given = {"use": "fbeta_score", "beta": 2}
    assert specs.parts("r2") == ("r2", {})
    assert specs.parts(given) == ("fbeta_score", {"beta": 2})
    assert given == {"use": "fbeta_score", "beta": 2}, "it stays as it is"


def test_a_mapping_without_a_name_is_refused_everywhere() -> None:
    for check in (measures.check, scores.check, tag_scores.check):
        with pytest.raises(ValueError, match="expected a name or a mapping with `use`"):
            check({"beta": 2})


def test_names_in_logs() -> None:
    assert specs.label("r2") == "r2"
    assert specs.label({"use": "mean_pinball_loss", "alpha": 0.9}) == "mean_pinball_loss_0.9"
    assert (
        specs.label({"use": "cohen_kappa_score", "weights": "quadratic"})
        == "cohen_kappa_score_quadratic"
    )
