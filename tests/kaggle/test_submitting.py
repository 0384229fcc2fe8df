"""`kitbox submit`, with the real client against a server that speaks Kaggle's protocol."""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import yaml
from kaggle_client import AtKaggle
from kaggle_run import SUBMISSION, run
from kaggle_server import No
from results import SMALL

COMPLETE = {"status": "COMPLETE", "publicScore": "0.98765"}


def kept(folder: Path) -> list[dict[str, Any]]:
    return list(json.loads((folder / "submitted.json").read_text())["submissions"])


def refused(at_kaggle: AtKaggle, *args: object) -> str:
    """What `kitbox submit` says where it fails by no bug."""
    done = at_kaggle.kitbox("submit", *args)
    assert done.returncode == 2, done.stderr + done.stdout
    assert done.stderr.startswith("kitbox: ")
    assert "Traceback" not in done.stderr
    assert "\n\n" not in done.stderr.strip()
    return done.stderr


def test_a_score_that_takes_its_time(at_kaggle: AtKaggle) -> None:
    folder = run(at_kaggle)
    at_kaggle.server.scores = [{}, {}, {**COMPLETE, "privateScore": "0.5"}]
    done = at_kaggle.kitbox("submit", "runs/first")
    assert done.returncode == 0, done.stderr
    assert "public score 0.98765, private 0.5" in done.stdout
    [uploaded] = at_kaggle.server.uploads.values()
    assert uploaded == SUBMISSION.encode()
    assert at_kaggle.server.count("GetSubmission") == 3
    assert at_kaggle.server.submissions[0]["description"] == "kitbox first"
    [row] = kept(folder)
    assert (row["ref"], row["status"], row["competition"]) == (1000, "complete", "dogs")
    assert (row["public_score"], row["private_score"]) == ("0.98765", "0.5")


def test_message_and_competition_can_be_given(at_kaggle: AtKaggle) -> None:
    folder = run(at_kaggle, source={"use": "digits"}, submission=None)
    said = refused(at_kaggle, "runs/first")
    assert "--competition" in said
    at_kaggle.server.scores = [COMPLETE]
    args = ("--competition", "dogs", "--message", "with more care")
    done = at_kaggle.kitbox("submit", "runs/first", *args)
    assert done.returncode == 0, done.stderr
    assert at_kaggle.server.submissions[0]["description"] == "with more care"
    assert kept(folder)[0]["message"] == "with more care"


def test_a_score_that_is_an_error(at_kaggle: AtKaggle) -> None:
    folder = run(at_kaggle)
    why = "Submission must have 2 rows"
    at_kaggle.server.scores = [{}, {"status": "ERROR", "errorDescription": why}]
    assert why in refused(at_kaggle, "runs/first")
    assert [(row["status"], row["error"]) for row in kept(folder)] == [("error", why)]
    # It came to nothing, so the same file may be handed in again.
    at_kaggle.server.scores = [COMPLETE]
    assert at_kaggle.kitbox("submit", "runs/first").returncode == 0
    assert [row["status"] for row in kept(folder)] == ["error", "complete"]


@pytest.mark.parametrize("status", [400, 403, 503])
def test_an_upload_that_fails_is_an_error(at_kaggle: AtKaggle, status: int) -> None:
    folder = run(at_kaggle)
    at_kaggle.server.upload_status = status
    said = refused(at_kaggle, "runs/first")
    assert "nothing was handed in" in said
    assert f"the storage answered {status} {HTTPStatus(status).phrase}" in said
    assert at_kaggle.server.submissions == []
    assert not (folder / "submitted.json").exists()


def test_an_upload_that_stalls_ends(at_kaggle: AtKaggle) -> None:
    run(at_kaggle)
    at_kaggle.server.upload_takes = 3
    code = (
        "import time, kitbox.kaggle.client as client\n"
        "from kitbox.errors import SubmissionError\n"
        "from kitbox.kaggle.submitting import submit\n"
        "from pathlib import Path\n"
        "client._TIMEOUT = (0.5, 0.5)\n"
        "try: submit(Path('runs/first'))\n"
        "except SubmissionError as error: print(error)"
    )
    done = at_kaggle.python(code)
    assert "nothing was handed in. Found: the connection failed (TimeoutError)" in done.stdout
    assert at_kaggle.server.submissions == []


