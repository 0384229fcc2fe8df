"""Tagging: what it learns from labels, its loss, its thresholds, its tables; the whole way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.special
import torch
from PIL import Image
from torch.nn import functional as F
from typer.testing import CliRunner

from kitbox import recipe as recipes
from kitbox import registry
from kitbox.cli import app
from kitbox.contracts import Decides
from kitbox.data.frames import Frames
from kitbox.data.targets import Fixed
from kitbox.errors import LabelError
from kitbox.mistakes import Mistakes
from kitbox.results.predictor import Predictor
from kitbox.tasks import binary_losses
from kitbox.tasks.multi_label import MultiLabel
from kitbox.tasks.tally import Gathered

from results import follow  # isort: skip

HERE = Path()


def table(*labels: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame({"tags": pd.Series(list(labels), dtype=object), "part": "train"})


FOUR = table(("sky", "sea"), ("sky",), (), ("sea", "tree"), ("tree",))


def learned(**options: Any) -> MultiLabel:
    return MultiLabel(**options).learn(FOUR, ["tags"], HERE)


def tally(outputs: np.ndarray, targets: np.ndarray) -> Gathered:
    kept = Gathered()
    frames = Frames.whole((8, 8), len(outputs))
    kept.add(torch.from_numpy(outputs.astype(np.float32)), torch.from_numpy(targets), frames)
    return kept


def some_tally(rows: int = 60) -> Gathered:
    rng = np.random.default_rng(0)
    targets = (rng.uniform(size=(rows, 3)) < [0.2, 0.5, 0.7]).astype(np.uint8)
    return tally(rng.normal(2.0 * targets - [2.5, 1.5, 0.2], 1.0), targets)


def test_labels_are_found_and_encoded() -> None:
    task = learned()
    assert task.classes == ("sea", "sky", "tree")
    assert task.targets == ("tags",)
    hot = task.encode(FOUR, HERE)
    assert hot.dtype == np.uint8
    assert hot.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0], [1, 0, 1], [0, 0, 1]]


def test_a_metric_that_cannot_be_computed_of_one_label() -> None:
    rows = pd.DataFrame({"a": [1, 0, 1], "part": "train"})
    task = MultiLabel(metrics=({"use": "f1_score", "average": "samples"},))
    with pytest.raises(LabelError, match=r"f1_score_samples.* of a single label"):
        task.learn(rows, ["a"], HERE)


def test_a_column_per_label() -> None:
    rows = pd.DataFrame({"b": [1, 0, 1], "a": ["no", "yes", "yes"], "part": "train", "n": 7})
    task = MultiLabel().learn(rows, ["b", "a"], HERE)
    assert task.classes == ("b", "a")
    assert task.encode(rows, HERE).tolist() == [[1, 0], [0, 1], [1, 1]]
    chosen = MultiLabel(targets=("a",)).learn(rows, ["b", "a"], HERE)
    assert chosen.encode(rows, HERE).tolist() == [[0], [1], [1]]
    with pytest.raises(LabelError, match="no column 'c'"):
        MultiLabel(targets=("c",)).learn(rows, ["b", "a"], HERE)


def test_a_label_of_validation_alone_is_told() -> None:
    rows = FOUR.assign(part=["train", "train", "train", "valid", "valid"])
    with pytest.raises(LabelError, match="validation alone: tree") as caught:
        MultiLabel().learn(rows, ["tags"], HERE)
    assert "single picture" not in str(caught.value)
    task = MultiLabel(unlearnable="drop").learn(rows, ["tags"], HERE)
    assert task.classes == ("sea", "sky")


def test_positive_weights() -> None:
    assert learned(positive_weights="balanced").positive_weights == {
        "sea": 1.5,
        "sky": 1.5,
        "tree": 1.5,
    }
    assert learned(positive_weights=3).positive_weights == 3
    with pytest.raises(LabelError, match="labels that there are not: see"):
        learned(positive_weights={"see": 2.0})
    outputs, targets = torch.randn(5, 3), torch.from_numpy(learned().encode(FOUR, HERE))
    for given, weights in ((None, [1, 1, 1]), (3, [3, 3, 3]), ({"sky": 2.0}, [1, 2, 1])):
        expected = F.binary_cross_entropy_with_logits(
            outputs, targets.float(), pos_weight=torch.tensor(weights).float(), reduction="none"
        ).mean(1)
        torch.testing.assert_close(learned(positive_weights=given).loss(outputs, targets), expected)


def test_the_loss_is_the_one_named_with_its_options() -> None:
    outputs, targets = torch.randn(5, 3), torch.from_numpy(learned().encode(FOUR, HERE))
    ones, truth = torch.ones(3), targets.float()
    focal = learned(criterion="focal", gamma=1.0, alpha=0.5).loss(outputs, targets)
    expected = binary_losses.focal(outputs, truth, ones, gamma=1.0, alpha=0.5).mean(1)
    torch.testing.assert_close(focal, expected)
    asymmetric = learned(criterion="asymmetric", gamma=(1, 2), margin=0.1).loss(outputs, targets)
    expected = binary_losses.asymmetric(outputs, truth, ones, gamma=(1, 2), margin=0.1).mean(1)
    torch.testing.assert_close(asymmetric, expected)
    assert not torch.allclose(focal, asymmetric)
    half = learned().loss(outputs.half(), targets)
    assert half.dtype == torch.float32
    assert half.shape == (5,)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"gamma": 2}, "gamma: the loss bce has no such option"),
        ({"criterion": "focal", "margin": 0.1}, "margin: the loss focal"),
        ({"criterion": "focal", "gamma": [1, 2]}, "expected a number"),
        ({"criterion": "asymmetric", "gamma": 2}, "two numbers"),
        ({"criterion": "focla"}, "'focal'"),
        ({"threshold": "tun"}, "'tune'"),
        ({"threshold": 1}, "less than 1"),
        ({"threshold": {"a": 0}}, "found 0 for 'a'"),
        ({"threshold": {"a": float("nan")}}, "found nan for 'a'"),
        ({"metrics": ["fbeta"]}, "'f_beta'"),
        ({"classes": ["a", "a"]}, "more than once"),
    ],
)
def test_wrong_options_are_mistakes_of_the_recipe(options: dict[str, Any], words: str) -> None:
    with pytest.raises(Mistakes) as caught:
        registry.tasks.build({"use": "multi-label", **options})
    assert words in str(caught.value)


def test_rare_labels_are_drawn_more_often() -> None:
    hot = np.array([[1, 0], [1, 0], [1, 0], [1, 1], [0, 0]], np.uint8)
    found = learned().balance(Fixed(np.concatenate([hot, hot * 0])), np.arange(5))
    np.testing.assert_allclose(found, [0.5, 0.5, 0.5, 1, 1])


def test_predictions_are_probabilities_in_a_column_per_label() -> None:
    outputs = np.array([[-800, -30, 0], [1, 30, 800]], np.float32)
    found = learned().predictions(outputs, Frames.whole((8, 8), 2))
    assert list(found.columns) == ["sea", "sky", "tree"]
    expected = scipy.special.expit(outputs.astype(float))
    np.testing.assert_allclose(found.to_numpy(), expected, rtol=1e-12)


def test_the_threshold_is_tuned_and_saved() -> None:
    kept = some_tally()
    task = learned()
    tuned = task.tune(kept)
    assert isinstance(tuned.threshold, float)
    before, after = task.score(kept), tuned.score(kept)
    assert before == after, "while it is open the scores are those of the best one"
    assert after["threshold"] == tuned.threshold
    for other in (0.1, 0.5, 0.8):
        assert learned(threshold=other).score(kept)["f_beta"] <= after["f_beta"]
    assert learned(threshold=0.3).tune(kept).threshold == 0.3


def test_a_threshold_per_label() -> None:
    kept = some_tally()
    tuned = learned(threshold="tune-each").tune(kept)
    assert isinstance(tuned.threshold, dict)
    assert list(tuned.threshold) == ["sea", "sky", "tree"]
    assert len(set(tuned.threshold.values())) > 1
    scores = tuned.score(kept)
    assert "threshold" not in scores
    assert scores["f_beta"] > learned().score(kept)["f_beta"]
    given = learned(threshold={"sky": 0.2})
    assert given.threshold == {"sea": 0.5, "sky": 0.2, "tree": 0.5}
    with pytest.raises(LabelError, match="`threshold` names labels that there are not: skies"):
        learned(threshold={"skies": 0.2})


def test_it_is_tuned_for_the_first_metric_with_a_threshold() -> None:
    kept = some_tally()
    one = learned(metrics=("mean_average_precision", {"use": "f_beta", "beta": 0.5}))
    assert one.best() == ("mean_average_precision", "max")
    careful, bold = one.tune(kept), learned(metrics=({"use": "f_beta", "beta": 4},)).tune(kept)
    assert isinstance(careful.threshold, float)
    assert isinstance(bold.threshold, float)
    assert careful.threshold > bold.threshold
    assert learned(metrics=("mean_average_precision",)).tune(kept).threshold == (
        learned().tune(kept).threshold
    )
    assert learned(metrics=("hamming_loss",)).best() == ("hamming_loss", "min")


def test_decisions_follow_the_threshold() -> None:
    task = learned(threshold={"sea": 0.1, "sky": 0.9})
    assert isinstance(task, Decides)
    given = pd.DataFrame([[0.2, 0.8, 0.6], [0.05, 0.95, 0.1], [0.1, 0.2, 0.3]])
    given.columns = pd.Index(["sea", "sky", "tree"])
    assert task.decide(given) == [
        "tree 0.6, sea 0.2",
        "sky 0.95",
        "no label (likeliest: tree 0.3)",
    ]
    assert task.decide(given, 1)[0] == "tree 0.6 and 1 more"


def test_draw_captions_with_the_labels() -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    assert learned().draw(picture, np.array([1, 0, 1]))[1] == "sea, tree"
    assert learned().draw(picture, np.zeros(3))[1] == "(no label)"


def test_the_writer_fits_the_sample() -> None:
    task = learned(threshold=0.3)
    assert task.writer(None) == {"use": "wide"}
    assert task.writer(pd.DataFrame(columns=["id", "sea", "sky", "tree"])) == {"use": "wide"}
    sample = pd.DataFrame({"id": ["1", "2"], "tags": ["sky sea", "tree"]})
    joined = {"use": "joined", "threshold": 0.3}
    assert task.writer(sample) == joined
    blank = sample.assign(tags=["sky", ""])
    assert task.writer(blank) == {**joined, "at_least": 0}
    each = learned(threshold={"sky": 0.2}).writer(sample)
    assert each["threshold"] == {"sea": 0.5, "sky": 0.2, "tree": 0.5}
    assert learned().writer(sample)["threshold"] == 0.5, "before it is tuned"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"criterion": "asymmetric", "gamma": (1, 3), "threshold": "tune-each"},
        {"positive_weights": "balanced", "metrics": ({"use": "f_beta", "beta": 1},)},
    ],
)
def test_what_was_learned_survives_being_written_down(options: dict[str, Any]) -> None:
    task = learned(**options).tune(some_tally())
    again = registry.tasks.build(json.loads(json.dumps(registry.tasks.describe(task))))
    assert again == task
    assert again.encode(FOUR, HERE).tolist() == task.encode(FOUR, HERE).tolist()


NAMES = ("bar", "disc", "rare")


def scene(labels: set[str], rng: np.random.Generator) -> Image.Image:
    """A noisy picture with a red bar, a green disc or a blue corner."""
    picture = rng.integers(60, 120, (32, 32, 3)).astype(np.uint8)
    y, x = np.mgrid[:32, :32]
    places = {"bar": y < 8, "disc": (y - 20) ** 2 + (x - 10) ** 2 < 36, "rare": (y > 24) & (x > 20)}
    for channel, name in enumerate(NAMES):
        if name in labels:
            picture[places[name], channel] = 250
    return Image.fromarray(picture)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folder of made-up pictures and that of a run on them."""
    place = tmp_path_factory.mktemp("scenes")
    data, rng = place / "data", np.random.default_rng(0)
    (data / "train").mkdir(parents=True)
    (data / "test").mkdir()
    lines, wide = ["image,label"], ["id,rare,bar,disc"]
    for number in range(140):
        labels = {n for n, p in zip(NAMES, (0.5, 0.5, 0.2), strict=True) if rng.uniform() < p}
        if number < 120:
            scene(labels, rng).save(data / "train" / f"p{number}.png")
            lines += [f"p{number},{name}" for name in sorted(labels)] or [f"p{number},"]
        else:
            scene(labels, rng).save(data / "test" / f"p{number}.png")
            wide.append(f"p{number},0.5,0.5,0.5")
    (data / "train.csv").write_text("\n".join(lines) + "\n")
    (data / "sample.csv").write_text("\n".join(wide) + "\n")
    recipe = recipes.make(
        {
            "source": {"use": "folder", "path": str(data)},
            "labeler": {
                "use": "table",
                "csv": "train.csv",
                "id": "image",
                "labels": "label",
                "rows": "labels",
                "folder": "train",
            },
            "test": {"folder": "test"},
            "task": {"use": "multi-label", "threshold": "tune-each"},
            "backbone": {"use": "timm", "name": "test_resnet", "pretrained": False},
            "augmentation": "none",
            "size": 32,
            "batch_size": 16,
            "sampler": "balanced",
            "stages": [{"epochs": 6}],
            "submission": {"sample": "sample.csv"},
        }
    )
    follow(recipe, place / "run", place / "cache")
    return data, place / "run"


