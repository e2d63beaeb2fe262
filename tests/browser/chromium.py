"""Debian's Chromium, driven by Playwright; never a browser that Playwright downloads."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.looks import Look
from tests.mariadb import program

FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # What leaves this machine fails at once; the tests then say what it was.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
SECONDS_TO_WAIT = 15


@contextmanager
def running() -> Iterator[Browser]:
    """The browser with a new profile, until the block ends."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program("chromium"),
            args=list(FLAGS),
            # Chromium has no sandbox for root.
            chromium_sandbox=os.geteuid() != 0,
        )
        try:
            yield browser
        finally:
            browser.close()


def new_context(browser: Browser, look: Look, url: str) -> BrowserContext:
    """A browser of its own: no cookies, nothing in the cache."""
    context = browser.new_context(
        base_url=url,
        java_script_enabled=look.javascript,
        color_scheme="dark" if look.colours == "dark" else "light",
        viewport={"width": look.width, "height": look.height},
        locale=look.language,
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",  # a colour half-way through its change is no colour to judge
    )
    context.set_default_timeout(SECONDS_TO_WAIT * 1000)
    return context
