import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sklearn.model_selection import StratifiedShuffleSplit

from kitbox.data import split
from kitbox.errors import SplitError

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
NOWHERE = Path("nowhere")


def rows_of(labels, **more):
    ids = [f"{number:05d}" for number in range(len(labels))]
    images = [f"train/{one}.jpg" for one in ids]
    return pd.DataFrame({"id": ids, "image": images, "label": labels, **more})


def run(splitter, rows, targets=("label",), folder=NOWHERE):
    parts = splitter.split(rows, targets, folder)
    assert parts.index.equals(rows.index)
    assert set(parts) == {"train", "valid"}
    return parts


def valid_ids(rows, parts):
    return set(rows.loc[parts == "valid", "id"])


def numbers(texts, seed):
    """The documented rule a second way, through the hexadecimal digest."""
    key = str(seed).encode()
    return {
        text: int(hashlib.blake2b(text.encode(), digest_size=8, key=key).hexdigest(), 16)
        for text in texts
    }


EVERY = [
    split.Auto(),
    split.Random(),
    split.Stratified(),
    split.Group(by="person"),
    split.ByFolder(valid="v"),
    split.ByColumn(column="fold", valid=1),
]


def mixed_rows():
    count = 60
    rows = rows_of(["cat", "dog", "owl"] * 20)
    rows["person"] = [f"p{number % 7}" for number in range(count)]
    rows["fold"] = [number % 5 for number in range(count)]
    rows["image"] = [f"{'v' if n % 3 == 0 else 't'}/{one}.jpg" for n, one in enumerate(rows["id"])]
    return rows


@pytest.mark.parametrize("splitter", EVERY, ids=lambda splitter: type(splitter).__name__)
def test_the_order_of_the_rows_does_not_matter(splitter):
    rows = mixed_rows()
    expected = valid_ids(rows, run(splitter, rows))
    for seed in range(3):
        shuffled = rows.sample(frac=1, random_state=seed)  # keeps its shuffled index
        assert valid_ids(shuffled, run(splitter, shuffled)) == expected
    assert rows.equals(mixed_rows())


@pytest.mark.parametrize("name", ["Auto", "Random", "Stratified", "Group"])
def test_the_seed_matters(name):
    rows = mixed_rows()
    options = {"by": "person"} if name == "Group" else {}
    found = {
        frozenset(valid_ids(rows, run(getattr(split, name)(seed=seed, **options), rows)))
        for seed in range(8)
    }
    assert len(found) > 1


def test_random_follows_the_documented_rule():
    rows = rows_of(list(range(97)))
    parts = run(split.Random(valid=0.3, seed=7), rows)
    order = numbers(rows["id"], 7)
    expected = set(sorted(rows["id"], key=order.__getitem__)[:29])  # 0.3 * 97 = 29.1
    assert valid_ids(rows, parts) == expected


def test_random_is_the_same_for_ever():
    # Pins the rule: a changed split would make old runs incomparable.
    rows = rows_of(list(range(10)))
    assert valid_ids(rows, run(split.Random(), rows)) == {"00002", "00007"}


def test_random_choice_does_not_depend_on_other_columns():
    rows = rows_of(list(range(50)))
    other = rows.assign(label="x", image="elsewhere.jpg")
    assert run(split.Random(), rows).equals(run(split.Random(), other))


@settings(deadline=None)
@given(count=st.integers(2, 300), valid=st.floats(0.001, 0.999), seed=st.integers(0, 10**6))
def test_random_counts(count, valid, seed):
    rows = rows_of([0] * count)
    found = (run(split.Random(valid=valid, seed=seed), rows) == "valid").sum()
    assert 1 <= found <= count - 1
    assert abs(found - valid * count) <= 1


@pytest.mark.parametrize(("valid", "chosen"), [(0.25, 3), (0.24, 2), (0.01, 1), (0.99, 9)])
def test_halves_are_rounded_up(valid, chosen):
    assert (run(split.Random(valid=valid), rows_of([0] * 10)) == "valid").sum() == chosen


def test_random_needs_two_rows():
    with pytest.raises(SplitError, match="Label at least two pictures"):
        split.Random().split(rows_of([1]), ("label",), NOWHERE)


