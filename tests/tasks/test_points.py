"""Points: what is learned, losses, metrics, tables, and whole runs."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError
from sklearn import metrics

from kitbox import recipe as recipes
from kitbox import registry
from kitbox.contracts import Variation
from kitbox.data.frames import Frames
from kitbox.data.targets import Fixed
from kitbox.errors import LabelError, SubmissionError
from kitbox.progress import Progress
from kitbox.results.predictor import Predictor
from kitbox.runner import run
from kitbox.tasks.points import Points

HERE = Path()
RNG = np.random.default_rng(1)
NAN = float("nan")
XY = RNG.uniform(5, 90, (6, 3, 2))


def table(xy: np.ndarray = XY, part: list[str] | None = None) -> pd.DataFrame:
    count, points, _ = xy.shape
    columns = [f"{axis}{i}" for i in range(points) for axis in "xy"]
    rows = pd.DataFrame(xy.reshape(count, -1), columns=columns)
    rows.insert(0, "id", [f"p{i}" for i in range(count)])
    rows.insert(1, "image", rows["id"] + ".png")
    rows.insert(2, "part", part or ["train"] * count)
    return rows


def learned(rows: pd.DataFrame, folder: Path = HERE, **options: Any) -> Points:
    return Points(**options).learn(rows, list(rows.columns[3:]), folder)


def gaps(*places: tuple[int, int]) -> np.ndarray:
    xy = XY.copy()
    for place in places:
        xy[place] = NAN
    return xy


def test_columns_are_guessed_and_named() -> None:
    task = learned(table())
    assert task.columns == (("x0", "y0"), ("x1", "y1"), ("x2", "y2"))
    assert task.names == ["0", "1", "2"]
    assert learned(table(), columns=[("x2", "y2")]).names == ["2"]
    encoded = task.encode(table(), HERE)
    np.testing.assert_array_equal(encoded.xy, XY)


def test_what_is_learned_is_plain_values_that_build_it_again() -> None:
    task = learned(table(), pairs=[[0, 1]], norm=[0, "x2"], criterion="wing")
    described = json.loads(json.dumps(registry.tasks.describe(task)))
    assert registry.tasks.build(described) == task


def test_a_centre_of_another_length() -> None:
    with pytest.raises(LabelError, match=r"`centre` does not fit.*1 values for 3 points"):
        learned(table(), centre=[[0, 0]])


def test_a_point_with_one_coordinate_is_missing() -> None:
    xy = XY.copy()
    xy[1, 2, 0] = NAN
    encoded = learned(table(xy)).encode(table(xy), HERE)
    assert np.isnan(encoded.xy[1, 2]).all()
    assert np.isnan(encoded.xy).sum() == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"pairs": [[0, 7]]}, "no point called '7'"),
        ({"norm": ["eye", 1]}, "no point called 'eye'"),
        ({"columns": [["x0", "y9"]]}, "no column 'y9'"),
    ],
)
def test_names_that_are_none(options: dict[str, Any], said: str) -> None:
    with pytest.raises(LabelError, match=said):
        learned(table(), **options)


def test_wrong_options() -> None:
    with pytest.raises(ValidationError, match="more than once"):
        Points(pairs=[[0, 1], [1, 2]])
    with pytest.raises(ValidationError, match="Did you mean 'mean_absolute_error'"):
        Points(metrics=["mean_absolut_error"])


def test_columns_that_are_no_points() -> None:
    rows = table().assign(person="z")
    with pytest.raises(LabelError, match=r"cannot be told which columns.*person"):
        learned(rows)
    with pytest.raises(LabelError, match="no number in the column 'x0'"):
        learned(table().astype({"x0": object}).assign(x0="left"))


def test_points_that_nobody_has() -> None:
    xy = gaps(*[(i, 1) for i in range(4)])
    with pytest.raises(LabelError, match="no training picture has: 1"):
        learned(table(xy, ["train"] * 4 + ["valid"] * 2))


def test_points_that_never_move() -> None:
    with pytest.raises(LabelError, match="same place in every picture"):
        learned(table(np.repeat(XY[:1], 4, axis=0)))


def test_shares_of_the_picture_are_refused() -> None:
    with pytest.raises(LabelError, match="look like shares"):
        learned(table(XY / 100))


def bound(task: Points, rows: pd.DataFrame, size: tuple[int, int] = (100, 100)) -> Any:
    sizes = np.array([size] * len(rows))
    return task.encode(rows, HERE).bind(np.arange(len(rows)), sizes, sizes)


def test_points_outside_the_picture_count_unless_they_are_far() -> None:
    xy = XY.copy()
    xy[2, 1] = [-99, 198]
    rows = table(xy)
    np.testing.assert_allclose(bound(learned(rows), rows).xy, xy)
    xy[4, 0] = [3, -101]
    rows = table(xy)
    with pytest.raises(LabelError, match=r"in 1 of 6. Found: \(3, -101\) in p4 \(100x100\)"):
        bound(learned(rows), rows)
    np.testing.assert_allclose(bound(learned(rows, far=1.1), rows).xy, xy)
    with pytest.raises(LabelError, match="far outside"):
        bound(learned(table(), far=0), table(), (50, 300))


@pytest.mark.parametrize("criterion", ["l1", "smooth_l1", "mse", "wing"])
def test_missing_points_are_masked_in_the_loss(criterion: str) -> None:
    task = learned(table(), criterion=criterion)
    targets = torch.rand(4, 3, 2) * 2 - 1
    targets[1, 2] = NAN
    targets[3] = NAN
    outputs = torch.randn(4, 6, requires_grad=True)
    losses = task.loss(outputs, targets)
    losses.sum().backward()
    grad = outputs.grad
    assert grad is not None
    assert grad.isfinite().all()
    assert losses.shape == (4,)
    assert losses[3] == 0
    assert (grad[1, 4:] == 0).all()
    assert (grad[3] == 0).all()
    assert (grad[0] != 0).all()
    apart = (torch.tensor(task.centre) + task.spread * outputs.view(4, 3, 2) - targets).abs()
    w = task.width
    curve = {
        "l1": lambda d: d,
        "mse": lambda d: d * d,
        "smooth_l1": lambda d: torch.nn.functional.smooth_l1_loss(
            d, torch.zeros_like(d), beta=w, reduction="none"
        ),
        "wing": lambda d: torch.where(
            d < w, w * torch.log(1 + d / (w / 5)), d - (w - w * np.log(1 + 5))
        ),
    }[criterion]
    assert losses[0].item() == pytest.approx(curve(apart[0]).mean().item(), rel=1e-5)
    assert losses[1].item() == pytest.approx(curve(apart[1, :2]).mean().item(), rel=1e-5)


def frames(count: int) -> Frames:
    """Rectangles of several sizes, squashed to 32x64."""
    sizes = np.array([[100 + 10 * i, 50 + 30 * i] for i in range(count)])
    scale = np.array([64, 32]) / sizes[:, ::-1]
    return Frames((32, 64), sizes, scale, 0.5 * scale - 0.5)


def test_metrics_are_in_pixels_of_the_pictures() -> None:
    xy = gaps((1, 2), (3, 0), (3, 1), (3, 2))
    wanted = ("mean_error", "normalised_mean_error", "rmse", "mae")
    task = learned(table(xy), metrics=wanted)
    where, raw = frames(6), RNG.normal(size=(6, 6)).astype(np.float32)
    targets = where.to_frame(xy).astype(np.float32)
    tally = task.tally()
    for part in (slice(0, 4), slice(4, 6)):
        there = Frames(where.size, where.sizes[part], where.scale[part], where.shift[part])
        tally.add(torch.from_numpy(raw[part]), torch.from_numpy(targets[part]), there)
    scores = task.score(tally)
    found = task.predictions(raw, where).to_numpy().reshape(6, 3, 2)
    apart = np.linalg.norm(found - xy, axis=2)
    each = np.array([np.nanmean(apart[i]) for i in (0, 1, 2, 4, 5)])
    assert scores["mean_error"] == pytest.approx(each.mean(), rel=1e-5)
    diagonal = np.linalg.norm(where.sizes, axis=1)[[0, 1, 2, 4, 5]]
    assert scores["normalised_mean_error"] == pytest.approx((each / diagonal).mean(), rel=1e-5)
    known = ~np.isnan(xy)
    theirs = metrics.root_mean_squared_error(xy[known], found[known])
    assert scores["rmse"] == pytest.approx(theirs, rel=1e-5)
    theirs = metrics.mean_absolute_error(xy[known], found[known])
    assert scores["mae"] == pytest.approx(theirs, rel=1e-5)
    assert task.best() == ("mean_error", "min")

    eyes = learned(table(xy), norm=[0, 2], metrics=["normalised_mean_error"])
    between = np.linalg.norm(xy[:, 0] - xy[:, 2], axis=1)[[0, 2, 4, 5]]  # 1 lacks point 2
    score = eyes.score(tally)["normalised_mean_error"]
    assert score == pytest.approx((each[[0, 2, 3, 4]] / between).mean(), rel=1e-5)


def test_predictions_are_called_like_the_targets_and_lie_on_the_file_s_picture() -> None:
    task = learned(table())
    where = frames(6)
    raw = (where.to_frame(XY) - np.array(task.centre)) / task.spread
    found = task.predictions(raw.reshape(6, -1).astype(np.float32), where)
    assert list(found.columns) == ["x0", "y0", "x1", "y1", "x2", "y2"]
    np.testing.assert_allclose(found.to_numpy().reshape(XY.shape), XY, atol=1e-3)


def test_dots_are_where_the_points_are() -> None:
    task = learned(table(gaps((0, 2))), pairs=[[0, 1]])
    picture = np.zeros((40, 80, 3), np.uint8)
    target = np.array([[(20.5 * 2 / 80) - 1, (10.5 * 2 / 40) - 1], [5, -7], [NAN, NAN]])
    drawn, caption = task.draw(picture, target.astype(np.float32))
    assert caption == "3 points, 1 missing"
    assert not picture.any()
    ys, xs = np.nonzero(drawn[:, :22].any(axis=2))  # right of it is its number
    assert (xs.mean(), ys.mean()) == pytest.approx((20, 10), abs=0.5)
    assert drawn[10, 20].tolist() == [255, 60, 60]
    assert drawn[:, 22:].any()


def test_a_person_is_shown_points_in_their_order() -> None:
    task = learned(table())
    given = pd.DataFrame([[300.0, 1, 2, 3, 400.25, 5]], columns=list(table().columns[3:]))
    assert task.decide(given) == ["0 (300.0, 1.0), 1 (2.0, 3.0), 2 (400.2, 5.0)"]
    assert task.decide(given, 1) == ["0 (300.0, 1.0) and 2 more, use --out"]


def test_points_without_pairs_have_colours_of_their_own() -> None:
    places = np.array([[-0.5, 0], [0.5, 0]], np.float32)
    task, picture = learned(table(XY[:, :2])), np.zeros((100, 100, 3), np.uint8)
    drawn, _ = task.draw(picture, places)
    swapped, _ = task.draw(picture, places[::-1])
    left, right = drawn[49, 24].tolist(), drawn[49, 74].tolist()
    assert left != right
    assert [swapped[49, 24].tolist(), swapped[49, 74].tolist()] == [right, left]
    many = np.linspace(-0.9, 0.9, 80, dtype=np.float32).reshape(40, 2)
    assert task.draw(picture, many)[1] == "40 points"


def test_notes_on_mirrors_and_constant_coordinates() -> None:
    rows, mirrored = table(), Variation(mirrors=True)
    (note,) = learned(rows).advise(rows, mirrored)
    assert "Set task.pairs" in note
    assert "`pairs: [[0, 1]]`" in note
    assert "augmentation.flip: 0" in note
    (alone,) = learned(rows, pairs=[[0, 2]]).advise(rows, mirrored)
    assert "1 of 3 points" in alone
    assert "keep their names then: 1. " in alone
    assert "only for points on the middle line" in alone
    assert learned(rows, pairs=[[0, 2]]).advise(rows, Variation()) == []
    assert learned(rows).advise(rows, Variation(kept=0.2)) == []
    one = learned(rows, columns=[("x1", "y1")])
    assert one.advise(rows, mirrored) == []
    rows = table(XY, ["train"] * 5 + ["valid"])
    rows.loc[:4, "y2"] = 7
    (note,) = learned(rows).advise(rows, Variation())
    assert "y2 is 7" in note


def test_all_pictures_are_drawn_as_often() -> None:
    assert learned(table()).balance(Fixed(XY), np.arange(4)).tolist() == [1, 1, 1, 1]


def test_the_writer_that_the_sample_asks_for() -> None:
    task = learned(table())
    whole = pd.DataFrame(columns=["image", "x0", "y0", "x1", "y1", "x2", "y2"], dtype=str)
    assert task.writer(None) == {"use": "wide"}
    assert task.writer(whole) == {"use": "wide"}
    some = whole[["image", "y1", "x1"]]
    assert task.writer(some) == {"use": "wide", "columns": {"y1": "y1", "x1": "x1"}}
    with pytest.raises(SubmissionError, match=r"Name the writer.*lookup"):
        task.writer(pd.DataFrame(columns=["RowId", "Location"], dtype=str))


def test_where_the_head_begins(tmp_path: Path) -> None:
    for i in range(6):
        cv2.imwrite(str(tmp_path / f"p{i}.png"), np.zeros((100, 200 - 10 * i, 3), np.uint8))
    rows = table(gaps((0, 1)), ["train"] * 5 + ["valid"])
    task = learned(rows, tmp_path)
    sizes = np.array([[200 - 10 * i, 100] for i in range(5)])[:, None]
    across = (gaps((0, 1))[:5] + 0.5) * 2 / sizes - 1
    np.testing.assert_allclose(task.centre, np.nanmean(across, axis=0))
    assert task.spread == pytest.approx(np.sqrt(np.nanmean((across - task.centre) ** 2)))
    (tmp_path / "p1.png").write_bytes(b"broken")
    assert learned(rows, tmp_path).centre != task.centre


def pictures(folder: Path, count: int) -> pd.DataFrame:
    """Rectangles with a red disc above a blue one, each a point; the test pictures' points."""
    rows = []
    for part, many in (("train", count), ("test", 12)):
        (folder / part).mkdir(parents=True)
        for i in range(many):
            height, width = [(60, 120), (120, 60), (90, 90)][i % 3]
            picture = np.full((height, width, 3), 90, np.uint8)
            x = RNG.uniform(0.38, 0.62) * width
            ys = RNG.uniform(0.38, 0.46) * height, RNG.uniform(0.54, 0.62) * height
            for y, colour in zip(ys, [(0, 0, 255), (255, 0, 0)], strict=True):
                cv2.circle(picture, (round(x * 16), round(y * 16)), 6 * 16, colour, -1, 8, shift=4)
            cv2.imwrite(str(folder / part / f"{i:03}.png"), picture)
            rows.append((part, f"{i:03}.png", x, ys[0], x, ys[1]))
    columns = ["part", "image", "red_x", "red_y", "blue_x", "blue_y"]
    whole = pd.DataFrame(rows, columns=columns)
    labelled = whole[whole["part"] == "train"].drop(columns="part")
    labelled.loc[labelled.index[::10], ["blue_x", "blue_y"]] = NAN
    labelled.to_csv(folder / "train.csv", index=False)
    wanted = whole[whole["part"] == "test"].drop(columns="part").reset_index(drop=True)
    empty = wanted.assign(**dict.fromkeys(columns[2:], 0.0))
    empty.to_csv(folder / "sample_submission.csv", index=False)
    return wanted


