import pandas as pd
import pytest

from kitbox.errors import SubmissionError
from kitbox.writers.layout import Layout


def frame(header: str, *lines: str) -> pd.DataFrame:
    rows = [line.split(",") for line in lines]
    return pd.DataFrame(rows, columns=header.split(","), dtype=str)


@pytest.mark.parametrize(
    ("sample", "mode", "pictures"),
    [
        (frame("id,rle_mask", "a,1 1", "b,1 1"), "plain", ["a", "b"]),
        # Carvana: every car with every view, and yet the key is a picture.
        (frame("img,rle_mask", "x_01.jpg,", "x_02.jpg,", "y_01.jpg,", "y_02.jpg,"), "plain", None),
        (frame("image_id,mask", "x_1,", "x_2,", "y_1,", "y_2,"), "plain", None),
        (frame("ImageId,EncodedPixels", "a,-1", "a,-1", "b,-1"), "instances", ["a", "b"]),
        (
            frame("ImageId_ClassId,EncodedPixels", "a.jpg_1,", "a.jpg_2,", "b_1,", "b_2,"),
            "joined",
            ["a.jpg", "b"],
        ),
        (frame("Image_Label,EncodedPixels", "a_Fish,1 1", "a_Sugar,1 1"), "joined", ["a"]),
        (frame("id,class,predicted", "a,x,", "a,y,", "b,x,", "b,y,"), "columns", ["a", "b"]),
        (frame("id,class,predicted", "a,1,1 1"), "columns", ["a"]),
        (frame("id,sky,road", "a,1 1,1 1"), "plain", ["a"]),
        (frame("id,sky,road", "a,,"), "plain", ["a"]),
        (frame("id,a,b,c", "a,,,"), "plain", ["a"]),
        (frame("ImageId_ClassId,EncodedPixels"), "joined", []),
        (frame("id,rle"), "plain", []),
        (frame("id,class,predicted"), "columns", []),
    ],
)
def test_read_from_the_sample_alone(
    sample: pd.DataFrame, mode: str, pictures: list[str] | None
) -> None:
    assert Layout("auto").mode(sample) == mode
    wanted = sample.iloc[:, 0].tolist() if pictures is None else pictures
    assert Layout("auto").pictures(sample) == wanted


def test_what_is_known_helps() -> None:
    sample = frame("key,rle", "a_1,", "a_2,", "b_1,", "b_2,")
    assert Layout("auto").mode(sample) == "plain"
    assert Layout("joined").pictures(sample) == ["a", "b"]
    assert Layout("auto", classes={"1": "x", "2": "y"}).pictures(sample) == ["a", "b"]
    assert Layout("auto", ids=("a", "b"), names=("x", "y")).mode(sample) == "joined"
    assert Layout("auto", ids=("a_1", "a_2"), names=("x", "y")).mode(sample) == "plain"
    endings = frame("Image_Class,rle", "a_1_x,", "a_2_x,", "b_1_x,", "b_2_x,")
    assert Layout("auto", classes=["1_x", "2_x"]).pictures(endings) == ["a", "b"]
    assert Layout("joined", classes=["x"]).pictures(endings) == ["a_1", "a_2", "b_1", "b_2"]
    header = frame("id,rle")
    assert Layout("auto", names=("x", "y")).mode(header) == "joined"
    assert Layout("auto", names=("x", "y"), classes=["x"]).mode(header) == "plain"
    assert Layout("auto", names=("sky", "road")).mode(frame("id,Sky,Road")) == "plain"


def test_keys_that_cannot_be_taken_apart() -> None:
    with pytest.raises(SubmissionError, match=r"cannot be taken apart.*a, b.*`classes`"):
        Layout("joined").pictures(frame("id,rle", "a,", "b,"))


def test_a_misspelt_class_in_a_key_is_named() -> None:
    keys = [f"{one}_{name}," for one in "abcd" for name in ("sky", "road")]
    keys[4] = "c_sly,"
    said = r"Row 5 .*'c_sly', is of no class: there is no class 'sly'\. Did you mean 'sky'\?"
    for known in ({}, {"names": ("sky", "road")}, {"classes": ["sky", "road"]}):
        with pytest.raises(SubmissionError, match=said):
            Layout("auto", **known).pictures(frame("ImageId_ClassId,rle", *keys))
    with pytest.raises(SubmissionError, match=said):
        Layout("auto", names=("sky", "road")).mode(frame("id,rle", *keys))
    assert Layout("auto").mode(frame("id,rle", *keys)) == "plain"