@pytest.mark.parametrize("valid", [0, 1, -0.1, 1.5])
def test_a_share_lies_between_0_and_1(valid):
    for kind in (split.Auto, split.Random, split.Stratified):
        with pytest.raises(ValidationError):
            kind(valid=valid)


def test_stratified_agrees_with_scikit_learn_on_class_counts():
    rng = np.random.default_rng(0)
    labels = rng.choice(list("abcdef"), size=1000, p=[0.4, 0.25, 0.15, 0.1, 0.07, 0.03])
    rows = rows_of(labels)
    ours = Counter(rows["label"][run(split.Stratified(valid=0.23), rows) == "valid"])
    _, theirs = next(
        StratifiedShuffleSplit(1, test_size=0.23, random_state=0).split(labels, labels)
    )
    theirs = Counter(labels[theirs])
    assert ours.total() == theirs.total() == 230
    assert all(abs(ours[label] - theirs[label]) <= 1 for label in "abcdef")


@settings(deadline=None)
@example(sizes=[2, 20], valid=0.75, seed=0)  # 15 of 20, or one more: exactly 1 too many
@given(
    sizes=st.lists(st.integers(2, 40), min_size=1, max_size=8),
    valid=st.floats(0.05, 0.95),
    seed=st.integers(0, 99),
)
def test_stratified_keeps_shares_and_trains_every_class(sizes, valid, seed):
    labels = [f"c{number}" for number, size in enumerate(sizes) for _ in range(size)]
    rows = rows_of(labels)
    parts = run(split.Stratified(valid=valid, seed=seed), rows)
    for number, size in enumerate(sizes):
        of_class = parts[rows["label"] == f"c{number}"]
        chosen = (of_class == "valid").sum()
        assert abs(chosen - valid * size) <= 1 or len(sizes) == 1 or chosen == size - 1
        assert (of_class == "train").any()


def test_stratified_trains_one_of_a_small_class():
    rows = rows_of(["a"] * 2 + ["b"] * 200)
    parts = run(split.Stratified(valid=0.9), rows)
    assert Counter(rows["label"][parts == "valid"]) == {"a": 1, "b": 181}


def test_stratified_takes_the_first_of_each_class_by_hash():
    rows = rows_of(["a"] * 10 + ["b"] * 20)
    parts = run(split.Stratified(valid=0.2, seed=3), rows)
    order = numbers(rows["id"], 3)
    for label, count in (("a", 2), ("b", 4)):
        ids = rows.loc[rows["label"] == label, "id"]
        expected = set(sorted(ids, key=order.__getitem__)[:count])
        assert valid_ids(rows, parts) & set(ids) == expected


def test_stratified_with_a_class_of_one_picture():
    rows = rows_of(["cat"] * 5 + ["dog"] * 5 + ["okapi"])
    with pytest.raises(SplitError, match=r"1 class has one picture.*okapi.*rare: train"):
        split.Stratified().split(rows, ("label",), NOWHERE)
    parts = run(split.Stratified(rare="train"), rows)
    assert parts[rows["label"] == "okapi"].tolist() == ["train"]
    assert Counter(rows["label"][parts == "valid"]) == {"cat": 1, "dog": 1}


def test_stratified_is_for_one_class_a_picture():
    several = rows_of([("sea",), ("sea", "sky")] * 4)
    with pytest.raises(SplitError, match=r"one class a picture.*splitter `random`"):
        split.Stratified().split(several, ("label",), NOWHERE)
    with pytest.raises(SplitError, match=r"one target.*x, y.*splitter `random`"):
        split.Stratified().split(rows_of([1, 1]).assign(x=1, y=2), ("x", "y"), NOWHERE)


@pytest.mark.parametrize(
    ("labels", "stratified"),
    [
        (["a"] * 30 + ["b"] * 10, True),
        ([0, 1, 2, 3] * 10, True),
        (["a"] * 39 + ["b"], False),
        ([0.5, 1.0] * 20, False),
        ([("a",), ("b",)] * 20, False),
    ],
)
def test_auto_stratifies_what_looks_like_classes(labels, stratified):
    rows = rows_of(labels)
    like = split.Stratified(seed=5) if stratified else split.Random(seed=5)
    other = split.Random(seed=5)
    assert run(split.Auto(seed=5), rows).equals(run(like, rows))
    if stratified:  # else the test could not fail
        assert not run(like, rows).equals(run(other, rows))