def test_a_file_is_handed_in_once(at_kaggle: AtKaggle) -> None:
    folder = run(at_kaggle)
    at_kaggle.server.scores = [COMPLETE]
    assert at_kaggle.kitbox("submit", "runs/first").returncode == 0
    done = at_kaggle.kitbox("submit", "runs/first")
    assert "was handed in to 'dogs' before, reference 1000" in done.stdout
    assert "public score 0.98765" in done.stdout
    assert len(at_kaggle.server.submissions) == 1
    at_kaggle.server.scores = [COMPLETE]
    assert at_kaggle.kitbox("submit", "runs/first", "--again").returncode == 0
    (folder / "submission.csv").write_text("id,label\nb,0.5\nc,0.5\n")
    at_kaggle.server.scores = [COMPLETE]
    assert at_kaggle.kitbox("submit", "runs/first").returncode == 0
    assert [row["ref"] for row in kept(folder)] == [1000, 1001, 1002]


def test_a_wait_that_was_cut_short_goes_on(at_kaggle: AtKaggle) -> None:
    folder = run(at_kaggle)
    code = (
        "import os, time; time.sleep = lambda s: os._exit(7)\n"
        "from kitbox.kaggle.submitting import submit\n"
        "from pathlib import Path; submit(Path('runs/first'))"
    )
    assert at_kaggle.python(code).returncode == 7
    assert kept(folder)[0]["status"] == "pending"
    at_kaggle.server.scores = [COMPLETE]
    assert at_kaggle.kitbox("submit", "runs/first").returncode == 0
    assert kept(folder)[0]["public_score"] == "0.98765"
    assert len(at_kaggle.server.submissions) == 1


def test_patience_ends(at_kaggle: AtKaggle) -> None:
    folder = run(at_kaggle)
    code = (
        "from kitbox.kaggle.submitting import submit\n"
        "from pathlib import Path; naps = []\n"
        "one = submit(Path('runs/first'), patience=100, sleep=naps.append)\n"
        "print(one.status, naps[:3], max(naps), 100 <= sum(naps) < 120)"
    )
    done = at_kaggle.python(code)
    assert "not scored yet" in done.stdout
    assert done.stdout.splitlines()[-1] == "pending [1.0, 1.5, 2.25] 15.0 True"
    assert kept(folder)[0]["status"] == "pending"


def test_a_score_that_cannot_be_had(at_kaggle: AtKaggle) -> None:
    folder = run(at_kaggle)
    at_kaggle.server.faults["GetSubmission"] = [No(403, "no")]
    said = refused(at_kaggle, "runs/first")
    assert "Submission 1000 was handed in" in said
    assert "kitbox submissions" in said
    assert kept(folder)[0]["ref"] == 1000


def test_a_file_that_does_not_fit_the_sample_stays_here(at_kaggle: AtKaggle) -> None:
    folder = run(at_kaggle)
    at_kaggle.fetch(competition="dogs")
    (folder / "submission.csv").write_text("id,label\nb,0.5\n")
    assert "1 id of the sample missing (c)" in refused(at_kaggle, "runs/first")
    (folder / "submission.csv").write_text("id,label\nb,\nc,1\n")
    assert "empty" in refused(at_kaggle, "runs/first")
    (folder / "submission.csv").write_text("id,lable\nb,0\nc,1\n")
    assert "'lable'" in refused(at_kaggle, "runs/first")
    assert at_kaggle.server.count("StartSubmissionUpload") == 0
    (folder / "submission.csv").write_text(SUBMISSION)
    at_kaggle.server.scores = [COMPLETE]
    assert at_kaggle.kitbox("submit", "runs/first").returncode == 0


