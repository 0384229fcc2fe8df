"""`kitbox report`; what it writes is tested in test_report.py."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from kitbox.cli import app


def test_it_says_what_it_does() -> None:
    told = CliRunner().invoke(app, ["report", "--help"])
    assert told.exit_code == 0
    assert "report.html" in told.output


def test_a_folder_without_a_run(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["report", str(tmp_path)])
    assert "holds no run" in str(done.exception)
