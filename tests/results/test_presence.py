"""Folders that are no run's, given to every command that takes one."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from kitbox.cli import app
from kitbox.errors import KitboxError, SubmissionError
from kitbox.results import presence
from kitbox.results.folder import RunFolder


@pytest.mark.parametrize(
    "command", [["report"], ["interpret"], ["predict", "a.jpg"], ["submit"], ["rerun"]]
)
def test_a_folder_that_is_not_there_is_said_with_its_neighbours(
    command: list[str], tmp_path: Path
) -> None:
    (tmp_path / "runs" / "flowers").mkdir(parents=True)
    name, *rest = command
    done = CliRunner().invoke(app, [name, str(tmp_path / "runs" / "flower"), *rest])
    assert isinstance(done.exception, KitboxError), done.output
    assert "no folder" in str(done.exception)
    assert "Did you mean 'flowers'?" in str(done.exception)
    assert "same command" not in str(done.exception)
    assert [one.name for one in (tmp_path / "runs").iterdir()] == ["flowers"]  # nothing is made


def test_a_file_and_a_folder(tmp_path: Path) -> None:
    presence.check(tmp_path)
    (tmp_path / "run").touch()
    with pytest.raises(SubmissionError, match="is a file, not the folder of a run"):
        presence.check(tmp_path / "run", SubmissionError)


def test_a_folder_of_something_else_and_a_run_that_has_not_ended(tmp_path: Path) -> None:
    with pytest.raises(KitboxError, match=r"holds no run: it has no run\.json"):
        RunFolder(tmp_path).ended()
    (tmp_path / "run.json").write_text('{"state": "failed", "name": "a", "at": "now"}')
    with pytest.raises(KitboxError, match=r"no finished run\. Found: 'a', failed, now\. .*again"):
        RunFolder(tmp_path).ended()
