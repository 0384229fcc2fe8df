"""Segmentation: what it learns from masks, its tables, and the whole way to a submission."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image
from results import PLACE, follow

from kitbox import recipe as recipes
from kitbox import registry
from kitbox.data import geometry
from kitbox.data.frames import Frames
from kitbox.data.masks import runs_cell
from kitbox.errors import LabelError
from kitbox.mistakes import Mistakes
from kitbox.runs import Runs
from kitbox.tasks.codes import VOID
from kitbox.tasks.segmentation import Segmentation

SIZE = (50, 71)
NAMES = ("sky", "void", "sign_post", "road")


def scene(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture (h, w, 3) whose colours tell the mask (h, w): sky above, road below, a post."""
    rng = np.random.default_rng(seed)
    mask = np.zeros(SIZE, np.uint8)
    mask[int(rng.integers(22, 32)) :] = 3
    left, top = rng.integers(8, 50), rng.integers(4, 12)
    mask[top : top + 30, left : left + 10] = 2
    picture = np.array([(90, 140, 250), (0, 0, 0), (250, 220, 20), (60, 60, 60)], np.uint8)[mask]
    noise = rng.integers(-12, 12, picture.shape)
    mask[:2] = 1  # void
    return np.clip(picture.astype(int) + noise, 0, 255).astype(np.uint8), mask


