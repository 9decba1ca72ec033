"""A real browser against a real service; skipped without Chromium."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

CHROMIUM: Final = Path("/usr/bin/chromium")
PATIENCE_MS: Final = 20_000
"""Timeout of events due soon; generous, for a busy machine."""


class Tab:
    """A page of the browser, its errors and its requests."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def wait_for_status(self, text: str) -> None:
        """Wait until the line beside the figures has *text*."""
        expect(self.page.get_by_role("status")).to_contain_text(text, timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, without a window.

    Not for the session: while it is open its event loop runs, and no other can start.
    """
    if not CHROMIUM.exists():
        pytest.skip(f"no {CHROMIUM}: run .ci/prepare-browser")
    with sync_playwright() as playwright:
        # Root cannot have Chromium's sandbox; the pages are the service's.
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, chromium_sandbox=os.geteuid() != 0
        )
        yield browser
        browser.close()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Any]:
    """Open tabs with options; they close with the test."""
    with contextlib.ExitStack() as stack:

        def open_one(**options: Any) -> Tab:
            context: BrowserContext = browser.new_context(**options)
            stack.callback(context.close)
            return Tab(context.new_page())

        yield open_one
