"""What the database holds behind the pages, and how to change it behind their back."""

from typing import Any

from sqlalchemy import select

from postmaster.db import db
from postmaster.models import Alias
from tests.pages.browsing import Browser, Page
from tests.rules.mail import Rows, by_hand, rows_now

# Mailboxes of tests/rules/mail.py.
ANA, BOB, DORA, EVA = "ana@one.example", "bob@one.example", "dora@two.example", "eva@two.example"
# A domain as people read it, and as mail arrives with it.
IDN = "bücher.example"
A_LABEL = "xn--bcher-kva.example"
# A character that the guides' utf8 cannot hold.
EMOJI = "\U0001f600"
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


def leads_to(browser: Browser, source: str) -> list[str]:
    """The destinations of an alias, as they were made."""
    with browser.client.application.app_context():
        found = select(Alias.destination).where(Alias.source == source).order_by(Alias.id)
        return list(db.session.scalars(found))
