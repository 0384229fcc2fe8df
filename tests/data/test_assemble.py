"""From files to the table, the pixels and the loader."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kitbox.contracts import Splitter
from kitbox.data import pixels
from kitbox.data.assemble import (
    decode,
    label,
    labelled,
    make_loader,
    with_test,
    without_broken,
)
from kitbox.data.split import Auto, ByColumn, Random
from kitbox.data.targets import Points
from kitbox.data.unlabelled import TestPictures as Pictures
from kitbox.environment import Environment
from kitbox.errors import PictureError
from kitbox.labelers.folder import FolderLabels
from kitbox.labelers.table import TableLabels
from kitbox.progress import Progress
from kitbox.tasks.single_label import SingleLabel

BODY: Any = SimpleNamespace(
    channels=3, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0), interpolation="bicubic"
)
TASK = SingleLabel(target="label", classes=("cat", "dog"))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for kind in ("cat", "dog"):
        (folder / "train" / kind).mkdir(parents=True)
        for n in range(5):
            grey = 50 * n + (kind == "dog")
            Image.new("L", (8, 8), grey).save(folder / "train" / kind / f"{kind}{n}.png")
    (folder / "test").mkdir()
    for n in range(3):
        Image.new("L", (8, 8), 100 + n).save(folder / "test" / f"{n}.png")
    return folder


def build(files: Path, ids: list[str] | None = None) -> tuple[pd.DataFrame, str]:
    said = io.StringIO()
    progress = Progress(said)
    known = label(files, FolderLabels(path="train"), Random(valid=0.2, seed=1), progress)
    rows = known.rows
    assert known.targets == ("label",)
    assert known.taken == set(rows["image"])
    assert rows["part"].value_counts().to_dict() == {"train": 8, "valid": 2}
    whole = with_test(known, files, Pictures(folder="test"), ids, progress)
    pd.testing.assert_frame_equal(labelled(whole), rows)
    return whole, said.getvalue()


def surroundings(tmp_path: Path) -> Environment:
    return Environment("elsewhere", "cpu", "a", "no", "a", 2, tmp_path / "cache")


def load(tmp_path: Path, files: Path, rows: pd.DataFrame, keep: bool = True) -> pixels.Pixels:
    environment, quiet = surroundings(tmp_path), Progress(quiet=True)
    return decode(files, rows, BODY, (8, 8), environment, quiet, keep=keep)


def broken(rows: pd.DataFrame, *lost: int) -> Any:
    return SimpleNamespace(broken=dict.fromkeys(lost, "cut short"))


def test_the_table(files: Path) -> None:
    rows, said = build(files)
    assert rows["part"].value_counts().to_dict() == {"train": 8, "valid": 2, "test": 3}
    assert "pictures: 8 train, 2 validate, 3 to predict" in said
    assert len(labelled(rows)) == 10
    assert not labelled(rows)["image"].str.startswith("test/").any()


def test_test_rows_are_those_of_the_sample(files: Path) -> None:
    rows, _ = build(files, ["2", "0"])
    of_test = rows[rows["part"] == "test"]
    assert list(of_test["id"]) == ["2", "0"]
    assert list(of_test["image"]) == ["test/2.png", "test/0.png"]


def test_decode_keeps_or_leaves_the_cache(tmp_path: Path, files: Path) -> None:
    rows, _ = build(files)
    free = load(tmp_path, files, rows, keep=False)
    assert not (tmp_path / "cache").exists()
    kept = load(tmp_path, files, rows)
    kept.settle()
    assert len(list((tmp_path / "cache" / "pixels").glob("*.pixels"))) == 1
    assert (free.canvas == kept.canvas).all()
    assert kept.canvas.shape[1:] == (12, 12, 3)


@pytest.mark.parametrize(
    ("splitter", "told"), [(Auto(), True), (ByColumn(column="part"), False), (Random(), False)]
)
def test_that_auto_obeys_a_column_is_said_where_auto_splits(
    files: Path, splitter: Splitter, told: bool
) -> None:
    names = [path.relative_to(files).as_posix() for path in sorted(files.glob("train/*/*.png"))]
    rows = [f"{name},{name[6:9]},{'valid' if '4' in name else 'train'}" for name in names]
    (files / "all.csv").write_text("\n".join(["image,kind,part", *rows]))
    said = io.StringIO()
    known = label(files, TableLabels(csv="all.csv", labels="kind"), splitter, Progress(said))
    assert (known.rows["part"] == "valid").sum() == 2
    assert ("the column 'part' says train or valid" in said.getvalue()) == told


def test_broken_pictures_are_left_out_and_test_rows_stay(files: Path) -> None:
    rows, _ = build(files)
    lost = int(np.flatnonzero(rows["part"] == "train")[2])
    blank = int(np.flatnonzero(rows["part"] == "test")[1])
    said = io.StringIO()
    found = without_broken(rows, broken(rows, lost, blank), 0.1, Progress(said))
    assert found.at[lost, "part"] == "broken"
    assert found.at[blank, "part"] == "test"
    assert (found["part"] != rows["part"]).sum() == 1
    assert "1 labelled picture left out" in said.getvalue()
    assert "1 test picture predicted as if blank" in said.getvalue()
    assert rows.at[lost, "image"] in said.getvalue()


def test_too_many_broken_or_a_part_without_pictures(files: Path) -> None:
    rows, _ = build(files)
    quiet = Progress(quiet=True)
    lost = np.flatnonzero(rows["part"] == "valid").tolist()
    with pytest.raises(PictureError, match=r"2 of 10 labelled pictures.*0\.1"):
        without_broken(rows, broken(rows, *lost), 0.1, quiet)
    with pytest.raises(PictureError, match="left in the part 'valid'"):
        without_broken(rows, broken(rows, *lost), 0.2, quiet)
    assert without_broken(rows, broken(rows), 0, quiet) is rows


def test_the_loader_gives_pictures_with_their_targets(tmp_path: Path, files: Path) -> None:
    rows, _ = build(files)
    decoded = load(tmp_path, files, rows)
    loader = make_loader(
        files, rows, TASK, decoded, BODY, surroundings(tmp_path), fit="crop", batch_size=4
    )
    chosen = np.flatnonzero(rows["part"] == "train")
    seen = []
    for images, targets, order in loader.fixed(chosen, (8, 8)):
        for image, target, row in zip(images, targets, order, strict=True):
            with Image.open(files / rows.at[int(row), "image"]) as picture:
                grey = picture.getpixel((4, 4))
            assert float(image.mean()) * 255 == pytest.approx(grey, abs=0.6)
            assert TASK.classes is not None
            assert TASK.classes[int(target)] == rows.at[int(row), "label"]
            seen.append(int(row))
    assert seen == chosen.tolist()


def test_targets_that_move_are_bound_to_their_pictures(tmp_path: Path, files: Path) -> None:
    """Points in pixels of the files, for a table whose rows come in another order."""

    class Corner(SingleLabel):
        def encode(self, rows: pd.DataFrame, folder: Path) -> Any:
            assert folder == files
            assert (rows["part"] != "test").all()
            numbers = np.array([[int(Path(image).stem[-1])] for image in rows["image"]])
            return Points(np.stack([numbers, 2 * numbers], axis=2).astype(np.float32))

    rows, _ = build(files)
    rows = rows.iloc[::-1].reset_index(drop=True)  # test rows first
    decoded = load(tmp_path, files, rows)
    loader = make_loader(
        files, rows, Corner(), decoded, BODY, surroundings(tmp_path), fit="crop", batch_size=4
    )
    assert len(loader.targets) == len(rows)
    chosen = np.flatnonzero(rows["part"] != "test")
    seen = 0
    for _, targets, order in loader.fixed(chosen, (8, 8)):
        for target, row in zip(targets.numpy(), order, strict=True):
            number = int(Path(rows.at[int(row), "image"]).stem[-1])
            # (x + 0.5) / 4 - 1 across pictures of 8 pixels
            wanted = [(number + 0.5) / 4 - 1, (2 * number + 0.5) / 4 - 1]
            np.testing.assert_allclose(target, [wanted], atol=1e-5)
            seen += 1
    assert seen == 10
    of_test = np.flatnonzero(rows["part"] == "test")
    (images, targets, _) = next(iter(loader.fixed(of_test, (8, 8), targets=False)))
    assert (len(images), targets.tolist()) == (3, [0, 0, 0])