def data(folder: Path, count: int = 24, tests: int = 3) -> Path:
    for name in ("images", "labels", "test"):
        (folder / name).mkdir(parents=True)
    for number in range(count + tests):
        picture, mask = scene(number)
        where = "images" if number < count else "test"
        Image.fromarray(picture).save(folder / where / f"s{number}.png")
        if number < count:
            Image.fromarray(mask).save(folder / "labels" / f"s{number}_P.png")
    (folder / "codes.txt").write_text("\n".join(NAMES))
    (folder / "valid.txt").write_text("".join(f"s{n}.png\n" for n in range(0, count, 4)))
    keys = [f"s{n}_{name}" for n in range(count, count + tests) for name in NAMES if name != "void"]
    sample = pd.DataFrame({"ImageId_ClassId": keys, "EncodedPixels": "1 1"})
    sample.to_csv(folder / "sample.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return data(tmp_path_factory.mktemp("masks") / "data")


def rows(folder: Path) -> pd.DataFrame:
    paths = sorted(path.name for path in (folder / "images").iterdir())
    masks = [f"labels/{Path(path).stem}_P.png" for path in paths]
    part = ["valid" if n % 4 == 0 else "train" for n in range(len(paths))]
    images = [f"images/{path}" for path in paths]
    return pd.DataFrame({"id": images, "image": images, "part": part, "mask": masks})


def learned(folder: Path, **options: Any) -> Segmentation:
    given = {"codes": "codes.txt", "void": "void", **options}
    return Segmentation(**given).learn(rows(folder), ["mask"], folder)


def test_what_is_learned_is_plain_and_comes_back(scenes: Path) -> None:
    task = learned(scenes, class_weights="balanced")
    assert task.codes == NAMES
    described = json.loads(json.dumps(registry.tasks.describe(task)))
    assert registry.tasks.build(described) == task


def test_all_masks_that_are_wrong_are_told_together(scenes: Path, tmp_path: Path) -> None:
    folder = changed(scenes, tmp_path / "data", 7, np.full(SIZE, 9, np.uint8))
    Image.fromarray(np.full(SIZE, 9, np.uint8)).save(folder / "labels" / "s9_P.png")
    (folder / "labels" / "s11_P.png").write_bytes(b"none")
    with pytest.raises(LabelError, match=r"^3 of 24 masks") as caught:
        learned(folder)
    said = str(caught.value)
    assert "labels/s11_P.png, labels/s7_P.png, labels/s9_P.png" in said
    assert "cannot be read" in said
    assert said.count("pixel values that are no class") == 1


def test_a_file_of_names_that_is_too_short(scenes: Path, tmp_path: Path) -> None:
    folder = changed(scenes, tmp_path / "data", 7, np.full(SIZE, 3, np.uint8))
    (folder / "codes.txt").write_text("sky\nvoid\n")
    with pytest.raises(LabelError, match=r"codes.txt holds 2 names, .* 0 to 1, .* masks is 3: "):
        Segmentation(codes="codes.txt").learn(rows(folder), ["mask"], folder)
    (folder / "codes.txt").write_text("sky\nroad\n")
    with pytest.raises(LabelError) as caught:
        learned(folder)
    assert str(caught.value) == (
        "`void` is 'void', which is no class. Found: 2 names in codes.txt: sky, road; the masks "
        "go up to the value 3. Give each value from 0 to 3 a line in codes.txt, in their order, "
        "the one that is not counted too."
    )


def uniform(scenes: Path, folder: Path, value: int) -> Path:
    """A copy of the scenes whose masks are all of one value."""
    changed(scenes, folder, 0, np.full(SIZE, value, np.uint8))
    for path in (folder / "labels").iterdir():
        Image.fromarray(np.full(SIZE, value, np.uint8)).save(path)
    return folder


def test_masks_that_teach_nothing(scenes: Path, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"fewer than two.*'road' alone, never sky, sign_post"):
        learned(uniform(scenes, tmp_path / "road", 3))
    with pytest.raises(LabelError, match=r"fewer than two.*none, all pixels are void"):
        learned(uniform(scenes, tmp_path / "void", 1))
    with pytest.raises(LabelError, match=r"`class_weights` are 0 for every class"):
        learned(scenes, class_weights={"sky": 0, "sign_post": 0, "road": 0})
    learned(scenes, class_weights={"sky": 0, "sign_post": 0})


def test_balanced_weights_are_inverse_to_the_training_pixels(scenes: Path) -> None:
    table = rows(scenes)
    pixels = [
        np.asarray(Image.open(scenes / mask)).ravel()
        for mask, part in zip(table["mask"], table["part"], strict=True)
        if part == "train"
    ]
    counts = np.bincount(np.concatenate(pixels), minlength=4)[[0, 2, 3]]
    task = learned(scenes, class_weights="balanced")
    assert isinstance(task.class_weights, dict)
    expected = counts.sum() / (3 * counts)
    assert list(task.class_weights) == ["sky", "sign_post", "road"]
    assert list(task.class_weights.values()) == pytest.approx(expected.tolist())


def test_masks_are_class_numbers_with_void_at_the_picture_s_size(scenes: Path) -> None:
    table = rows(scenes)
    masks = learned(scenes).encode(table, scenes)
    assert len(masks) == len(table)
    given = np.asarray(Image.open(scenes / table["mask"][5]))
    expected = np.array([0, VOID, 1, 2])[given]
    assert np.array_equal(masks.read(5), expected)
    assert masks.name(5) == table["mask"][5]


def changed(folder: Path, place: Path, number: int, mask: np.ndarray) -> Path:
    """A copy of the scenes with another mask."""
    import shutil

    shutil.copytree(folder, place)
    Image.fromarray(mask).save(place / "labels" / f"s{number}_P.png")
    return place


def test_a_mask_of_another_size_stops_before_training(scenes: Path, tmp_path: Path) -> None:
    folder = changed(scenes, tmp_path / "data", 7, np.zeros((SIZE[1], SIZE[0]), np.uint8))
    with pytest.raises(LabelError, match=r"s7_P\.png has another size.*50x71.*picture 71x50"):
        learned(folder)


def test_values_out_of_range_are_named(scenes: Path, tmp_path: Path) -> None:
    folder = changed(scenes, tmp_path / "data", 7, np.full(SIZE, 9, np.uint8))
    with pytest.raises(LabelError, match=r"s7_P\.png.*9.*0 \(sky\)"):
        learned(folder)


def test_black_and_white_masks_are_explained(scenes: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "labels").mkdir(parents=True)
    (folder / "images").mkdir()
    for number in range(4):
        picture, mask = scene(number)
        Image.fromarray(picture).save(folder / "images" / f"s{number}.png")
        salt = ((mask == 2) * 255).astype(np.uint8)
        Image.fromarray(salt).save(folder / "labels" / f"s{number}_P.png")
    advice = r"`values: \{0: background, 255: object\}`"
    with pytest.raises(LabelError, match=advice):
        Segmentation().learn(rows(folder), ["mask"], folder)
    with pytest.raises(LabelError, match=r"`values: \{0: background, 255: salt\}`"):
        Segmentation(codes=("background", "salt")).learn(rows(folder), ["mask"], folder)
    task = Segmentation(values={0: "background", 255: "salt"}).learn(rows(folder), ["mask"], folder)
    assert task.codes == ("background", "salt")
    assert set(np.unique(task.encode(rows(folder), folder).read(0))) == {0, 1}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"void": "viod"}, "Did you mean 'void'"),
        ({"class_weights": {"raod": 2}}, "Did you mean 'road'"),
        ({"metrics": ("iou_raod",)}, "Did you mean 'iou_road'"),
        ({"threshold": 0.4}, "for two classes"),
        ({"columns": ("msak",)}, "Did you mean 'mask'"),
        ({"codes": "code.txt"}, r"There is no file 'code.txt'"),
        ({"codes": ("one",), "values": dict.fromkeys(range(4), "one"), "void": None}, "1 classes"),
    ],
)
def test_options_that_do_not_fit_the_masks(
    scenes: Path, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(LabelError, match=says):
        learned(scenes, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"codes": ["a", "a"]},
        {"losses": {}},
        {"losses": "mse"},
        {"metrics": ["accuracy"]},
        {"decoder": "pspnet"},
        {"colors": {"a": [0, 0, 256]}},
    ],
)
def test_options_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(Mistakes):
        registry.tasks.build({"use": "segmentation", **options})