def test_limits(at_kaggle: AtKaggle) -> None:
    run(at_kaggle)
    dogs = at_kaggle.server.competitions["dogs"]
    dogs.left, dogs.today = 0, 5
    assert "no more submissions today. Found: 5 in all" in refused(at_kaggle, "runs/first")
    dogs.limited_by_total = True
    assert "no more submissions at all" in refused(at_kaggle, "runs/first")
    assert at_kaggle.server.count("StartSubmissionUpload") == 0
    # An answer that says nothing is no refusal.
    dogs.today, dogs.limited_by_total = 0, False
    at_kaggle.server.scores = [COMPLETE]
    assert at_kaggle.kitbox("submit", "runs/first").returncode == 0


@pytest.mark.parametrize("status", [404, 500])
def test_limits_that_cannot_be_had_stop_nothing(at_kaggle: AtKaggle, status: int) -> None:
    run(at_kaggle)
    at_kaggle.server.faults["GetSubmissionLimits"] = [No(status, "no such method")] * 3
    at_kaggle.server.scores = [COMPLETE]
    done = at_kaggle.kitbox("submit", "runs/first")
    assert done.returncode == 0, done.stderr
    assert f"is not known: {status} no such method" in done.stdout
    assert "public score 0.98765" in done.stdout


def test_kaggles_refusals(at_kaggle: AtKaggle) -> None:
    run(at_kaggle)
    dogs = at_kaggle.server.competitions["dogs"]
    dogs.joined = False
    assert "https://www.kaggle.com/competitions/dogs/rules" in refused(at_kaggle, "runs/first")
    dogs.joined, dogs.notebooks_only = True, True
    assert "submit the notebook" in refused(at_kaggle, "runs/first")
    assert at_kaggle.server.count("CreateSubmission") == 1
    assert "404" in refused(at_kaggle, "runs/first", "--competition", "dgos")
    at_kaggle.variables = {}
    assert "There is no key" in refused(at_kaggle, "runs/first")
    at_kaggle.variables = {"KAGGLE_API_TOKEN": "KGAT_wrong_wrong_wrong"}
    assert "none of the keys" in refused(at_kaggle, "runs/first")


def test_a_submission_is_never_tried_twice_by_itself(at_kaggle: AtKaggle) -> None:
    folder = run(at_kaggle)
    at_kaggle.server.faults["CreateSubmission"] = [No(503, "busy")]
    assert "503 busy" in refused(at_kaggle, "runs/first")
    assert at_kaggle.server.count("CreateSubmission") == 1
    assert not (folder / "submitted.json").exists()


def test_folders_that_hold_no_submission(at_kaggle: AtKaggle) -> None:
    folder = run(at_kaggle)
    assert "no run's folder" in refused(at_kaggle, "runs")
    (folder / "submission.csv").write_text("")
    assert "is empty" in refused(at_kaggle, "runs/first")
    (folder / "submission.csv").write_text(SUBMISSION)
    at_kaggle.variables["KAGGLE_IS_COMPETITION_RERUN"] = "1"
    assert "rerun" in refused(at_kaggle, "runs/first")
    assert at_kaggle.server.lines == []


def test_from_the_competitions_data_to_its_score(at_kaggle: AtKaggle, tmp_path: Path) -> None:
    """The whole way: pictures from Kaggle, a trained model, a score."""
    from kitbox.sources.digits import Digits

    digits = Digits(pictures=100).fetch(tmp_path / "digits")
    files = {
        path.relative_to(digits).as_posix(): path.read_bytes()
        for path in sorted(digits.rglob("*"))
        if path.is_file()
    }
    run(at_kaggle)
    at_kaggle.server.competitions["dogs"].files = files
    recipe = {**SMALL, "source": {"use": "kaggle", "competition": "dogs"}}
    (at_kaggle.folder / "mine.yaml").write_text(yaml.safe_dump(recipe))
    done = at_kaggle.kitbox("run", "mine.yaml", "--out", "runs/mine")
    assert done.returncode == 0, done.stderr
    at_kaggle.server.scores = [COMPLETE]
    done = at_kaggle.kitbox("submit", "runs/mine")
    assert done.returncode == 0, done.stderr
    made = (at_kaggle.folder / "runs/mine/submission.csv").read_bytes()
    assert at_kaggle.server.submissions[0]["content"] == made
    assert made.count(b"\n") == files["sample_submission.csv"].count(b"\n") == 18
