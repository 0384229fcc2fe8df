"""Guesses about masks. The shapes of whole competitions are in tests/kaggle."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from competitions import H, W, picture, runs, table
from PIL import Image

from kitbox.drafts import goal, known
from kitbox.drafts.survey import look


def guess(folder: Path, way: dict[str, Any], blobs: list[np.ndarray]) -> goal.Goal:
    rows = []
    for n, shown in enumerate(blobs):
        picture(folder / f"train/{n}.png")
        rows.append([n, runs(shown, **way)])
    table(folder / "train.csv", ["id", "rle"], rows)
    table(folder / "sample_submission.csv", ["id", "rle"], [[77, "1 1"]])
    found = look(folder)
    where = known.learn(found)
    assert where is not None
    return goal.guess(found, where)


def discs(count: int, seed: int) -> list[np.ndarray]:
    """Two discs each, anywhere."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:H, :W]
    found = []
    for _ in range(count):
        centres = rng.uniform((5, 5), (H - 5, W - 5), (2, 2))
        found.append(np.any([(y - a) ** 2 + (x - b) ** 2 < 20 for a, b in centres], axis=0))
    return found


@pytest.mark.parametrize("order", ["columns", "rows"])
@pytest.mark.parametrize("relative", [False, True])
def test_how_run_lengths_count_is_found_out(tmp_path: Path, order: str, relative: bool) -> None:
    for seed in range(5):
        folder = tmp_path / str(seed)
        found = guess(folder, {"order": order, "relative": relative}, discs(5, seed))
        wanted = {"relative": True} if relative else {}
        wanted |= {"order": "rows"} if order == "rows" else {}
        assert found.labels == wanted
        assert found.writer == ({"use": "rle", **wanted} if wanted else None)
        assert not found.unknown


def test_what_does_not_tell_is_told(tmp_path: Path) -> None:
    """A hole at the edge is as smooth both ways."""
    holed = np.ones((H, W), bool)
    holed[5, 0] = False  # decoded the other way it is (0, 5): as near to the edge
    found = guess(tmp_path, {}, [holed, holed])
    assert found.labels == {}
    assert "down the columns (the default) or along the rows" in found.unknown[0]


def test_a_class_that_is_not_counted(tmp_path: Path) -> None:
    for n in range(4):
        picture(tmp_path / f"images/{n}.png")
        picture(tmp_path / f"test/{50 + n}.png")
        (tmp_path / "labels").mkdir(exist_ok=True)
        Image.fromarray(np.full((H, W), n % 3, np.uint8)).save(tmp_path / f"labels/{n}_P.png")
    (tmp_path / "codes.txt").write_text("sky\nroad\nvoid\n")
    keys = [f"{50 + n}_{name}" for n in range(4) for name in ("sky", "road")]
    for more, void in (([], {"void": "void"}), (["50_void"], {})):
        rows = [[key, "1 1"] for key in [*keys, *more]]
        table(tmp_path / "sample_submission.csv", ["ImageId_ClassId", "EncodedPixels"], rows)
        found = look(tmp_path)
        where = known.learn(found)
        assert where is not None
        assert goal.guess(found, where).task == {
            "use": "segmentation",
            "codes": "codes.txt",
            **void,
        }