def test_auto_draws_from_all_rows_with_several_targets():
    rows = rows_of(["a", "b"] * 20).assign(other=1)
    drawn = run(split.Auto(), rows, ("label", "other"))
    assert drawn.equals(run(split.Random(), rows))


def test_auto_follows_the_labeler():
    rows = rows_of(["a"] * 6, part=["valid", "train", None, "train", "valid", None])
    assert run(split.Auto(), rows).tolist() == [
        "valid",
        "train",
        "train",
        "train",
        "valid",
        "train",
    ]


def test_auto_draws_when_no_part_validates():
    rows = rows_of(["a"] * 10, part=["train"] * 10)
    assert (run(split.Auto(), rows) == "valid").sum() == 2


def test_auto_with_nothing_to_train():
    with pytest.raises(SplitError, match="No picture would be left to train"):
        split.Auto().split(rows_of(["a"] * 3, part=["valid"] * 3), ("label",), NOWHERE)


@settings(deadline=None)
@given(
    groups=st.lists(st.integers(0, 8), min_size=2, max_size=80).filter(lambda g: len(set(g)) > 1),
    valid=st.floats(0.05, 0.95),
    seed=st.integers(0, 99),
)
def test_no_group_is_on_both_sides(groups, valid, seed):
    rows = rows_of([0] * len(groups), person=groups)
    parts = run(split.Group(by="person", valid=valid, seed=seed), rows)
    on_sides = rows.assign(part=parts).groupby("person")["part"].nunique()
    assert (on_sides == 1).all()


