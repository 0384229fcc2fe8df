import os

import pytest

from kitbox.data import files
from kitbox.errors import LabelError


def touch(folder, *paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


def test_pictures_are_told_by_suffix_and_sorted(tmp_path):
    touch(
        tmp_path,
        "b/2.JPG",
        "b/1.jpeg",
        "a.png",
        "b.webp",
        "x.tiff",
        "notes.txt",
        "jpg",
        "c/d/e.GIF",
    )
    # An independent way: pathlib's own walk.
    expected = sorted(
        p.relative_to(tmp_path).as_posix()
        for p in tmp_path.rglob("*")
        if p.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp", ".tiff", ".gif"}
    )
    assert files.pictures(tmp_path) == expected
    assert len(expected) == 6


def test_files_lists_other_files_too(tmp_path):
    touch(tmp_path, "train.csv", "a/1.jpg")
    assert files.files(tmp_path) == ["a/1.jpg", "train.csv"]


def test_hidden_names_are_skipped(tmp_path):
    touch(tmp_path, "a.jpg", ".b.jpg", "._a.jpg", ".git/c.jpg", "__MACOSX/a.jpg", "d/.e/f.jpg")
    assert files.pictures(tmp_path) == ["a.jpg"]


def test_a_folder_that_is_called_like_a_picture(tmp_path):
    touch(tmp_path, "odd.jpg/1.png")
    assert files.pictures(tmp_path) == ["odd.jpg/1.png"]


def test_links_are_followed_but_not_in_circles(tmp_path):
    touch(tmp_path, "root/a/1.jpg", "other/2.jpg")
    root = tmp_path / "root"
    (root / "a" / "up").symlink_to(root, target_is_directory=True)
    (root / "away").symlink_to(tmp_path / "other", target_is_directory=True)
    (tmp_path / "other" / "back").symlink_to(root / "a", target_is_directory=True)
    (root / "broken.jpg").symlink_to(tmp_path / "nothing.jpg")
    (root / "file.jpg").symlink_to(tmp_path / "other" / "2.jpg")
    assert files.pictures(root) == ["a/1.jpg", "away/2.jpg", "away/back/1.jpg", "file.jpg"]


def test_many_files(tmp_path):
    # Hard links are quicker to make than files.
    touch(tmp_path, "0/first.jpg")
    for number in range(20_000):
        if number % 2000 == 0:
            (tmp_path / str(number)).mkdir(exist_ok=True)
        os.link(tmp_path / "0/first.jpg", tmp_path / str(number // 2000 * 2000) / f"{number}.jpg")
    listed = files.pictures(tmp_path)
    assert len(listed) == 20_001
    assert listed == sorted(listed)


def test_a_missing_folder(tmp_path):
    with pytest.raises(LabelError, match="nowhere cannot be listed"):
        files.pictures(tmp_path / "nowhere")


def test_inside_names_the_nearest_folder(tmp_path):
    touch(tmp_path, "images/a.jpg", "notes.txt")
    assert files.inside(tmp_path, "images") == tmp_path / "images"
    with pytest.raises(
        LabelError, match=r"Found: images/ and notes.txt in .*Did you mean 'images'"
    ):
        files.inside(tmp_path, "image")


def test_contents_of_an_empty_folder(tmp_path):
    assert files.contents(tmp_path) == f"nothing in {tmp_path}"
    assert "cannot be listed" in files.contents(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("path", "bare", "stem"),
    [
        ("a/b.jpg", "a/b", "b"),
        ("a/b.tar.JPEG", "a/b.tar", "b.tar"),
        ("a.v2/b", "a.v2/b", "b"),
        ("1.5", "1.5", "1.5"),
    ],
)
def test_names_without_suffix(path, bare, stem):
    assert (files.bare(path), files.stem(path)) == (bare, stem)


@pytest.mark.parametrize("path", ["../a", "a/../../b", "/a", "a\0b"])
def test_paths_that_lead_out(path):
    assert not files.is_below(path)


def test_below_is_an_option_that_stays_below():
    from pydantic import TypeAdapter, ValidationError

    option = TypeAdapter(files.Below)
    assert option.validate_python("train/images/") == "train/images"
    assert option.validate_python(".") == ""
    with pytest.raises(ValidationError, match="below the source's folder"):
        option.validate_python("../elsewhere")


def test_some_pictures_or_what_to_do(tmp_path):
    touch(tmp_path, "a/1.jpg", "b/x.txt")
    assert files.some_pictures(tmp_path, "a") == ["1.jpg"]
    assert files.some_pictures(tmp_path, "") == ["a/1.jpg"]
    with pytest.raises(LabelError, match=r"no pictures below .*b\. Found: x\.txt.*Set `images`"):
        files.some_pictures(tmp_path, "b")
    with pytest.raises(LabelError, match="Set `path`"):
        files.some_pictures(tmp_path, "b", "Set `path`")
    with pytest.raises(LabelError, match="no folder 'c'"):
        files.some_pictures(tmp_path, "c")
