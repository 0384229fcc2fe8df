"""Labels that look wrong: those that were exchanged are found."""

from __future__ import annotations

import numpy as np

from interpretation.made import classified
from kitbox.interpretation.section import Plot
from kitbox.interpretation.suspects import sections, suspects


def made(count: int = 300, wrong: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities of a good model, labels, and where those are wrong."""
    rng = np.random.default_rng(3)
    true = rng.integers(0, 4, count)
    probabilities = rng.dirichlet(np.full(4, 0.3), count) * 0.2
    probabilities[np.arange(count), true] += 0.8
    labels = true.copy()
    places = rng.choice(count, wrong, replace=False)
    labels[places] = (labels[places] + 1) % 4
    return probabilities, labels, np.sort(places)


def test_exchanged_labels_are_found_surest_first() -> None:
    probabilities, labels, places = made()
    found, seems, apart = suspects(probabilities, labels, 0.3)
    assert set(found.tolist()) <= set(places.tolist())
    assert len(found) >= 0.75 * len(places)
    assert (seems == (labels[found] - 1) % 4).all()
    assert (np.diff(apart) <= 0).all()


def test_right_labels_are_left_alone() -> None:
    probabilities, labels, _ = made(wrong=0)
    assert len(suspects(probabilities, labels, 0.3)[0]) == 0


def test_what_was_trained_on_is_said_so() -> None:
    seen = classified([[9, 1], [0, 9]], sure=0.95)
    seen.plot_pictures = lambda places: Plot(figsize=(1, 1))  # type: ignore[assignment]
    (section,) = sections(seen)
    assert "trained on these" not in section.text
    seen.scene.table["part"] = "train"
    (section,) = sections(seen)
    assert "trained on these" in section.text
    assert section.tables["suspects"]["image"].tolist() == ["v9.png"]
    assert sections(classified([[9, 0], [0, 9]])) == []


def test_a_class_without_pictures_is_no_threshold() -> None:
    probabilities = np.array([[0.1, 0.2, 0.7], [0.9, 0.1, 0.0], [0.8, 0.1, 0.1], [0.2, 0.8, 0]])
    found, _, _ = suspects(probabilities, np.array([0, 0, 0, 1]))
    assert len(found) == 0  # nothing is known of how sure a third would be
