from __future__ import annotations

from contextlib import contextmanager

import pytest

from kitbox import progress
from kitbox.sources import showing


@pytest.fixture
def bars(monkeypatch):
    made = []

    @contextmanager
    def bar(self, what, total):
        made.append([what, total])
        yield lambda n=1, note="": made[-1].append(n)
        made[-1].append("closed")

    monkeypatch.setattr(progress.Progress, "bar", bar)
    return made


def test_megabytes_that_add_up(bars):
    with showing.bar("PETS") as report:
        for done in (1, 1_000_000, 1_500_000, 2_999_999, 3_100_000):
            report(done, 3_100_000)
    assert bars == [["PETS, MB", 4, 1, 1, 2, "closed"]]


def test_a_download_that_starts_over_stands_still(bars):
    with showing.bar("a") as report:
        for done in (5_000_000, 1_000_000, 5_500_000, 6_000_000, 9_000_000):
            report(done, 9_000_000)
    assert bars == [["a, MB", 9, 5, 1, 3, "closed"]]


def test_no_bar_without_a_whole(bars):
    with showing.bar("a") as report:
        report(5, None)
    assert bars == []


def test_lines_in_a_log_file(monkeypatch, capsys):
    monkeypatch.setattr(progress, "LOG_EVERY", -1.0)
    with showing.bar("PETS") as report:
        report(2_000_000, 9_000_000)
    assert "PETS, MB: 2 of 9" in capsys.readouterr().out
