import pytest

from kitbox.errors import LabelError
from kitbox.labelers.places import find, places


@pytest.mark.parametrize(
    ("ids", "files", "prefix", "suffixes"),
    [
        (["a.jpg"], ["a.jpg"], "", ("",)),
        (
            ["1", "2"],
            ["test/1.jpg", "test/2.jpg", "train/1.jpg", "train/2.jpg"],
            "train/",
            (".jpg",),
        ),
        (
            ["1", "2"],
            ["x/test/1.jpg", "x/test/2.jpg", "x/train/1.jpg", "x/train/2.jpg"],
            "x/train/",
            (".jpg",),
        ),
        (["1", "2"], ["small/1.jpg", "large/1.jpg", "large/2.jpg"], "large/", (".jpg",)),
        (["1"], ["masks/1.png", "images/1.jpg"], "images/", (".jpg",)),
        (["1", "2", "3"], ["i/1.png", "i/2.jpg", "i/3.jpg", "i/1.txt"], "i/", (".jpg", ".png")),
        (
            ["d/1", "d/2"],
            ["train/d/1.jpg", "train/d/2.jpg", "e/1.jpg", "e/2.jpg"],
            "train/",
            (".jpg",),
        ),
        (["v1.5"], ["v1.5.JPG"], "", (".JPG",)),
        # A test folder comes last, also before folders without a known name.
        (["1"], ["test/1.jpg", "zebras/1.jpg"], "zebras/", (".jpg",)),
        # A picture in two formats is one picture.
        (["1", "2"], ["a/1.jpg", "a/1.png", "b/1.jpg", "b/2.jpg"], "b/", (".jpg",)),
    ],
)
def test_the_likeliest_place(ids, files, prefix, suffixes):
    for listed in (files, files[::-1]):
        best = places(ids, listed)[0]
        assert (best.prefix, best.suffixes) == (prefix, suffixes)


def test_no_place():
    assert places(["x"], ["a/1.jpg", "ax.jpg", "b/xx.jpg"]) == []
    assert find(["x"], ["a/1.jpg"]) is None


def test_find_guesses_and_says_so():
    paths, notes = find(["1", "2", "3"], ["big/1.jpg", "big/2.png", "two/1.jpg", "two/2.jpg"])
    assert paths == ["big/1.jpg", "big/2.png", "big/3.jpg"]
    assert notes == [
        "Guessed: the pictures are in 'big'.",
        "Pictures of the same names are in two too.",
        "Guessed: the names lack the suffix .jpg, .png.",
        "1 of 3 pictures are missing: big/3.jpg.",
    ]


def test_find_takes_what_is_set():
    files = ["a/1.jpg", "a/1.png", "b/1.jpg", "a/1_x.png"]
    assert find(["1"], files, folder="b", suffix="jpg") == (["b/1.jpg"], [])
    assert find(["1"], files, folder="a", suffix=".png") == (["a/1.png"], [])
    assert find(["1"], files, folder="a", suffix="_x.png") == (["a/1_x.png"], [])
    assert find(["1.png"], files, folder="a", suffix="") == (["a/1.png"], [])
    assert find(["1"], files, folder="a", suffix="") is None
    assert find(["1"], files, folder="c") is None
    assert find(["a/1.jpg"], files, folder="") == (["a/1.jpg"], [])


def test_pictures_over_many_folders_are_found_by_name() -> None:
    files = [f"train/{n % 5}/{n:03}.jpg" for n in range(20)] + ["test/007.jpg", "train/9/003.jpg"]
    found = find([f"{n:03}.jpg" for n in range(20)], files)
    assert found is not None
    paths, notes = found
    assert paths[7] == "train/2/007.jpg"
    assert paths[3] == "003.jpg", "two pictures have that name: none is chosen"
    assert "several folders" in notes[0]
    assert "1 of 20 pictures are missing" in notes[1]
    inside = find(["004", "019"] + [f"{n:03}" for n in range(4, 18)], files, "train")
    assert inside is not None
    assert inside[0][:2] == ["train/4/004.jpg", "train/4/019.jpg"]


def test_ids_by_a_pattern_of_the_path() -> None:
    files = ["train/a/1.png", "train/a/2.png", "train/b/1.png", "test/a/1.png", "train/b/1.txt"]
    assert find(["b", "a", "c"], files, match=r"^train/(\w)/1\.png$") == (
        ["train/b/1.png", "train/a/1.png", "c"],
        ["1 of 3 pictures are missing: c."],
    )
    assert find(["x"], files, match=r"^train/(\w)/1\.png$") is None
    with pytest.raises(LabelError, match=r"several pictures.*train/a/1.png, train/a/2.png"):
        find(["a"], files, "train", match=r"^train/(\w)/")
