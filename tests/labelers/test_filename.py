import pytest
from pydantic import ValidationError

from kitbox.data import table
from kitbox.errors import LabelError
from kitbox.labelers.filename import FilenameLabels


def read(folder, **options):
    labels = FilenameLabels(**options).label(folder)
    made = table.make(labels, folder)
    assert made["id"].tolist() == made["image"].tolist()
    return dict(zip(made["image"], made["label"], strict=True)), labels.notes


@pytest.mark.parametrize(
    "pattern",
    [
        r"^(.+)_\d+\.jpg$",
        r"/([^/]+)_\d+.jpg$",
        r"([^/]+)_\d+",
        r"^(x)?(?P<label>[a-z_]+)_\d",
        r"^/(.+)_\d+",
    ],
)
def test_the_pattern_finds_the_label(tmp_path, touch, pattern):
    touch("images/great_dane_12.jpg", "images/pug_1.jpg", "notes/9.jpg")
    found, notes = read(tmp_path, images="images", pattern=pattern)
    assert found == {"images/great_dane_12.jpg": "great_dane", "images/pug_1.jpg": "pug"}
    assert notes[0].startswith("2 pictures of 2 classes")
    assert "2 of 2 pictures match the pattern." in notes


def test_folders_are_part_of_the_path(tmp_path, touch):
    touch("a/x/1.jpg", "a/y/2.jpg")
    assert set(read(tmp_path, pattern=r"^a/(.)/")[0].values()) == {"x", "y"}


def test_some_do_not_match(tmp_path, touch):
    touch("pug_1.jpg", *(f"odd{n}.jpg" for n in range(7)))
    with pytest.raises(
        LabelError, match=r"not match 7 of 8 .*odd0.jpg, .*odd4.jpg and 2 more.*unmatched: skip"
    ):
        read(tmp_path, pattern=r"(.+)_\d")
    found, notes = read(tmp_path, pattern=r"(.+)_\d", unmatched="skip")
    assert found == {"pug_1.jpg": "pug"}
    assert "1 of 8 pictures match the pattern." in notes
    assert any("odd4.jpg and 2 more" in note for note in notes)


def test_an_empty_group_is_no_label(tmp_path, touch):
    touch("_1.jpg", "pug_1.jpg", "2.jpg")
    found, _ = read(tmp_path, pattern=r"^(?:(.*)_)?\d", unmatched="skip")
    assert found == {"pug_1.jpg": "pug"}


@pytest.mark.parametrize("unmatched", ["error", "skip"])
def test_none_matches(tmp_path, touch, unmatched):
    touch("1.jpg", "2.jpg", "3.jpg", "4.jpg")
    with pytest.raises(LabelError, match=r"none of 4 .*1.jpg, 2.jpg, 3.jpg and 1 more"):
        read(tmp_path, pattern=r"(.+)_\d", unmatched=unmatched)


def test_no_pictures(tmp_path, touch):
    touch("images/readme.md")
    with pytest.raises(LabelError, match=r"no pictures below .*images\. Found: readme.md"):
        read(tmp_path, images="images", pattern="(.)")


@pytest.mark.parametrize(
    ("pattern", "words"), [("(", "expected a regular expression"), (r"\d+", "expected a group")]
)
def test_the_pattern_is_checked_before_use(pattern, words):
    with pytest.raises(ValidationError, match=words):
        FilenameLabels(pattern=pattern)
