"""Points: errors in the file's pixels, missing points, both sets drawn where they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from interpretation.made import recipe, seen_by
from kitbox.interpretation.landmarks import GIVEN, TRUE, LandmarksInterpretation
from kitbox.tasks.points import Points
from kitbox.testing import labelled


def made(folder: Path, count: int = 9, gap: bool = False) -> LandmarksInterpretation:
    rng = np.random.default_rng(1)
    xy = rng.integers(8, 32, (4, count)).astype(float)
    if gap:
        xy[2:, 2] = np.nan  # a validation picture's second point
    rows = labelled(folder, dict(zip(("x0", "y0", "x1", "y1"), xy.tolist(), strict=True)))
    given = recipe(task="points")
    seen = seen_by(folder, Points(), rows, ["x0", "y0", "x1", "y1"], size=(32, 64), recipe=given)
    assert isinstance(seen, LandmarksInterpretation)
    return seen


def test_errors_are_in_pixels_of_the_files(tmp_path: Path) -> None:
    seen = made(tmp_path)
    given, rows = seen.predictions, seen.table
    for point in (0, 1):
        off = [given[f"{a}{point}"].to_numpy() - rows[f"{a}{point}"].to_numpy() for a in "xy"]
        assert seen.errors[:, point] == pytest.approx(np.hypot(*off))
    assert seen.shares == pytest.approx(seen.errors / np.hypot(48, 48))
    table = seen.scores()
    assert table["error"].is_monotonic_decreasing
    assert table["error"].sum() == pytest.approx(seen.errors.mean(axis=0).sum())
    assert table["known"].tolist() == [3, 3]
    worst = seen.top_losses(1).iloc[0]
    assert worst["error_of_worst"] >= worst["error"]


def test_missing_points_are_left_out(tmp_path: Path) -> None:
    seen = made(tmp_path, gap=True)
    assert np.isnan(seen.errors).sum() == 1
    assert seen.scores()["known"].sum() == 5
    assert np.isfinite(seen.scores()["error"]).all()
    for section in seen.sections():
        for plot in section.plots.values():
            assert plot.png()


def test_both_sets_are_drawn_where_they_are(tmp_path: Path) -> None:
    seen = made(tmp_path)
    (drawn,) = seen.drawn(np.array([1]))
    assert drawn.shape == (160, 320, 3)
    zoom = np.array([320, 160]) / 48  # squashed: a picture of 48 x 48 fills the frame
    for points, color in ((seen.right, TRUE), (seen.given, GIVEN)):
        for x, y in (points[1] + 0.5) * zoom - 0.5:
            pixel = drawn[round(float(y)), round(float(x))].astype(int)
            # The other set may lie over it.
            assert any(abs(pixel - np.array(one)).max() < 60 for one in (color, TRUE))


def test_they_are_told_apart_by_their_shapes(tmp_path: Path) -> None:
    """A circle is full where a cross has a gap: beside its middle, along an axis."""
    seen = made(tmp_path)
    seen.given[:] = seen.right + np.array([[12, 0], [0, 12]])
    (drawn,) = seen.drawn(np.array([0]))
    zoom = np.array([320, 160]) / 48
    for points, color, full in ((seen.right, TRUE, True), (seen.given, GIVEN, False)):
        x, y = (points[0, 0] + 0.5) * zoom - 0.5
        beside = drawn[round(float(y)), round(float(x)) + (-2 if full else 4)].astype(int)
        assert (abs(beside - np.array(color)).max() < 90) == full


def test_the_explained_output_is_the_worst_coordinate(tmp_path: Path) -> None:
    seen = made(tmp_path)
    (number,) = seen.explained(np.array([0]))
    off = abs(seen.given[0] - seen.right[0])
    point = int(np.hypot(*off.T).argmax())
    assert number == 2 * point + int(off[point].argmax())
    assert seen.headlines()[0].startswith("mean error")
    assert seen.plot_top_losses(2).png()


def test_one_picture(tmp_path: Path) -> None:
    seen = made(tmp_path, 3)
    assert seen.count == 1
    assert all(plot.png() for section in seen.sections() for plot in section.plots.values())
