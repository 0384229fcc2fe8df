"""Which contract tests are inherited."""

from __future__ import annotations

from pathlib import Path

import pytest

from kitbox.inherited import inherited


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from kitbox.testing import TaskTests\nclass TestA(TaskTests): ...", {"TaskTests"}),
        ("from kitbox.testing import TaskTests as T\nclass TestA(T): ...", {"TaskTests"}),
        ("import kitbox.testing as kt\nclass TestA(kt.TaskTests): ...", {"TaskTests"}),
        ("import kitbox.testing\nclass TestA(kitbox.testing.TaskTests): ...", {"TaskTests"}),
        ("from kitbox import testing\nclass TestA(testing.TaskTests): ...", {"TaskTests"}),
        (
            "from kitbox.testing import TaskTests\nclass TestA(TaskTests[int]): ...",
            {"TaskTests"},
        ),
        (
            "from kitbox.testing import TaskTests\nclass Base(TaskTests): ...\n"
            "class TestA(Base): ...",
            {"TaskTests"},
        ),
        ("from helper import Base\nclass TestA(Base): ...", {"WriterTests"}),
        # What only looks like it.
        ("from kitbox.testing import TaskTests\n# class TestA(TaskTests)", set()),
        ("class TaskTests: ...\nclass TestA(TaskTests): ...", set()),
        ("from other import TaskTests\nclass TestA(TaskTests): ...", set()),
        ("from kitbox.testing import TaskTests\nclass Tasks(TaskTests): ...", set()),
        (
            "from kitbox.testing import TaskTests\nclass TestA(TaskTests):\n    __test__ = False",
            set(),
        ),
        ("from kitbox.testing import TaskTests\nclass TestA(:", set()),
    ],
)
def test_classes(text: str, found: set[str], tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(text)
    (tmp_path / "helper.py").write_text(
        "from kitbox.testing import WriterTests\nclass Base(WriterTests): ..."
    )
    assert inherited(sorted(tmp_path.glob("*.py"))) == found


@pytest.mark.parametrize(("name", "seen"), [("a_test.py", True), ("tests.py", False)])
def test_files(name: str, seen: bool, tmp_path: Path) -> None:
    """pytest looks at files of some names only."""
    text = "from kitbox.testing import TaskTests\nclass TestA(TaskTests): ..."
    (tmp_path / name).write_text(text)
    assert bool(inherited([tmp_path / name])) == seen