def test_coloured_masks(scenes: Path, tmp_path: Path) -> None:
    colors = {"sky": (0, 0, 255), "road": (128, 64, 128), "void": (0, 0, 0)}
    mask = np.zeros((*SIZE, 3), np.uint8)
    mask[:20], mask[20:40] = colors["sky"], colors["road"]
    folder = changed(scenes, tmp_path / "data", 0, mask)
    table = rows(folder).head(1).assign(part="train")
    task = Segmentation(colors=colors, void="void").learn(table, ["mask"], folder)
    read = task.encode(table, folder).read(0)
    assert read[0, 0] == 0
    assert read[30, 0] == 1
    assert read[45, 0] == VOID


def test_classes_of_one_colour(scenes: Path) -> None:
    with pytest.raises(LabelError, match="same colour"):
        learned(scenes, codes=None, colors={"a": (0, 0, 0), "b": (0, 0, 0)}, void=None)


def test_run_lengths_of_several_classes(scenes: Path) -> None:
    table = rows(scenes).head(6).drop(columns="mask")
    for name, value in (("sign_post", 2), ("road", 3)):
        masks = [scene(int(Path(image).stem[1:]))[1] == value for image in table["image"]]
        table[name] = [runs_cell([Runs.of(mask).encode()]) for mask in masks]
    task = Segmentation().learn(table, ["sign_post", "road"], scenes)
    assert task.codes == ("background", "sign_post", "road")
    truth = scene(int(Path(table["image"].iloc[1]).stem[1:]))[1]
    expected = np.array([0, 0, 1, 2])[truth]
    assert np.array_equal(task.encode(table, scenes).read(1), expected)


