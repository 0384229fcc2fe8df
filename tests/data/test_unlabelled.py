"""The pictures to predict, and what the ids of a sample mean."""

import random
from pathlib import Path

import pandas as pd
import pytest

# The module, because pytest would collect names that begin with `test`.
from kitbox.data import unlabelled as table
from kitbox.errors import LabelError
from kitbox.writers import sample as samples

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def touch(folder, *paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


@pytest.fixture
def folder(tmp_path):
    touch(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    return tmp_path


def find(root, ids=None, /, taken=(), **test):
    options = table.TestPictures(**test)
    rows = table.test_rows(root, test=options, ids=ids, taken=taken)
    assert list(rows.columns) == ["id", "image"]
    assert rows["id"].dtype == pd.Series([], dtype=str).dtype
    return dict(zip(rows["id"], rows["image"], strict=True))


def test_neither_sample_nor_folder(folder):
    assert find(folder) == {}


def test_all_pictures_of_a_folder(tmp_path):
    touch(tmp_path, "test/b.jpg", "test/sub/a.png", "test/notes.txt", "train/c.jpg")
    assert find(tmp_path, folder="test") == {"b": "test/b.jpg", "a": "test/sub/a.png"}
    assert list(find(tmp_path, folder="test")) == ["b", "a"]  # by path


def test_paths_are_ids_where_names_repeat(tmp_path):
    touch(tmp_path, "test/1/a.jpg", "test/2/a.jpg")
    assert list(find(tmp_path, folder="test")) == ["test/1/a.jpg", "test/2/a.jpg"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"pattern": "test/*.jpg"}, ["test/a.jpg", "test/b.jpg"]),
        ({"pattern": "*.jpg", "folder": "test"}, ["test/a.jpg", "test/b.jpg"]),
        ({"pattern": "**/a.*"}, ["a.png", "test/a.jpg"]),
        ({"pattern": "test/*.dat"}, ["test/c.dat"]),
    ],
)
def test_a_pattern(tmp_path, options, expected):
    touch(tmp_path, "a.png", "test/a.jpg", "test/b.jpg", "test/c.dat", "test/sub/d.jpg")
    assert list(find(tmp_path, **options).values()) == expected


def test_nothing_where_the_test_pictures_should_be(tmp_path):
    touch(tmp_path, "test/notes.txt")
    with pytest.raises(LabelError, match=r"no test pictures below .*test\. Found: notes.txt"):
        find(tmp_path, folder="test")
    with pytest.raises(LabelError, match=r"no test pictures \*\.png below"):
        find(tmp_path, pattern="*.png")
    with pytest.raises(LabelError, match=r"no folder 'tset'.*Did you mean 'test'"):
        find(tmp_path, folder="tset")


@pytest.mark.parametrize("form", ["test/{}.jpg", "{}.jpg", "{}", "test/{}", "test\\{}.jpg"])
@pytest.mark.parametrize("options", [{}, {"folder": "test"}, {"pattern": "test/*"}])
def test_ids_of_the_sample_name_pictures(tmp_path, form, options):
    # The same names train: they are no candidates, because there is a test folder.
    touch(tmp_path, *(f"{side}/000{n}.jpg" for side in ("test", "train") for n in range(4)))
    ids = [form.format(name) for name in ("0002", "0000", "0003")]
    found = find(tmp_path, ids, **options)
    assert list(found.items()) == list(
        zip(ids, ["test/0002.jpg", "test/0000.jpg", "test/0003.jpg"], strict=True)
    )


def test_without_a_test_folder_all_that_do_not_train_are_candidates(tmp_path):
    touch(tmp_path, "images/1.jpg", "images/2.jpg", "extra/1.jpg")
    assert find(tmp_path, ["1", "2"], taken=["extra/1.jpg"]) == {
        "1": "images/1.jpg",
        "2": "images/2.jpg",
    }
    with pytest.raises(LabelError, match=r"'1' .* fits several.*extra/1.jpg, images/1.jpg"):
        find(tmp_path, ["1", "2"])


def test_the_suffix_decides_between_two_pictures(tmp_path):
    touch(tmp_path, "test/1.jpg", "test/1.png", "test/1_depth.png")
    with pytest.raises(LabelError, match=r"test/1.jpg, test/1.png.*`suffix`"):
        find(tmp_path, ["1"])
    assert find(tmp_path, ["1"], suffix="png") == {"1": "test/1.png"}
    assert find(tmp_path, ["1"], suffix=".jpg") == {"1": "test/1.jpg"}
    assert find(tmp_path, ["1"], suffix="_depth.png") == {"1": "test/1_depth.png"}


