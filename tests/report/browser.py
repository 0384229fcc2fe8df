"""A real browser, where there is one: Debian's `chromium`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no chromium here (apt install it)")
QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@contextmanager
def opened(file: Path, **options: Any) -> Iterator[tuple[Page, list[str]]]:
    """A page of the browser with a file, and what went wrong or was asked of a network."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=BROWSER, args=QUIET)
        page = browser.new_context(**options).new_page()
        troubles: list[str] = []
        page.on("console", lambda told: troubles.append(f"{told.type}: {told.text}"))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("requestfailed", lambda request: troubles.append(f"failed: {request.url[:80]}"))

        def asked(request: Any) -> None:
            if not request.url.startswith(("file:", "data:")):
                troubles.append(f"asked for {request.url[:80]}")

        page.on("request", asked)
        page.goto(file.as_uri())
        yield page, troubles
        browser.close()