def test_predictions_are_whole_masks_of_the_picture_s_own_size() -> None:
    task = Segmentation(codes=("a", "b", "c"), columns=("mask",))
    rng = np.random.default_rng(0)
    size, own = (12, 16), (37, 50)
    outputs = rng.normal(size=(2, 3, *size)).astype(np.float32)
    part = geometry.box(own, size, "squash")
    scale = np.array([[size[1] / part.width, size[0] / part.height]] * 2)
    frames = Frames(size, np.array([own] * 2), scale, 0.5 * scale - 0.5)
    table = task.predictions(outputs, frames)
    assert list(table.columns) == ["a", "b", "c"]
    scaled = torch.nn.functional.interpolate(
        torch.from_numpy(outputs), own, mode="bilinear", align_corners=False
    )
    expected = scaled.argmax(1).numpy()
    for number in range(2):
        planes = np.stack([table[name][number].mask() for name in table])
        assert planes.shape == (3, *own)
        assert (planes.sum(axis=0) == 1).all()
        # OpenCV's places are fractions of 1/32 pixel: a pixel at a border may differ.
        assert (planes.argmax(axis=0) == expected[number]).mean() > 0.98


def test_the_threshold_moves_the_border_of_two_classes() -> None:
    size = (4, 50)
    outputs = np.zeros((1, 2, *size), np.float32)
    p = np.linspace(0.01, 0.99, 50)
    outputs[0, 1] = np.log(p / (1 - p))
    for threshold in (None, 0.2, 0.7):
        task = Segmentation(codes=("bg", "x"), columns=("mask",), threshold=threshold)
        found = task.predictions(outputs, Frames.whole(size, 1))["x"][0].mask()
        assert np.array_equal(found[0], p > (threshold or 0.5))
        tally = task.tally()
        targets = torch.zeros(1, *size, dtype=torch.int64)
        tally.add(torch.from_numpy(outputs), targets, Frames.whole(size, 1))
        assert tally.matrix[0, 1] == found.sum()


def test_rare_classes_are_drawn_more_often(scenes: Path, tmp_path: Path) -> None:
    mask = scene(1)[1]
    folder = changed(scenes, tmp_path / "data", 1, mask)
    for number in (2, 3, 5):
        plain = scene(number)[1]
        plain[plain == 2] = 3
        Image.fromarray(plain).save(folder / "labels" / f"s{number}_P.png")
    table = rows(folder).set_index("image", drop=False)
    table = table.loc[[f"images/s{n}.png" for n in (1, 2, 3, 5)]].reset_index(drop=True)
    sizes = np.array([SIZE] * 4)
    bound = learned(folder).encode(table, folder).bind(np.arange(4), sizes, sizes)
    weights = learned(folder).balance(bound, np.arange(4))
    assert weights.tolist() == [2, 1, 1, 1]


def test_a_person_is_shown_shares_of_the_pixels(scenes: Path) -> None:
    mask = np.full((10, 100), 0)
    mask[:, :30] = 1
    mask[0, :2] = 2
    cells = {name: [Runs.of(mask == k)] for k, name in enumerate(("sky", "sign_post", "road"))}
    task = learned(scenes)
    given = pd.DataFrame(cells)
    assert task.decide(given) == ["sky 70 % of the pixels, sign_post 30 %, road less than 1 %"]
    assert task.decide(given, 1) == ["sky 70 % of the pixels and 2 more"]


def test_the_writer_and_the_drawing(scenes: Path) -> None:
    task = learned(scenes)
    assert task.writer(None) == {"use": "rle"}  # the sky is no background
    picture, _ = scene(0)
    drawn, caption = task.draw(picture, task.encode(rows(scenes), scenes).read(0))
    assert drawn.shape == picture.shape
    assert "road" in caption
    assert "void" not in caption