@pytest.mark.parametrize("fit", ["squash", "crop", "pad"])
def test_a_whole_run_on_rectangles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fit: str
) -> None:
    monkeypatch.setenv("KITBOX_CACHE", str(tmp_path / "cache"))
    wanted = pictures(tmp_path / "data", 150)
    recipe = recipes.make(
        {
            "source": {"use": "folder", "path": str(tmp_path / "data")},
            "labeler": "points",
            "task": "points",
            "backbone": {"use": "timm", "name": "test_resnet", "pretrained": False},
            "augmentation": {"use": "standard", "area": [0.8, 1.0], "stretch": 1.1},
            "size": 48,
            "fit": fit,
            "batch_size": 10,
            "stages": [{"epochs": 12, "lr": 0.01}],
            "submission": {"sample": "sample_submission.csv"},
        }
    )
    done = run(recipe, tmp_path / "run", progress=Progress(io.StringIO()))
    assert done.submission is not None
    made = pd.read_csv(done.submission)
    assert list(made.columns) == list(wanted.columns)
    columns = list(wanted.columns[1:])
    given, right = (t[columns].to_numpy().reshape(-1, 2, 2) for t in (made, wanted))
    apart = np.linalg.norm(given - right, axis=2)
    middle = np.array([[120, 60], [60, 120], [90, 90]] * 4)[:, None] / 2
    assert apart.mean() < 5
    assert apart.mean() < 0.6 * np.linalg.norm(middle - right, axis=2).mean()
    assert done.scores["mean_error"] < 5
    files = [tmp_path / "data" / "test" / name for name in made["image"][:3]]
    again = Predictor.load(tmp_path / "run").predict(files)
    np.testing.assert_allclose(again[columns], made[columns][:3], atol=0.05)


def test_outputs_of_a_mirror_image_are_mirrored_back() -> None:
    """Where a picture's points are, and where its mirror image's are, agree."""
    task = learned(table(), pairs=[task_pair()])
    rng = np.random.default_rng(0)
    outputs = torch.from_numpy(rng.normal(size=(3, 2 * len(task.names)))).float()
    frames = Frames.whole((40, 60), 3)
    there = task.predictions(outputs.numpy(), frames).to_numpy().reshape(3, -1, 2)
    back = task.predictions(task.mirrored(outputs).numpy(), frames).to_numpy().reshape(3, -1, 2)
    expected = there * [-1, 1] + [59, 0]
    one, other = (task.names.index(name) for name in task_pair())
    expected[:, [one, other]] = expected[:, [other, one]]
    np.testing.assert_allclose(back, expected, atol=1e-3)
    torch.testing.assert_close(task.mirrored(task.mirrored(outputs)), outputs)


def task_pair() -> tuple[str, str]:
    names = learned(table()).names
    return names[0], names[1]
