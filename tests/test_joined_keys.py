import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitbox.joined_keys import Parted, Stray, by_names, by_product, says_joined, strays

PICTURES = ("0001TP_008550", "0001TP_008580")
CLASSES = ("sky", "sign_symbol", "car")
KEYS = [f"{one}_{name}" for one in PICTURES for name in CLASSES]


@pytest.mark.parametrize(
    ("header", "joined"),
    [
        ("ImageId_ClassId", True),
        ("Image_Label", True),
        ("id-class", True),
        ("image_id", False),
        ("ImageId", False),
        ("file name", False),
        ("", False),
    ],
)
def test_names_of_key_columns(header: str, joined: bool) -> None:
    assert says_joined(header) is joined


def test_separators_inside_ids_and_classes() -> None:
    for keys in (KEYS, KEYS[::-1], KEYS[1:] + KEYS[:1]):
        parted = by_product(keys)
        assert parted is not None
        assert parted == by_names(keys, CLASSES)
        assert set(parted.pictures) == set(PICTURES)
        assert set(parted.classes) == set(CLASSES)
        assert [*map("_".join, zip(parted.pictures, parted.classes, strict=True))] == keys


def test_one_picture() -> None:
    assert by_product(KEYS[:3]) == Parted("_", PICTURES[:1] * 3, CLASSES)


def test_the_longest_class_counts_where_the_picture_is_known() -> None:
    keys = ["a_sign_symbol", "a_symbol"]
    assert by_names(keys, ["symbol", "sign_symbol"]) == Parted(
        "_", ("a", "a"), ("sign_symbol", "symbol")
    )
    parted = by_names(keys[:1], ["symbol", "sign_symbol"], pictures=["a_sign"])
    assert parted == Parted("_", ("a_sign",), ("symbol",))
    assert by_names(keys, ["symbol"], pictures=["a"]) is None


def test_file_endings_and_numbers() -> None:
    keys = [f"004f40c73.jpg_{n}" for n in range(1, 5)] + [f"006f39c41.jpg_{n}" for n in range(1, 5)]
    parted = by_product(keys)
    assert parted is not None
    assert set(parted.pictures) == {"004f40c73.jpg", "006f39c41.jpg"}


def test_the_header_names_the_separator() -> None:
    keys = ["s_1-x", "s_1-y", "s_2-x", "s_2-y"]
    parted = by_product(keys, header="Image-Class")
    assert parted is not None
    assert (parted.separator, set(parted.pictures)) == ("-", {"s_1", "s_2"})
    assert by_product(keys, separator="/") is None


@pytest.mark.parametrize(
    "keys", [[], ["a"], ["a_x"], ["a_x", "a_x"], ["a_x", "b_y"], ["a_", "a_x"]]
)
def test_no_product(keys: list[str]) -> None:
    assert by_product(keys) is None


@given(
    pictures=st.lists(
        st.from_regex(r"[a-c0-2]{1,3}(_[a-c0-2]{1,2})?", fullmatch=True), unique=True
    ),
    classes=st.lists(st.from_regex(r"[x-z]{1,3}(_[x-z]{1,2})?", fullmatch=True), unique=True),
    separator=st.sampled_from(["_", "-", ":"]),
    data=st.data(),
)
def test_what_was_joined_comes_apart(
    pictures: list[str], classes: list[str], separator: str, data: st.DataObject
) -> None:
    pairs = [(one, name) for one in pictures for name in classes]
    pairs = data.draw(st.permutations(pairs))
    keys = [f"{one}{separator}{name}" for one, name in pairs]
    parted = by_names(keys, classes, separator, pictures)
    if not pairs:
        assert parted is None
        return
    assert parted == Parted(separator, *zip(*pairs, strict=True))


def test_a_key_that_went_astray() -> None:
    keys = [f"{one}_{name}" for one in ("a_1", "b", "c") for name in ("sky", "sign_post", "road")]
    assert strays(keys) == strays(keys, ("sky", "sign_post", "road")) == []
    keys[3] = "b_sly"
    known = ("road", "sign_post", "sky")
    assert strays(keys) == [Stray(3, "b_sly", "sly", known)]
    assert strays(keys, known) == [Stray(3, "b_sly", "sly", known)]
    keys[1] = "a_1_sign_pots"  # in the first picture too
    assert strays(keys) == []  # two of nine are many
    many = [f"{n}_{name}" for n in range(20) for name in ("x", "y")]
    many[0] = "0_z"
    assert strays(many) == [Stray(0, "0_z", "z", ("x", "y"))]
    assert strays(["a", "b", "c_d", "e"]) == []