@pytest.mark.parametrize(
    ("classes", "sample", "expected"),
    [
        (("background", "salt"), {"id": ["a"], "rle_mask": ["1 1"]}, ["salt"]),
        (("no", "yes"), None, ["yes"]),
        (("no", "yes"), {"id": ["a", "a"], "class": ["no", "yes"], "rle": ["", ""]}, None),
        (("Background", "a", "b"), {"k_c": ["x_1", "x_2"], "rle": ["", ""]}, ["a", "b"]),
        (("background", "a"), {"k_c": ["x_a", "x_background"], "rle": ["", ""]}, None),
        (("sky", "road", "car"), {"id": ["a"], "rle": [""]}, None),
    ],
)
def test_the_background_is_not_written_unless_the_sample_names_it(
    classes: tuple[str, ...], sample: dict[str, list[str]] | None, expected: list[str] | None
) -> None:
    task = Segmentation(codes=classes, columns=("mask",))
    described = task.writer(None if sample is None else pd.DataFrame(sample))
    assert described == {"use": "rle"} | ({} if expected is None else {"classes": expected})
    registry.writers.build(described)


def recipe(folder: Path, **changes: Any) -> Any:
    return recipes.make(
        {
            "name": "masks",
            "source": {"use": "folder", "path": str(folder)},
            "labeler": {"use": "masks", "images": "images", "path": "labels/{stem}_P.png"},
            "test": {"folder": "test"},
            "split": {"use": "names", "file": "valid.txt"},
            "task": {
                "use": "segmentation",
                "codes": "codes.txt",
                "void": "void",
                "width": 0.25,
                "losses": {"cross-entropy": 1, "dice": 0.5},
                "class_weights": "balanced",
            },
            "backbone": {"use": "timm", "name": "test_resnet", "pretrained": False},
            "augmentation": {"use": "standard", "light": 0},
            "size": [39, 58],
            "batch_size": 6,
            "sampler": "balanced",
            "stages": [{"epochs": 1, "freeze": True}, {"epochs": 14, "lr": 0.01}],
            "submission": {"sample": "sample.csv"},
            **changes,
        }
    )


@pytest.fixture(scope="module")
def run(scenes: Path) -> Path:
    out = PLACE / "masks-run"
    if not out.exists():
        follow(recipe(scenes), out)
    return out


def decode(text: object, size: tuple[int, int]) -> np.ndarray:
    """Run lengths down the columns from 1, read without kitbox."""
    flat = np.zeros(size[0] * size[1], bool)
    numbers = [] if text != text else list(map(int, str(text).split()))  # noqa: PLR0124
    for start, length in zip(numbers[::2], numbers[1::2], strict=True):
        assert not flat[start - 1 : start - 1 + length].any()
        flat[start - 1 : start - 1 + length] = True
    return flat.reshape(size[::-1]).T


def test_from_files_to_a_submission_of_an_odd_size(run: Path, scenes: Path) -> None:
    made = pd.read_csv(run / "submission.csv")
    sample = pd.read_csv(scenes / "sample.csv")
    assert list(made.columns) == list(sample.columns)
    assert made["ImageId_ClassId"].tolist() == sample["ImageId_ClassId"].tolist()
    cells = made.set_index("ImageId_ClassId")["EncodedPixels"]
    classes = [name for name in NAMES if name != "void"]
    right = counted = 0
    for number in (24, 25, 26):
        truth = scene(number)[1]
        planes = np.stack([decode(cells[f"s{number}_{name}"], SIZE) for name in classes])
        assert (planes.sum(axis=0) == 1).all()
        found = np.array([0, 2, 3])[planes.argmax(axis=0)]
        right += (found == truth)[truth != 1].sum()
        counted += (truth != 1).sum()
    assert right / counted > 0.9  # a class alone would be about half
    scores = json.loads((run / "run.json").read_text())["scores"]
    assert scores["pixel_accuracy"] > 0.9
    assert scores["mean_iou"] > 0.7
    assert 0 < scores["loss"] < 1
    log = pd.read_csv(run / "log.csv")
    assert {"mean_iou", "pixel_accuracy", "dice"} <= set(log.columns)