def test_an_exact_name_comes_before_a_stem(tmp_path):
    touch(tmp_path, "test/1.5.jpg", "test/1.5")
    assert find(tmp_path, ["1.5"]) == {"1.5": "test/1.5.jpg"}
    touch(tmp_path, "test/a.jpg.png", "test/a.jpg")
    assert find(tmp_path, ["a.jpg"]) == {"a.jpg": "test/a.jpg"}


def test_ids_without_a_picture_keep_their_rows(tmp_path):
    touch(tmp_path, "test/1.png", "test/2.png", "test/3.png")
    found = find(tmp_path, ["1", "gone", "2", "3", "../../out"])
    assert found["gone"] == "test/gone.png"
    assert found["../../out"] == "test/out.png"
    assert list(found) == ["1", "gone", "2", "3", "../../out"]


def test_half_may_be_missing_but_not_more(tmp_path):
    touch(tmp_path, "test/1.png")
    assert find(tmp_path, ["1", "x"])["x"] == "test/x.png"
    with pytest.raises(
        LabelError, match=r"2 of 3 ids.*ids such as x, y.*1 candidate such as test/1.png.*`suffix`"
    ):
        find(tmp_path, ["1", "x", "y"])


def test_no_candidates_at_all(tmp_path):
    touch(tmp_path, "readme.md")
    with pytest.raises(LabelError, match=r"no candidates; there are readme.md in"):
        find(tmp_path, ["1"])


def test_an_empty_sample(tmp_path):
    assert find(tmp_path, []) == {}


def test_a_hundred_thousand_ids(tmp_path, monkeypatch):
    images = [f"test/{number:06d}.jpg" for number in range(100_000)]
    monkeypatch.setattr(table, "pictures", lambda folder: images)
    ids = [f"{number:06d}" for number in range(100_000)]
    random.Random(0).shuffle(ids)
    found = find(tmp_path, ids)
    assert list(found) == ids
    assert all(image == f"test/{one}.jpg" for one, image in found.items())


@pytest.mark.parametrize(
    ("name", "sample"),
    [
        ("flowers17", "sample_submission.csv"),
        ("faces68", "sample_submission.csv"),
        ("camvid", "sample_submission_tags.csv"),
        ("bccd", "sample_submission.csv"),
    ],
)
def test_real_samples(name, sample):
    if not (DATA / name).is_dir():
        pytest.skip(f"the real data is not in {DATA}")
    rows = pd.read_csv(DATA / name / sample, dtype=str)
    found = find(DATA / name, samples.ids(rows))
    assert list(found) == rows.iloc[:, 0].tolist()
    assert all((DATA / name / image).is_file() for image in found.values())
    assert len(set(found.values())) == len(list((DATA / name / "test").glob("*.jpg")))


def test_ids_by_a_pattern(tmp_path):
    touch(tmp_path, "test/a/scan/1.png", "test/a/scan/2.png", "test/b/scan/1.png", "train/c/1.png")
    match = r"^test/(\w)/scan/1\.png$"
    wanted = {"b": "test/b/scan/1.png", "a": "test/a/scan/1.png"}
    assert find(tmp_path, ["b", "a"], match=match) == wanted
    assert find(tmp_path, [], match=match) == wanted  # a sample without rows, without a folder
    with pytest.raises(LabelError, match=r"'a'.*several pictures.*more exact"):
        find(tmp_path, ["a", "b"], match=r"^test/(\w)/")


def test_ids_by_a_file(tmp_path):
    touch(tmp_path, "test/x/1.jpg", "test/2.jpg", "test/3.jpg")
    (tmp_path / "test.csv").write_text("id,file\n0008,2.jpg\n9,x/1.jpg\n")
    wanted = {"9": "test/x/1.jpg", "0008": "test/2.jpg"}
    assert find(tmp_path, ["9", "0008"], folder="test", names="test.csv") == wanted
    assert find(tmp_path, None, folder="test", names="test.csv") == wanted


def test_one_way_to_name_pictures():
    with pytest.raises(ValueError, match="goes not together with `suffix`"):
        table.TestPictures(suffix="jpg", match="(a)")
