"""Points from csv columns, files and functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from kitbox.contracts import Labels
from kitbox.data import table
from kitbox.errors import LabelError
from kitbox.labelers.points import PointLabels

ROOT = Path(__file__).resolve().parents[2]


def label(folder: Path, **options: Any) -> Labels:
    return PointLabels(**options).label(folder)


def coordinates(labels: Labels) -> dict[str, list[float]]:
    return dict(
        zip(labels.rows["id"], labels.rows[list(labels.targets)].to_numpy().tolist(), strict=True)
    )


def test_columns_are_guessed_and_cells_may_be_empty(tmp_path: Path, touch: Any) -> None:
    touch("train/a.jpg", "train/b.jpg")
    (tmp_path / "train.csv").write_text(
        "image,person,x0,y0,eye_x,eye_y\na.jpg,z,1,2,3,4.5\nb.jpg,y,5,6,,\n"
    )
    found = label(tmp_path)
    assert found.targets == ("x0", "y0", "eye_x", "eye_y")
    assert found.gaps
    assert found.rows["image"].tolist() == ["train/a.jpg", "train/b.jpg"]
    assert found.rows["person"].tolist() == ["z", "y"]
    assert found.notes[0] == "2 pictures with 2 points each, 1 of them missing."
    assert "Guessed: x0 and y0, eye_x and eye_y are points." in found.notes
    made = table.make(found, tmp_path)  # the table takes what is missing
    assert np.isnan(made["eye_x"]).tolist() == [False, True]
    one = label(tmp_path, columns=[("eye_x", "eye_y")], first=1)
    assert one.targets == ("eye_x", "eye_y")
    assert one.rows["eye_y"].tolist()[0] == 3.5
    assert one.rows["x0"].tolist() == [1, 5]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (
            "image,x0,y0,xx36,y36",
            r"'y36' of train.csv .* lacks the other, 'x36'\. Did you mean 'xx36'",
        ),
        ("image,x0,y0,x36,Y36", r"'x36' .* 'y36'\. Did you mean 'Y36'"),
        ("image,eye_x,eye_y,nose_x,size", r"'nose_x' .* 'nose_y'\. Correct the name"),
        ("image,x0,y0,x1,y2", r"'x1' .* 'y1', as do y2\. Correct"),
    ],
)
def test_a_coordinate_without_its_partner(
    tmp_path: Path, touch: Any, header: str, said: str
) -> None:
    touch("a.jpg")
    (tmp_path / "train.csv").write_text(f"{header}\na.jpg,1,2,3,4\n")
    with pytest.raises(LabelError, match=said):
        label(tmp_path)
    columns = header.split(",")
    assert label(tmp_path, columns=[(columns[1], columns[2])]).targets == (*columns[1:3],)


def test_columns_that_are_not_like_the_points(tmp_path: Path, touch: Any) -> None:
    touch("a.jpg")
    (tmp_path / "train.csv").write_text("image,x0,y0,x,size_x,boxes\na.jpg,1,2,3,4,5\n")
    assert label(tmp_path).targets == ("x0", "y0")


def test_a_csv_file_without_points(tmp_path: Path, touch: Any) -> None:
    touch("a.jpg")
    (tmp_path / "train.csv").write_text("image,width,label\na.jpg,3,cat\n")
    with pytest.raises(LabelError, match="no columns that are the x and the y"):
        label(tmp_path)
    with pytest.raises(LabelError, match="no column 'u'"):
        label(tmp_path, columns=[("u", "v")])
    with pytest.raises(LabelError, match=r"no file 'other\.csv'"):
        label(tmp_path, csv="other.csv")


@pytest.mark.parametrize(
    "text",
    [
        "1 2\n3.5 -4\n",
        "1,2\r\n3.5,-4",
        "\ufeff1;2;\n\n3.5\t-4\n",
        "x y\n1 2\n3.5 -4\n",
        "version: 1\nn_points: 2\n{\n1 2\n3.5 -4\n}\n",
    ],
)
def test_a_file_per_picture(tmp_path: Path, touch: Any, text: str) -> None:
    touch("images/a.jpg", "images/b.jpg", "labels/z.txt")
    (tmp_path / "labels" / "a.txt").write_text(text, encoding="utf-8")
    given = {"files": "labels/{stem}.txt", "images": "images", "unmatched": "skip"}
    with pytest.raises(LabelError, match=r"1 of 2 pictures have no label file.*no labels/b\.txt"):
        label(tmp_path, **(given | {"unmatched": "error"}))
    found = label(tmp_path, **given)
    assert found.targets == ("x0", "y0", "x1", "y1")
    assert coordinates(found) == {"images/a.jpg": [1, 2, 3.5, -4]}
    assert "1 of 2 pictures have a label file" in found.notes[1]
    assert "1 label files belong to no picture: labels/z.txt" in " ".join(found.notes)
    moved = label(tmp_path, names=["eye", "5"], first=1, **given)
    assert moved.targets == ("eye_x", "eye_y", "x5", "y5")
    assert coordinates(moved) == {"images/a.jpg": [0, 1, 2.5, -5]}


def test_missing_points_in_a_file(tmp_path: Path, touch: Any) -> None:
    touch("a.jpg")
    (tmp_path / "a.txt").write_text("1 2\nnan nan\n")
    found = label(tmp_path, files="{folder}/{stem}.txt")
    assert np.isnan(found.rows["x1"]).all()
    assert found.notes[0] == "1 picture with 2 points each, 1 of them missing."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no point"),
        ("a b\n", "holds no point"),
        ("1 2 3\n", "Line 1 .* is no point"),
        ("1 2\n3 four\n", "Line 2"),
    ],
)
def test_files_that_are_none(tmp_path: Path, touch: Any, text: str, said: str) -> None:
    touch("a.jpg")
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(LabelError, match=said):
        label(tmp_path, files="{stem}.txt")


def test_a_file_that_is_no_text(tmp_path: Path, touch: Any) -> None:
    touch("a.jpg")
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(LabelError, match="cannot be read"):
        label(tmp_path, files="{stem}.txt")


def test_another_number_of_points(tmp_path: Path, touch: Any) -> None:
    touch("a.jpg", "b.jpg")
    (tmp_path / "a.txt").write_text("1 2\n3 4\n")
    (tmp_path / "b.txt").write_text("1 2\n")
    with pytest.raises(LabelError, match=r"b\.txt has others. Found: 1 points, expected 2"):
        label(tmp_path, files="{stem}.txt")
    with pytest.raises(LabelError, match=r"a\.txt has others. Found: 2 points, expected 1"):
        label(tmp_path, files="{stem}.txt", names=["eye"])


def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, body: str) -> str:
    (tmp_path / f"{name}.py").write_text(f"def find(path):\n    {body}\n")
    monkeypatch.chdir(tmp_path)
    return f"{name}:find"


@pytest.mark.parametrize(
    ("body", "targets", "row"),
    [
        ("return 1, 2", ("x0", "y0"), [1, 2]),
        ("return [[1, 2], None]", ("x0", "y0", "x1", "y1"), [1, 2, np.nan, np.nan]),
        ("import numpy; return numpy.array([[1, 2]])", ("x0", "y0"), [1, 2]),
        (
            "return {'b': (1, 2), 'a': (3, 4)} if path.stem == 'p' else {'a': (3, 4), 'b': (1, 2)}",
            ("b_x", "b_y", "a_x", "a_y"),
            [1, 2, 3, 4],
        ),
        ("return (path.stat().st_size, 2) if path.stem == 'p' else None", ("x0", "y0"), [0, 2]),
    ],
)
def test_a_function(
    tmp_path: Path, touch: Any, monkeypatch: pytest.MonkeyPatch, body: str, targets: Any, row: Any
) -> None:
    touch("p.jpg", "q.jpg")
    name = module(tmp_path, monkeypatch, f"points_of_{abs(hash(body))}", body)
    found = label(tmp_path, function=name)
    assert found.targets == targets
    for values in coordinates(found).values():
        np.testing.assert_array_equal(values, row)
    if "None" in body and "else" in body:
        assert any("skipped 1 picture" in note for note in found.notes)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return 'x'", "are no points"),
        ("return [1, 2, 3]", "are no points"),
        ("return [[1, 2, 3]]", "are no points"),
        ("return 1 / 0", "ZeroDivisionError"),
        ("return None", "returned None for all 2"),
        ("return {path.stem: (1, 2)}", "Every picture needs the same points"),
    ],
)
def test_functions_that_fail(
    tmp_path: Path, touch: Any, monkeypatch: pytest.MonkeyPatch, body: str, said: str
) -> None:
    touch("p.jpg", "q.jpg")
    name = module(tmp_path, monkeypatch, f"failing_points_{abs(hash(body))}", body)
    with pytest.raises(LabelError, match=said):
        label(tmp_path, function=name)


def test_biwi_by_the_function_beside_its_recipe(
    tmp_path: Path, touch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A camera of focal length 500 at (320, 240); the head a metre away, 200 mm left, 100 down."""
    monkeypatch.chdir(ROOT)
    touch("01/frame_00003_rgb.jpg", "01/frame_00004_rgb.jpg")
    (tmp_path / "01" / "rgb.cal").write_text(
        "500 0 320 \n0 500 240 \n0 0 1 \n\n0 0 0 0 \n\n"
        "1 0 0 \n0 1 0 \n0 0 1 \n\n0 0 0 \n\n640 480\n"
    )
    (tmp_path / "01" / "frame_00003_pose.txt").write_text(
        "1 0 0 \n0 1 0 \n0 0 1 \n\n-200 100 1000 \n"
    )
    found = label(
        tmp_path,
        pattern=r"^(?P<frame>frame_\d+)_rgb$",
        files="{folder}/{frame}_pose.txt",
        function="recipes.biwi:centre",
        names=["centre"],
        unmatched="skip",
    )
    assert found.targets == ("centre_x", "centre_y")
    assert coordinates(found) == {"01/frame_00003_rgb.jpg": [220, 290]}
    assert "1 of 2 pictures" in found.notes[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"files": "{stme}.txt"}, "stme"),
        ({"files": "{stem}.txt", "csv": "a.csv"}, "csv: has no meaning with `files`"),
        ({"names": ["a"]}, "names: has no meaning without"),
        ({"function": "m:f", "pattern": "x"}, "pattern: has no meaning without `files`"),
        ({"function": "m:f", "unmatched": "skip"}, "unmatched: has no meaning without `files`"),
        ({"unmatched": "skip"}, "unmatched: has no meaning without"),
        ({"function": "m.f"}, "function"),
        ({"files": "{stem}.txt", "names": ["a", "a"]}, "more than once"),
        ({"files": "../{stem}.txt"}, "below the source"),
    ],
)
def test_options_that_do_not_agree(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        PointLabels(**options)


def test_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    with pytest.raises(LabelError, match="no pictures below"):
        label(tmp_path, files="{stem}.txt", images="images")


def test_many_rows(tmp_path: Path, touch: Any) -> None:
    touch("a0.jpg")
    count = 100_000
    frame = pd.DataFrame({"image": [f"a{i}.jpg" for i in range(count)], "x": range(count), "y": 1})
    frame.to_csv(tmp_path / "train.csv", index=False)
    found = label(tmp_path)
    assert len(found.rows) == count
    assert found.rows["x"].tolist()[-1] == count - 1
