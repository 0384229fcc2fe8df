"""Where labels come from. The shapes of whole competitions are in tests/kaggle."""

from pathlib import Path

from competitions import a_box, mask, picture, runs, table

from kitbox.drafts import known
from kitbox.drafts.labels import Known
from kitbox.drafts.survey import look


def learn(folder: Path) -> Known:
    found = known.learn(look(folder))
    assert found is not None
    return found


def test_the_table_with_the_sample_s_columns(tmp_path: Path) -> None:
    for n in range(6):
        picture(tmp_path / f"pictures/{n}.png", n % 2)
    table(tmp_path / "train.csv", ["file", "note"], [[f"{n}.png", "x"] for n in range(6)])
    rows = [[n // 2, f"{n}.png", n % 2] for n in range(6)]
    table(tmp_path / "facts.csv", ["subject", "file", "sick"], rows)
    table(tmp_path / "sample_submission.csv", ["file", "sick"], [["9.png", 0]])
    found = learn(tmp_path)
    assert found.labeler == {
        "use": "table",
        "csv": "facts.csv",
        "id": "file",
        "labels": "sick",
        "folder": "pictures",
    }
    assert found.group == "subject"


def test_columns_that_cannot_be_told(tmp_path: Path) -> None:
    for n in range(6):
        picture(tmp_path / f"{n}.png")
    table(tmp_path / "train.csv", ["file", "foo", "bar"], [[f"{n}.png", n, n] for n in range(6)])
    found = learn(tmp_path)
    assert found.columns == ()
    assert found.file == "train.csv"


def test_run_lengths_by_class(tmp_path: Path) -> None:
    rows = []
    for n in range(4):
        picture(tmp_path / f"train_images/{n}.jpg")
        rows.append([f"{n}.jpg", 1 + n % 2, runs(mask([a_box(n)]))])
    table(tmp_path / "train.csv", ["ImageId", "ClassId", "EncodedPixels"], rows)
    found = learn(tmp_path)
    assert found.labeler == {
        "use": "masks",
        "csv": "train.csv",
        "id": "ImageId",
        "runs": "EncodedPixels",
        "classes": "ClassId",
        "images": "train_images",
    }
    assert found.runs
    assert not found.repeats


def test_nothing_is_known(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    picture(tmp_path / "b.png")
    assert known.learn(look(tmp_path)) is None