@settings(deadline=None)
@given(size=st.integers(1, 5), count=st.integers(5, 40), valid=st.floats(0.2, 0.8))
def test_groups_of_one_size_come_as_near_to_the_share_as_can_be(size, count, valid):
    rows = rows_of([0] * size * count, person=[n // size for n in range(size * count)])
    chosen = (run(split.Group(by="person", valid=valid), rows) == "valid").sum()
    assert abs(chosen - valid * len(rows)) <= size / 2 + 1e-9


def test_groups_that_are_too_large():
    rows = rows_of([0] * 10, person=["a"] * 6 + ["b"] * 4)
    parts = run(split.Group(by="person", valid=0.1), rows)
    assert set(rows["person"][parts == "valid"]) == {"b"}


def test_a_group_is_left_to_train():
    rows = rows_of([0] * 10, person=["a"] * 7 + ["b"] * 3)
    for seed in range(5):  # a share of 0.95 is nearer to all than to 7 of 10
        run(split.Group(by="person", valid=0.95, seed=seed), rows)


def test_group_mistakes():
    rows = rows_of([0] * 4, person=["a", "a", None, "b"], site=["x"] * 4)
    with pytest.raises(SplitError, match=r"no column 'persom'.*Did you mean 'person'"):
        split.Group(by="persom").split(rows, ("label",), NOWHERE)
    with pytest.raises(SplitError, match=r"1 row has no group.*00002"):
        split.Group(by="person").split(rows, ("label",), NOWHERE)
    with pytest.raises(SplitError, match=r"one group only.*x"):
        split.Group(by="site").split(rows, ("label",), NOWHERE)


def with_images(*images):
    return rows_of([0] * len(images)).assign(image=images)


def test_by_folder():
    rows = with_images("d/valid/a/1.jpg", "d/train/a/valid.jpg", "d/train/invalid/1.jpg")
    assert run(split.ByFolder(), rows).tolist() == ["valid", "train", "train"]
    assert run(split.ByFolder(valid="d/valid"), rows).tolist() == ["valid", "train", "train"]
    assert run(split.ByFolder(valid="invalid"), rows).tolist() == ["train", "train", "valid"]
    assert run(split.ByFolder(train="train"), rows).tolist() == ["valid", "train", "train"]


def test_by_folder_mistakes():
    rows = with_images("d/valid/a/1.jpg", "d/train/a/1.jpg", "d/more/1.jpg")
    with pytest.raises(SplitError, match=r"1 picture is neither.*d/more/1.jpg"):
        split.ByFolder(train="train").split(rows, ("label",), NOWHERE)
    with pytest.raises(SplitError, match=r"left to validate.*Folders: a, d, more, train, valid"):
        split.ByFolder(valid="val").split(rows, ("label",), NOWHERE)


@pytest.mark.parametrize(
    ("values", "valid"),
    [
        (["valid", "train", None], "valid"),
        ([3, 1, 2], 3),
        ([3.0, 1.0, float("nan")], 3),
        (["3", "1", "2"], 3),
        ([3, 1, 2], "3"),
        ([True, False, False], True),
        (["True", "False", "False"], True),
        ([1, 0, 0], True),
        ([False, True, True], False),
    ],
)
def test_by_column(values, valid):
    rows = rows_of([0] * 3, where=values)
    parts = run(split.ByColumn(column="where", valid=valid), rows)
    assert parts.tolist() == ["valid", "train", "train"]


def test_by_column_mistakes():
    rows = rows_of([0] * 3, fold=[0, 1, 2])
    with pytest.raises(SplitError, match=r"no column 'part'.*columns id, image, label, fold"):
        split.ByColumn().split(rows, ("label",), NOWHERE)
    with pytest.raises(SplitError, match=r"left to validate.*one of the column's values: 0, 1, 2"):
        split.ByColumn(column="fold", valid=7).split(rows, ("label",), NOWHERE)


@pytest.mark.parametrize("line", ["a/1.jpg", "a/1", "1.jpg", "1", "one", "./a/1.jpg", "a\\1.jpg"])
def test_by_names(tmp_path, line):
    (tmp_path / "valid.txt").write_text(f"\ufeff\n{line}\r\n\n", encoding="utf-8")
    rows = with_images("a/1.jpg", "a/2.jpg", "b/11.jpg").assign(id=["one", "two", "three"])
    parts = run(split.ByNames(file="valid.txt"), rows, folder=tmp_path)
    assert parts.tolist() == ["valid", "train", "train"]


def test_by_names_mistakes(tmp_path):
    rows = with_images("a/1.jpg", "b/1.jpg", "b/2.jpg")
    (tmp_path / "valid.txt").write_text("2\nnine\nten\n")
    with pytest.raises(SplitError, match=r"2 of 3 names in valid.txt fit no.*nine, ten.*a/1.jpg"):
        split.ByNames(file="valid.txt").split(rows, ("label",), tmp_path)
    (tmp_path / "valid.txt").write_text("1.jpg\n")
    with pytest.raises(SplitError, match=r"'1.jpg' in valid.txt fits several.*00000, 00001"):
        split.ByNames(file="valid.txt").split(rows, ("label",), tmp_path)
    (tmp_path / "valid.txt").write_text("\n")
    with pytest.raises(SplitError, match="left to validate"):
        split.ByNames(file="valid.txt").split(rows, ("label",), tmp_path)
    with pytest.raises(SplitError, match=r"no file 'val.txt'.*Found: valid.txt in.*Did you mean"):
        split.ByNames(file="val.txt").split(rows, ("label",), tmp_path)
    with pytest.raises(ValidationError, match="below the source's folder"):
        split.ByNames(file="../valid.txt")


def test_a_hundred_thousand_rows():
    rows = rows_of([f"c{number % 500}" for number in range(100_000)])
    rows["person"] = [f"p{number % 3000}" for number in range(100_000)]
    for splitter in (split.Auto(), split.Random(), split.Group(by="person")):
        assert abs((run(splitter, rows) == "valid").sum() - 20_000) <= 40


def test_faces_by_person():
    if not (DATA / "faces68").is_dir():
        pytest.skip(f"the real data is not in {DATA}")
    rows = pd.read_csv(DATA / "faces68" / "train.csv", usecols=["image", "person"])
    rows["id"] = rows["image"]
    parts = run(split.Group(by="person"), rows, ("x0",))
    sides = [set(rows["person"][parts == part]) for part in ("train", "valid")]
    assert not sides[0] & sides[1]
    assert abs((parts == "valid").mean() - 0.2) < 0.01


def test_camvid_by_names():
    from kitbox.labelers.table import TableLabels

    if not (DATA / "camvid").is_dir():
        pytest.skip(f"the real data is not in {DATA}")
    labels = TableLabels(delimiter=" ").label(DATA / "camvid")
    parts = run(split.ByNames(file="valid.txt"), labels.rows, ("tags",), DATA / "camvid")
    assert Counter(parts) == {"train": 367, "valid": 101}
    assert parts.tolist() == labels.rows["part"].tolist()
