"""What a browser and the server say to each other: watched, counted, weighed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response, WebError

from tests.browser import chromium

SECONDS_TO_FINISH = 15
WITHOUT_HOST = ("data:", "blob:", "about:")
# What a page is made of: none of it may be missing.
PARTS = {"stylesheet", "script", "image", "font"}
# Chromium's console line for a refused request; the answer's status is judged instead.
REFUSED_REQUEST = "Failed to load resource: the server responded with a status of"

_REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => reportViolation(
  `${event.effectiveDirective} refused ${event.blockedURI || "inline"} on ${event.documentURI}`
  + ` (${event.sourceFile || "the page"}:${event.lineNumber} ${event.sample})`));
"""


class Watch:
    """All that happens in one browser context, and what of it is a fault."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.url = url
        self.requests: list[Request] = []
        self.faults: list[str] = []
        self.expected_statuses: set[int] = set()
        context.on("request", self._requested)
        context.on("response", self._answered)
        context.on("console", self._said)
        context.on("weberror", self._failed)
        context.expose_binding("reportViolation", self._violated)
        context.add_init_script(_REPORT_VIOLATIONS)
        _watches[context] = self

    def expect_status(self, *statuses: int) -> None:
        """Say that the test provokes these (503, say), so that they are no fault."""
        self.expected_statuses |= set(statuses)

    @property
    def documents(self) -> int:
        """How many pages were loaded as a whole; a redirect belongs to its page."""
        return sum(
            request.resource_type == "document" and request.redirected_from is None
            for request in self.requests
        )

    def judge(self) -> None:
        """Fail if anything happened that may not happen on any page."""
        assert not self.faults, "While the test used the pages:\n- " + "\n- ".join(self.faults)

    def _requested(self, request: Request) -> None:
        self.requests.append(request)
        if not request.url.startswith((f"{self.url}/", *WITHOUT_HOST)):
            self.faults.append(
                f"A request left the site: {request.method} {request.url} "
                f"({request.resource_type}). Serve it from here"
            )

    def _answered(self, response: Response) -> None:
        status, request = response.status, response.request
        if status in self.expected_statuses:
            return
        if status >= 500:
            self.faults.append(f"The server failed: {request.method} {response.url} is {status}")
        elif status >= 400 and request.resource_type in PARTS:
            self.faults.append(
                f"A part of the page is missing: the {request.resource_type} "
                f"{response.url} is {status}"
            )

    def _said(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.faults.append(f"The Content-Security-Policy was violated: {message.text}")
        elif message.type == "error" and not message.text.startswith(REFUSED_REQUEST):
            self.faults.append(f"An error in the console: {message.text} ({message.location})")

    def _failed(self, error: WebError) -> None:
        self.faults.append(f"JavaScript stopped with an error: {error.error}")

    def _violated(self, _source: Any, what: str) -> None:
        self.faults.append(f"The Content-Security-Policy was violated: {what}")


_watches: dict[BrowserContext, Watch] = {}


def watch_of(page: Page) -> Watch:
    """The watch over this page's browser."""
    return _watches[page.context]


def forget(context: BrowserContext) -> None:
    """The context is closed."""
    _watches.pop(context, None)


def full_page_loads(page: Page) -> int:
    """How many pages this browser has loaded as a whole, until now."""
    return watch_of(page).documents


@contextmanager
def without_page_load(page: Page) -> Iterator[None]:
    """Fail if what the test does in this block loads a page as a whole."""
    before = full_page_loads(page)
    yield
    loads = full_page_loads(page) - before
    assert loads == 0, f"{page.url}: {loads} full page loads where there should be none"


# --- how much comes over the line ----------------------------------------------


@dataclass
class Transfer:
    """What came over the line: each address with its bytes, compressed, with headers."""

    parts: list[tuple[str, int]] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return len(self.parts)

    @property
    def bytes(self) -> int:
        return sum(size for _url, size in self.parts)

    def __str__(self) -> str:
        lines = [f"{size:8} {url}" for url, size in sorted(self.parts, key=lambda part: -part[1])]
        return "\n".join([f"{self.requests} requests, {self.bytes} bytes", *lines])


@contextmanager
def weighed(page: Page) -> Iterator[Transfer]:
    """Everything that this page fetches in the block; the block's end waits for it.

    Except its icon, which Chromium fetches sooner or later, as it likes.
    """
    transfer = Transfer()
    open_requests: dict[str, str] = {}

    def begun(event: dict[str, Any]) -> None:
        if "redirectResponse" in event:
            answer = event["redirectResponse"]
            transfer.parts.append((answer["url"], int(answer["encodedDataLength"])))
        if not event["request"]["url"].startswith(WITHOUT_HOST):
            open_requests[event["requestId"]] = event["request"]["url"]

    def ended(event: dict[str, Any]) -> None:
        url = open_requests.pop(event["requestId"], None)
        if url is not None:
            transfer.parts.append((url, int(event.get("encodedDataLength", 0))))

    session = page.context.new_cdp_session(page)
    session.on("Network.requestWillBeSent", begun)
    session.on("Network.loadingFinished", ended)
    session.on("Network.loadingFailed", ended)
    session.send("Network.enable")
    yield transfer
    deadline = time.monotonic() + SECONDS_TO_FINISH
    page.wait_for_timeout(1)  # lets the events come in
    while open_requests:
        assert time.monotonic() < deadline, f"Still loading: {list(open_requests.values())}"
        page.wait_for_timeout(10)
    session.detach()
    icons = _icons(page)
    transfer.parts = [part for part in transfer.parts if part[0] not in icons]


def _icons(page: Page) -> set[str]:
    return set(
        page.eval_on_selector_all("link[rel~=icon]", "(links) => links.map((it) => it.href)")
    )


def transferred(page: Page, path: str) -> Transfer:
    """What a first visit to this path fetches, the icon too: with the page's cookies, but
    an empty cache.
    """
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(storage_state=page.context.storage_state())
    context.set_default_timeout(chromium.SECONDS_TO_WAIT * 1000)
    try:
        visitor = context.new_page()
        with weighed(visitor) as transfer:
            visitor.goto(f"{watch_of(page).url}{path}", wait_until="networkidle")
        for icon in sorted(_icons(visitor)):
            transfer.parts.append((icon, len(context.request.get(icon).body())))
        return transfer
    finally:
        context.close()