def test_the_whole_way_from_rows_of_labels_to_a_submission(done: tuple[Path, Path]) -> None:
    data, run = done
    scores = json.loads((run / "run.json").read_text())["scores"]
    assert scores["mean_average_precision"] > 0.9
    assert scores["f_beta"] > 0.85
    sample, made = (pd.read_csv(p) for p in (data / "sample.csv", run / "submission.csv"))
    assert list(made.columns) == list(sample.columns)
    assert list(made["id"]) == list(sample["id"])
    predicted = pd.read_csv(run / "predictions_test.csv")
    np.testing.assert_allclose(made["rare"], predicted["rare"], atol=1e-5)


def test_a_saved_model_decides_by_its_tuned_threshold(done: tuple[Path, Path]) -> None:
    data, run = done
    predictor = Predictor.load(run)
    task = predictor.task
    assert isinstance(task, MultiLabel)
    assert isinstance(task.threshold, dict)
    paths = sorted((data / "test").iterdir())
    predicted = predictor.predict(paths)
    said = [
        {word.split()[0] for word in line.split(", ")} if not line.startswith("no ") else set()
        for line in task.decide(predicted.drop(columns="image"))
    ]
    chosen = predicted[list(NAMES)] > pd.Series(task.threshold)[list(NAMES)]
    assert said == [set(chosen.columns[row]) for row in chosen.to_numpy()]
    printed = CliRunner().invoke(app, ["predict", str(run), str(paths[0])])
    assert printed.output.strip() == f"{paths[0]}: {task.decide(predicted[:1])[0]}"


