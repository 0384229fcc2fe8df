"""The list of submissions at Kaggle, with the runs that they came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kitbox.errors import SubmissionError
from kitbox.kaggle import handed_in
from kitbox.kaggle.client import Client
from kitbox.kaggle.things import Competition

_PAGES = 50
COLUMNS = ("ref", "date", "status", "public", "private", "file", "run", "message")


def listing(slug: str | None, runs: Path) -> list[str]:
    """The submissions of a competition as lines for a person, newest first.

    Scores that have come in since are written into the runs' `submitted.json`.

    Args:
        slug: the competition; by default every one that a run below `runs` was handed in to.
        runs: the folder that the runs lie in.

    Raises:
        SubmissionError: when no competition is named and no run was handed in.
    """
    known = {(one.competition, one.ref): (run, one) for run, one in handed_in.below(runs)}
    slugs = [slug] if slug else sorted({competition for competition, _ in known})
    if not slugs:
        raise SubmissionError(
            f"No run below {runs} was handed in",
            do="Name the competition: kitbox submissions SLUG",
        )
    client = Client()
    lines: list[str] = []
    for name in slugs:
        rows: list[tuple[str, ...]] = []
        for told in _all(client, name):
            run = None
            if (name, told.ref) in known:
                run, one = known[name, told.ref]
                if (now := handed_in.brought_up_to_date(one, told)) != one:
                    handed_in.keep(run, now)
            rows.append(_cells(told, run))
        lines += [f"{name}: {len(rows) or 'no'} submission{'' if len(rows) == 1 else 's'}"]
        lines += _table(rows) if rows else []
    return lines


def _all(client: Client, slug: str) -> Iterator[Any]:
    """Every submission, through all pages of the list."""
    token = ""
    for _ in range(_PAGES):

        def request(api: Any, token: str = token) -> Any:
            from kagglesdk.competitions.types import competition_api_service as types
            from kagglesdk.competitions.types.competition_enums import (
                SubmissionGroup,
                SubmissionSortBy,
            )

            asked = types.ApiListSubmissionsRequest()
            asked.competition_name, asked.page_token, asked.page_size = slug, token, 100
            asked.group = SubmissionGroup.SUBMISSION_GROUP_ALL
            asked.sort_by = SubmissionSortBy.SUBMISSION_SORT_BY_DATE
            with api.build_kaggle_client() as kaggle:
                return kaggle.competitions.competition_api_client.list_submissions(asked)

        hints = Competition(slug).hints
        page = client.ask(
            f"the submissions to '{slug}'", request, hints=hints, error=SubmissionError
        )
        yield from page.submissions or ()
        if not page.next_page_token or page.next_page_token == token:
            return
        token = page.next_page_token


def _cells(told: Any, run: Path | None) -> tuple[str, ...]:
    date = told.date.strftime("%Y-%m-%d %H:%M") if told.date else ""
    words = told.error_description or told.description or ""
    return (
        str(told.ref),
        date,
        told.status.name.lower(),
        told.public_score or "-",
        told.private_score or "-",
        told.file_name or "-",
        str(run) if run else "-",
        " ".join(words.split())[:60],
    )


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    whole = [COLUMNS, *rows]
    widths = [max(len(row[n]) for row in whole) for n in range(len(COLUMNS))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in whole
    ]
