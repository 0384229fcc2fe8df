"""Handing in a run's submission: checked, uploaded, its score waited for and kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kitbox.environment import cache_folder
from kitbox.errors import SourceError, SubmissionError
from kitbox.kaggle import handed_in, mounts
from kitbox.kaggle.client import Client
from kitbox.kaggle.handed_in import HandedIn
from kitbox.kaggle.things import SITE, Competition
from kitbox.progress import Progress
from kitbox.recipe import Recipe
from kitbox.recipe import read as read_recipe
from kitbox.results import presence
from kitbox.results.folder import RECIPE, SUBMISSION
from kitbox.writers.decoding import Reading
from kitbox.writers.verify import verify_file

FIRST_WAIT, LONGEST_WAIT = 1.0, 15.0  # seconds between two questions for the score
_NOTEBOOK = (
    "A code competition takes no files: submit the notebook at Kaggle. Elsewhere check the name, "
    "and that the competition still takes submissions"
)


def submit(
    run: Path,
    *,
    message: str | None = None,
    competition: str | None = None,
    again: bool = False,
    patience: float = 1800.0,
    progress: Progress | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> HandedIn:
    """Hand in the `submission.csv` of a run and wait for its score.

    Reference, status and score are kept in the run's `submitted.json`, from the
    moment that Kaggle has the file. A file that was handed in before is not
    handed in again; its score is waited for, if it was not known yet.

    Args:
        run: the run's folder.
        message: to stand at Kaggle; by default the recipe's name.
        competition: its name in the address; by default that of the recipe's source.
        again: hand in the same file once more.
        patience: seconds to wait for the score; where it comes later the status stays pending.
        progress: where to say what happens; by default standard output.
        sleep: waits some seconds.

    Raises:
        SubmissionError: when the file is not fit, the upload failed or Kaggle found fault with it.
        SourceError: when there is no key.
    """
    progress = progress or Progress()
    file = _file(run)
    recipe = read_recipe(run / RECIPE)
    slug = competition or _competition(recipe, run)
    _check(recipe, file, progress)
    if mounts.is_rerun():
        raise SubmissionError(
            "Nothing is handed in from a competition's rerun",
            do="Leave `submission.csv` in the working folder; Kaggle takes it from there",
        )
    client = Client(sleep=sleep)
    one = None if again else _before(run, slug, file)
    if one is None:
        _check_limits(client, slug, progress)
        one = _upload(client, slug, file, message or f"kitbox {recipe.name}")
        handed_in.keep(run, one)
        progress.say(f"{file} handed in to '{slug}', reference {one.ref}")
    else:
        progress.say(f"{file} was handed in to '{slug}' before, reference {one.ref}")
    if one.status == "pending":
        one = _wait(client, run, one, patience, progress, sleep)
    _report(one, progress)
    return one


def _file(run: Path) -> Path:
    presence.check(run, SubmissionError)
    file = run / SUBMISSION
    if not (run / RECIPE).is_file():
        raise SubmissionError(
            f"{run} is no run's folder: there is no {RECIPE} in it",
            do="Give the folder that `kitbox run` wrote, such as runs/flowers",
        )
    if not file.is_file() or not file.stat().st_size:
        raise SubmissionError(
            f"There is no {SUBMISSION} in {run}, or it is empty",
            do="Finish the run, with a `submission` in its recipe",
        )
    return file


def _competition(recipe: Recipe, run: Path) -> str:
    slug = getattr(recipe.source, "competition", None)
    if not slug:
        raise SubmissionError(
            f"The recipe of {run} does not say which competition it is for",
            do="Name it: kitbox submit RUN --competition SLUG, the last part of its address",
        )
    return str(slug)


def _check(recipe: Recipe, file: Path, progress: Progress) -> None:
    """Hold the file against the sample that the recipe names, where it is here."""
    if recipe.submission is None or recipe.submission.sample is None:
        return
    files = recipe.source.find(cache_folder())
    if files is None:
        progress.warn("the source's files are not here, so the sample submission is not looked at")
        return
    reading = Reading(relative=bool(getattr(recipe.submission.writer, "relative", False)))
    verdict = verify_file(file, files / recipe.submission.sample, reading)
    if verdict.faults:
        raise SubmissionError(
            f"{file} would be refused",
            found=" ".join(verdict.faults),
            do="Mend it, or run again; nothing was handed in",
        )


def _before(run: Path, slug: str, file: Path) -> HandedIn | None:
    """What is known of an earlier submission of the very file, unless it came to nothing."""
    digest = handed_in.digest(file)
    same = [o for o in handed_in.of(run) if (o.competition, o.sha256) == (slug, digest)]
    return same[-1] if same and same[-1].status != "error" else None


def _check_limits(client: Client, slug: str, progress: Progress) -> None:
    def request(api: Any) -> Mapping[str, Any]:
        with api.build_kaggle_client() as kaggle:
            service, method = "competitions.CompetitionApiService", "GetSubmissionLimits"
            return kaggle.http_client().call(service, method, _LimitsRequest(slug), _LimitsReply)

    try:
        limits = client.ask(f"the limits of '{slug}'", request)
    except SourceError as error:
        # Whether it can be handed in the upload will tell.
        progress.warn(f"how many submissions '{slug}' takes is not known: {error.found}")
        return
    left, today, total = (limits.get(name) for name in ("numAllowedNow", "numToday", "numTotal"))
    # An answer may leave zeros out, so one without any number says nothing.
    if not left and (today or total):
        ever = "at all" if limits.get("limitedByTotal") else "today"
        raise SubmissionError(
            f"'{slug}' takes no more submissions {ever}",
            found=f"{total or 0} in all, {today or 0} today",
            do="Choose among those handed in"
            if ever == "at all"
            else "Hand it in after midnight UTC",
        )
    if left:
        progress.say(f"'{slug}' takes {left} more now, this one included")


class _LimitsRequest:
    """Asks for the limits; the SDKs of Kaggle's image may have no class for it."""

    def __init__(self, slug: str) -> None:
        self._slug = slug

    def to_dict(self) -> dict[str, str]:
        return {"competitionName": self._slug}


