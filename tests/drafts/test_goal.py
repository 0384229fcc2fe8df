"""What a competition asks for. The shapes of whole competitions are in tests/kaggle."""

from pathlib import Path

import pytest
from competitions import picture, table

from kitbox.drafts import goal, known
from kitbox.drafts.survey import look


def guess(folder: Path, labels: list[str], sample: list[str], name: str = "label") -> goal.Goal:
    for n, _ in enumerate(labels):
        picture(folder / f"train/{n}.png")
    table(folder / "train.csv", ["id", name], [[n, label] for n, label in enumerate(labels)])
    rows = [[900 + n, cell] for n, cell in enumerate(sample)]
    table(folder / "sample_submission.csv", ["id", name], rows)
    found = look(folder)
    where = known.learn(found)
    assert where is not None
    return goal.guess(found, where)


@pytest.mark.parametrize(
    ("labels", "sample", "task", "writer"),
    [
        (["a", "b", "c"] * 4, ["a"], "single-label", {"use": "scalar", "kind": "class"}),
        (["a b", "c d", "e f"] * 4, ["a b"], "single-label", {"use": "scalar", "kind": "class"}),
        (["a", "b", "c"] * 4, ["a b c"], "single-label", {"use": "joined", "top": 3}),
        (["a b", "b c", "a", "c"] * 4, ["a b"], "multi-label", None),
        (["0", "1", "2"] * 4, ["0"], "single-label", {"use": "scalar", "kind": "class"}),
        (["a", "b", "c"] * 4, ["0"], "single-label", {"use": "scalar", "kind": "index"}),
        (["1.5", "2.25", "3"] * 4, ["2"], "regression", None),
        (["10", "20", "35"] * 4, ["12.5"], "regression", None),
        (
            ["no", "yes"] * 4,
            ["0.5"],
            "single-label",
            {"use": "scalar", "kind": "probability", "positive": "yes"},
        ),
    ],
)
def test_one_column(
    tmp_path: Path, labels: list[str], sample: list[str], task: str, writer: object
) -> None:
    found = guess(tmp_path, labels, sample)
    assert found.task is not None
    assert (found.task["use"], found.writer) == (task, writer)


def test_grades_are_learned_as_numbers(tmp_path: Path) -> None:
    found = guess(tmp_path, ["0", "1", "2", "3"] * 3, ["0"], "severity_grade")
    assert found.task == {
        "use": "regression",
        "bounds": [0, 3],
        "metrics": ["quadratic_kappa", "mae"],
    }
    assert found.writer == {"use": "scalar", "kind": "number", "round": True}


def test_a_guess_of_the_positive_class_is_told(tmp_path: Path) -> None:
    found = guess(tmp_path, ["ham", "spam"] * 4, ["0.5"])
    assert found.writer == {"use": "scalar", "kind": "probability", "positive": "spam"}
    assert "'spam' is a guess, the other is 'ham'" in found.unknown[0]


@pytest.mark.parametrize(
    ("name", "labels", "told"),
    [("count", range(12), True), ("label", range(12), False), ("hotel_id", range(12), False)],
)
def test_whole_numbers_that_may_be_amounts(
    tmp_path: Path, name: str, labels: range, told: bool
) -> None:
    found = guess(tmp_path, [str(one) for one in labels] * 2, ["0"], name)
    assert found.task == {"use": "single-label"}
    assert ("whole numbers from 0 to 11 are taken for classes" in "".join(found.unknown)) is told


def test_sides_change_places() -> None:
    names = ["left_eye", "nose", "right_eye", "mouthLeft", "mouthRight"]
    assert goal._sides(names) == [["left_eye", "right_eye"], ["mouthLeft", "mouthRight"]]
    assert goal._sides(names[:2]) == []
    assert goal._sides(["0", "1"]) == []
