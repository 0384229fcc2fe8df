"""`kitbox submissions`."""

from __future__ import annotations

import json

from kaggle_client import AtKaggle
from kaggle_run import run


def row(ref: int, **changes: object) -> dict[str, object]:
    return {
        "ref": ref,
        "competition": "dogs",
        "date": "2026-11-20T10:11:12.130Z",
        "description": f"number {ref}",
        "fileName": "submission.csv",
        "status": "COMPLETE",
        "publicScore": f"0.{ref}",
        **changes,
    }


def test_lists_all_pages_with_their_runs(at_kaggle: AtKaggle) -> None:
    folder = run(at_kaggle)
    at_kaggle.server.scores = [{}]
    code = (
        "from kitbox.kaggle.submitting import submit\n"
        "from pathlib import Path; submit(Path('runs/first'), patience=0)"
    )
    assert at_kaggle.python(code).returncode == 0
    [mine] = at_kaggle.server.submissions
    assert mine["ref"] == 1000
    at_kaggle.server.submissions += [row(n) for n in range(2000, 2040)]
    mine |= {"status": "COMPLETE", "publicScore": "0.77", "privateScore": "0.66"}
    done = at_kaggle.kitbox("submissions")
    assert done.returncode == 0, done.stderr
    first, head, *lines = done.stdout.splitlines()
    assert first == "dogs: 41 submissions"
    assert head.split()[:4] == ["ref", "date", "status", "public"]
    assert [int(line.split()[0]) for line in lines] == [*range(2039, 1999, -1), 1000]
    assert lines[-1].split()[3:] == [
        *("complete", "0.77", "0.66", "submission.csv", "runs/first", "kitbox", "first")
    ]
    assert " - " in lines[0]
    # The score that came in since is in the run's folder now.
    [kept] = json.loads((folder / "submitted.json").read_text())["submissions"]
    assert (kept["status"], kept["public_score"]) == ("complete", "0.77")


def test_a_competition_by_name(at_kaggle: AtKaggle) -> None:
    run(at_kaggle)
    done = at_kaggle.kitbox("submissions", "dogs")
    assert done.stdout == "dogs: no submissions\n"
    why = "Wrong columns"
    at_kaggle.server.submissions = [row(1, status="ERROR", errorDescription=why, publicScore="")]
    done = at_kaggle.kitbox("submissions", "dogs", "--runs", "elsewhere")
    assert "error" in done.stdout
    assert why in done.stdout
    done = at_kaggle.kitbox("submissions", "cats")
    assert done.returncode == 2
    assert "404" in done.stderr


def test_nothing_was_handed_in(at_kaggle: AtKaggle) -> None:
    done = at_kaggle.kitbox("submissions")
    assert done.returncode == 2
    assert "kitbox submissions SLUG" in done.stderr
    assert at_kaggle.server.lines == []