def test_what_is_written_of_validation_is_what_was_scored(run: Path, scenes: Path) -> None:
    """Pixel accuracy of predictions_valid.csv at the pictures' size is near that of the run."""
    table = pd.read_csv(run / "predictions_valid.csv")
    right = counted = 0
    for _, row in table.iterrows():
        truth = scene(int(Path(row["id"]).stem[1:]))[1]
        names = [name for name in NAMES if name != "void"]
        planes = np.stack([Runs.parse(row[name]).mask() for name in names])
        found = np.array([0, 2, 3])[planes.argmax(axis=0)]
        right += (found == truth)[truth != 1].sum()
        counted += (truth != 1).sum()
    scores = json.loads((run / "run.json").read_text())["scores"]
    assert right / counted == pytest.approx(scores["pixel_accuracy"], abs=0.03)


def test_the_saved_model_predicts_pictures_of_any_size(
    run: Path, scenes: Path, tmp_path: Path
) -> None:
    from typer.testing import CliRunner

    from kitbox import Predictor
    from kitbox.cli import app

    picture, _ = scene(24)
    Image.fromarray(picture).resize((211, 95)).save(tmp_path / "large.png")
    paths = [scenes / "test" / "s24.png", tmp_path / "large.png"]
    table = Predictor.load(run).predict(paths)
    again = pd.read_csv(run / "predictions_test.csv").set_index("id")
    for name in ("sky", "sign_post", "road"):
        assert str(table[name][0]) == again[name]["s24"]
        assert (table[name][1].height, table[name][1].width) == (95, 211)
    out = tmp_path / "out.csv"
    done = CliRunner().invoke(app, ["predict", str(run), *map(str, paths), "--out", str(out)])
    assert done.exit_code == 0, done.output
    shares = {name: table[name][1].area / (95 * 211) for name in ("sky", "sign_post", "road")}
    likely = max(shares, key=lambda name: shares[name])
    assert (
        f"large.png: {likely} {shares[likely]:.0%}".replace("%", " % of the pixels") in done.output
    )
    written = pd.read_csv(out)
    assert Runs.parse(written["road"][1]) == table["road"][1]


def test_run_lengths_in_and_out_along_the_rows(tmp_path: Path) -> None:
    """One class, by a csv and a sample as Carvana has them, with pictures of two sizes."""
    folder = data(tmp_path / "data", count=8, tests=1)
    rows = []
    for number in range(8):
        picture, mask = scene(number)
        if number % 2:
            Image.fromarray(picture[:40, :60]).save(folder / "images" / f"s{number}.png")
            mask = mask[:40, :60]
        rows.append((f"s{number}.png", Runs.of(mask == 3).encode("rows")))
    pd.DataFrame(rows, columns=["img", "rle_mask"]).to_csv(folder / "train.csv", index=False)
    (folder / "sample.csv").write_text("img,rle_mask\ns8.png,1 1\n")
    labeler = {"use": "masks", "csv": "train.csv", "images": "images", "order": "rows"}
    follow(
        recipe(
            folder,
            labeler=labeler,
            split={"use": "random", "valid": 0.25},
            task={"use": "segmentation", "codes": ["other", "road"], "width": 0.25},
            stages=[{"epochs": 25, "lr": 0.01}],
            submission={
                "sample": "sample.csv",
                "writer": {"use": "rle", "order": "rows", "classes": ["road"]},
            },
        ),
        tmp_path / "run",
    )
    made = pd.read_csv(tmp_path / "run" / "submission.csv")
    assert made["img"].tolist() == ["s8.png"]
    found = decode(made["rle_mask"][0], SIZE[::-1]).T  # rows of the picture as columns
    truth = scene(8)[1] == 3
    assert (found == truth).mean() > 0.9


def test_recipes_are_sound() -> None:
    folder = Path(__file__).resolve().parents[2] / "recipes"
    for name in ("camvid", "camvid_tiny", "camvid_full"):
        read = recipes.read(folder / f"{name}.yaml")
        assert registry.tasks.name_of(type(read.task)) == "segmentation"
        assert yaml.safe_load(read.text())["labeler"]["use"] == "masks"
        assert recipes.parse(read.text(), folder / f"{name}.yaml") == read