class _LimitsReply:
    @staticmethod
    def prepare_from(reply: Any) -> Mapping[str, Any]:
        content = reply.json()
        return content if isinstance(content, dict) else {}


def _upload(client: Client, slug: str, file: Path, message: str) -> HandedIn:
    digest = handed_in.digest(file)

    def request(api: Any) -> tuple[Any, str]:
        return api.competition_submit(str(file), message, slug, quiet=True), api.upload_trouble

    done, trouble = client.ask(
        f"the submission to '{slug}'",
        request,
        hints=_hints(slug),
        error=SubmissionError,
        tries=1,  # a second try could use up a second submission
    )
    # The client returns a message where the upload failed, with no reference.
    if not done.ref:
        raise SubmissionError(
            f"The upload of {file} to '{slug}' failed; nothing was handed in",
            found=trouble or " ".join((done.message or "no reference in its answer").split()),
            do="Try again; `kitbox submissions` shows what Kaggle has",
        )
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    return HandedIn(slug, int(done.ref), now, message, digest)


def _wait(
    client: Client,
    run: Path,
    one: HandedIn,
    patience: float,
    progress: Progress,
    sleep: Callable[[float], object],
) -> HandedIn:
    """Ask for the score, ever less often, until it is there or patience ends."""

    def request(api: Any) -> Any:
        from kagglesdk.competitions.types import competition_api_service as types

        asked = types.ApiGetSubmissionRequest()
        asked.ref = one.ref
        with api.build_kaggle_client() as kaggle:
            return kaggle.competitions.competition_api_client.get_submission(asked)

    pause, waited = FIRST_WAIT, 0.0
    with progress.bar("waiting for the score, s", round(patience)) as step:
        while True:
            try:
                told = client.ask(f"the score of submission {one.ref}", request)
            except SourceError as error:
                raise SubmissionError(
                    f"Submission {one.ref} was handed in, but its score cannot be had: "
                    f"{error.wrong}",
                    found=error.found,
                    do="Run `kitbox submissions` later",
                ) from None
            one = handed_in.brought_up_to_date(one, told)
            if one.status != "pending" or waited >= patience:
                break
            sleep(pause)
            waited += pause
            step(round(waited) - round(waited - pause), note=one.status)
            pause = min(pause * 1.5, LONGEST_WAIT)
    handed_in.keep(run, one)
    return one


def _report(one: HandedIn, progress: Progress) -> None:
    if one.status == "error":
        raise SubmissionError(
            f"Kaggle could not score submission {one.ref} to '{one.competition}'",
            found=one.error or "no reason given",
            do="Mend the submission's shape, and hand it in again",
        )
    if one.status == "pending":
        progress.say("not scored yet; `kitbox submissions` will show the score")
        return
    private = f", private {one.private_score}" if one.private_score else ""
    progress.say(f"public score {one.public_score or 'not shown'}{private}")


def _hints(slug: str) -> Mapping[int, str]:
    rules = f"{SITE}/competitions/{slug}/rules"
    return {
        **Competition(slug).hints,
        400: _NOTEBOOK,
        403: f"Join the competition and accept its rules at {rules}, with the account of the key",
    }
