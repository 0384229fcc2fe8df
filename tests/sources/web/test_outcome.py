from __future__ import annotations

from pathlib import Path

import pytest

from kitbox.errors import SourceError
from kitbox.sources.web.manifest import Row
from kitbox.sources.web.outcome import check, tell


def row(label, status, reason="", file=None):
    file = f"{label}/x.jpg" if file is None and status == "ok" else file or ""
    return Row("http://a", label, file, status, reason, 1, 1, 1, 1)


def rows(ok, failed):
    return [row("x", "ok")] * ok + [row("x", "failed", "404")] * failed


def test_too_few_is_an_error_that_says_why(capsys):
    check(rows(5, 5), Path("m.csv"), 0.5)
    check(rows(1, 99), Path("m.csv"), 0)
    with pytest.raises(SourceError, match=r"4 of 10 .* 0\.5 .*404 \(6\).*m\.csv.*`least`"):
        check(rows(4, 6), Path("m.csv"), 0.5)
    with pytest.raises(SourceError, match="0 of 3"):
        check(rows(0, 3), Path("m.csv"), 0)


def test_a_class_without_a_picture_is_an_error():
    many = [*rows(9, 0), row("y", "failed", "gone")]
    with pytest.raises(SourceError, match=r"classes have no picture: y.*gone"):
        check(many, Path("m.csv"), 0.5)
    check(many, Path("m.csv"), 0)
    aside = [*rows(9, 0), row("y", "duplicate", "of x/x.jpg", ".duplicates/y/z.jpg")]
    with pytest.raises(SourceError, match="copies of pictures in other classes"):
        check(aside, Path("m.csv"), 0.5)


def test_what_is_told(capsys):
    clash = row("y", "duplicate", "of x/x.jpg, which is of another class", ".duplicates/y/z.jpg")
    tell([*rows(2, 1), clash], Path("m.csv"), "the room was used up")
    assert "not all addresses" not in capsys.readouterr().out
    tell([*rows(2, 1), clash, row("y", "not-asked")], Path("m.csv"), "the time was up")
    said = capsys.readouterr().out
    assert "2 ok, 1 failed, 1 duplicate, 1 not-asked; each with its reason in m.csv" in said
    assert "not all addresses were asked for: the time was up" in said
    assert "1 pictures are copies of one in another class" in said
    tell(rows(2, 1), Path("m.csv"), "")
    assert capsys.readouterr().out.count("\n") == 1


def test_a_proxy_that_is_not_used_is_named(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for proxy in (None, "http://proxy.example:3128"):
        if proxy:
            monkeypatch.setenv("https_proxy", proxy)
        with pytest.raises(SourceError) as caught:
            check(rows(0, 3), Path("m.csv"), 0.5)
        assert ("proxy of this environment is not used" in str(caught.value)) == bool(proxy)
        assert "proxy.example" not in str(caught.value)
