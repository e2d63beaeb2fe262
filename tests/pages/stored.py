"""What the database holds behind the pages, and how to change it behind their back."""

from typing import Any

from tests.pages.browsing import Browser, Page
from tests.rules.mail import Rows, by_hand, rows_now

# Where a form must never lead to.
ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "javascript:alert(1)",
    "/logout",
    "/users\nX: y",
]


def put(browser: Browser, *rows: Any) -> None:
    """Rows as the operator inserts them, while the panel runs."""
    with browser.client.application.app_context():
        by_hand(*rows)


def stored(browser: Browser) -> Rows:
    """All rows of the mail tables."""
    with browser.client.application.app_context():
        return rows_now()


def row_of(page: Page, text: str) -> str:
    """The HTML of the one table row with this text."""
    (found,) = [row for row in page.html.split("<tr>")[1:] if text in row]
    return found.partition("</tr>")[0]


def rows_of(page: Page) -> list[str]:
    """The ids of the rows of a list, in their order."""
    return [name.removeprefix("row-") for name in page.ids if name.startswith("row-")]