def test_the_tuned_threshold_is_the_best_on_the_validation_predictions(
    done: tuple[Path, Path],
) -> None:
    _, run = done
    task = Predictor.load(run).task
    rows = pd.read_csv(run / "table.csv", dtype={"id": str})
    rows = rows[rows["part"] == "valid"]
    rows["label"] = [tuple(json.loads(cell)) for cell in rows["label"]]
    kept = tally(np.load(run / "outputs_valid.npy"), task.encode(rows, HERE))
    assert isinstance(task, MultiLabel)
    scores = json.loads((run / "run.json").read_text())["scores"]
    assert task.score(kept)["f_beta"] == pytest.approx(scores["f_beta"])
    for threshold in (0.1, 0.3, 0.5, 0.7):
        other = task.model_copy(update={"threshold": threshold})
        assert other.score(kept)["f_beta"] <= scores["f_beta"] + 1e-9


def test_joined_labels_follow_the_threshold() -> None:
    if "joined" not in {plugin.name for plugin in registry.writers.plugins()}:
        pytest.skip("there is no writer called joined yet")
    task = learned(threshold={"sea": 0.1, "sky": 0.9, "tree": 0.5})
    sample = pd.DataFrame({"image": ["1", "2"], "tags": ["sky sea", "tree"]})
    given = pd.DataFrame({"id": ["1", "2"], "sea": [0.2, 0.05], "sky": [0.8, 0.95], "tree": 0.4})
    made = registry.writers.build(dict(task.writer(sample))).table(given, sample, HERE)
    assert made["tags"].tolist() == ["sea", "sky"]


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("sky sea", "sea tree"),
        ("sky|sea", "sea|tree"),
        ("sky, sea", "sea, tree"),
        ("sky,zzz", "sea,tree"),
        ("0 1", "0 2"),
        ("0,1", "0,2"),
        ("0|1", "0|2"),
        ("2", "0 2"),
    ],
)
def test_labels_are_joined_as_in_the_sample(cell: str, written: str) -> None:
    task = learned(threshold=0.5)
    sample = pd.DataFrame({"image": ["1", "2"], "tags": [cell, cell]})
    given = pd.DataFrame({"id": ["1", "2"], "sea": 0.9, "sky": 0.1, "tree": 0.8})
    made = registry.writers.build(dict(task.writer(sample))).table(given, sample, HERE)
    assert made["tags"].tolist() == [written] * 2
