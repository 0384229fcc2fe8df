"""Files that say which picture an id is."""

import json
from pathlib import Path

import pytest

from kitbox.data import named
from kitbox.errors import LabelError


def test_coco_and_a_list_alone(tmp_path: Path) -> None:
    entries = [{"id": 7, "file_name": "test/a.jpg"}, {"id": 8, "file_name": "./test/b.jpg"}]
    (tmp_path / "a.json").write_text(json.dumps({"images": entries, "info": {}}))
    (tmp_path / "b.json").write_text(json.dumps(entries))
    wanted = {"7": "test/a.jpg", "8": "test/b.jpg"}
    assert named.read(tmp_path, "a.json") == named.read(tmp_path, "b.json") == wanted


def test_a_csv_with_one_column_of_files(tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text("image_id,width,file\n0007,3,x/a.jpg\n8,4,b.png\n")
    assert named.read(tmp_path, "test.csv") == {"0007": "x/a.jpg", "8": "b.png"}


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.json", "{", "no json file"),
        ("a.json", '{"images": [{"id": 1}]}', "no list of pictures"),
        ("a.json", '{"images": [{"id": 1, "file_name": "a"}, 3]}', "no list of pictures"),
        ("a.json", "[]", "no list of pictures"),
        ("a.csv", "id,label\n1,2\n", "cannot be told which column"),
        ("a.csv", "a,b\n1.jpg,2.jpg\n", "cannot be told which column"),
    ],
)
def test_what_is_no_such_file(tmp_path: Path, name: str, content: str, why: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(LabelError, match=why):
        named.read(tmp_path, name)
    with pytest.raises(LabelError, match=r"There is no file 'b.json' below .*a\.json|no json"):
        named.read(tmp_path, "b.json")


def test_pictures_may_lie_deeper_than_they_are_listed() -> None:
    paths = ["test/000/a.jpg", "test/001/b.jpg", "test/002/b.jpg", "c.jpg"]
    listed = {"1": "000/a.jpg", "2": "b.jpg", "3": "c.jpg", "4": "002/b.jpg"}
    assert named.place(listed, paths) == {"1": paths[0], "3": "c.jpg", "4": paths[2]}
