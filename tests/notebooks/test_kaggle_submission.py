"""A code competition: the notebook on the public test pictures, and again on the hidden ones."""

from __future__ import annotations

from pathlib import Path

import yaml
from independent_check import read

from notebooks import shapes
from notebooks.conftest import Run

SLUG = "cassava-leaf-disease-classification"
TRAIN, TEST = 24, 40


def attach(mount: Path, most: int) -> dict[str, str]:
    """The competition's files with `most` of its test pictures; gives these pictures' labels."""
    for name in ("train_images", "test_images"):
        (mount / name).mkdir(parents=True, exist_ok=True)
    lines, tests = ["image_id,label"], {}
    for label, found in enumerate(shapes.photos(TRAIN + TEST).values()):
        for n, content in enumerate(found[:TRAIN]):
            (mount / "train_images" / f"{label}{n:03}.jpg").write_bytes(content)
            lines.append(f"{label}{n:03}.jpg,{label}")
        tests |= {f"{n:03}{label}.jpg": (str(label), one) for n, one in enumerate(found[TRAIN:])}
    chosen = sorted(tests)[:most]
    for name in chosen:
        (mount / "test_images" / name).write_bytes(tests[name][1])
    rows = "".join(f"{name},4\n" for name in chosen)
    (mount / "train.csv").write_text("\n".join(lines) + "\n")
    (mount / "sample_submission.csv").write_text(f"image_id,label\n{rows}")
    return {name: tests[name][0] for name in chosen}


def test_the_public_pictures_and_then_the_hidden_ones(
    run: Run, given: Path, tmp_path: Path
) -> None:
    kernel = {"KITBOX_KAGGLE_INPUT": str(given), "KAGGLE_KERNEL_RUN_TYPE": "Batch"}
    values = {"SIZE": 64, "BATCH": 12, "EPOCHS_HEAD": 3, "EPOCHS_ALL": 1}

    def commit(place: str, most: int, **more: str) -> tuple[dict[str, str], dict[str, str]]:
        """What the platform does with the notebook; gives the answers and the truth."""
        truth = attach(given / "competitions" / SLUG, most)
        done = run("kaggle_submission", values, place, **kernel, **more)
        folder = tmp_path / f"kaggle_submission{place}"
        assert [path.name for path in folder.iterdir()] == ["submission.csv"]
        header, rows = read(folder / "submission.csv")
        assert header == ["image_id", "label"]
        assert [row[0] for row in rows] == list(truth)
        assert f"{len(truth)} rows" in done.text("read-it")
        for cell in ("batch", "rate", "worst", "confusion"):
            assert done.pictures(cell) == 1, cell
        recipe = yaml.safe_load(done.text("recipe"))
        assert recipe["source"]["competition"] == SLUG
        return {row[0]: row[1] for row in rows}, truth

    public, _ = commit("-public", 3)
    hidden, truth = commit("-rerun", 5 * TEST, KAGGLE_IS_COMPETITION_RERUN="1")
    assert len(hidden) == 200
    # The pictures that both saw got the same answers: the same notebook made the same model.
    assert {name: hidden[name] for name in public} == public
    right = sum(hidden[name] == label for name, label in truth.items())
    assert right > 120  # chance: 40
