"""docs/troubleshooting.md has the sentences that the code says, and no others."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from postmaster import database_faults, examining, logfile, revisions
from postmaster.db import AWAY, BUSY, MIXED_COLLATIONS, NO_CONNECTION, NOT_PREPARED
from postmaster.errors import fill
from postmaster.rules.checkup import accounts, installation

PAGE = (Path(__file__).parent.parent / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
ACCOUNT = "'postmaster'@'127.0.0.1'"
EXAMPLES: dict[str, Any] = {
    "account": ACCOUNT,
    "rights": "SELECT",
    "revision": "4b9e07d6c8f1",
    "tables": "postmaster_history",
    "differences": "",
}
FILE = "/opt/postmaster/mail.sqlite3"
FULL = "No space left on device"


def said() -> Iterator[str]:
    """Every sentence about an installation that is wrong, with examples for its names."""
    for code, fault in database_faults.MYSQL.items():
        for sentence in (fault.sentence, fault.in_full):
            yield fill(sentence, EXAMPLES | {"code": code, "database": "servermail"})
    for fault in database_faults.SQLITE.values():
        for sentence in (fault.sentence, fault.in_full):
            yield fill(sentence, EXAMPLES | {"database": FILE})
    for sentence in (
        *(revisions.OLDER, revisions.NEWER, revisions.INCOMPLETE),
        *(examining.EMPTY, examining.ADOPTABLE, examining.CLASHES, NOT_PREPARED),
        *(AWAY, BUSY, NO_CONNECTION),
    ):
        yield fill(sentence, EXAMPLES)
    yield fill(MIXED_COLLATIONS, {"code": 1267})
    for kind in (*installation.REFUSING, *installation.CLOCKS, installation.LOG_UNWRITABLE):
        yield kind.what
    yield accounts.DATABASE_LESS.what
    yield f"The log /opt/postmaster/logs/postmaster.log cannot be written: {FULL}."
    yield logfile.told(logfile.Losses(2, FULL))


SAID = list(said())
SEEN = [
    sentence
    for row in PAGE.splitlines()
    if row.startswith("| `") and "{" not in row
    for sentence in re.findall(r"`([^`]+)`", row.split(" | ")[0])
]


def without_code(sentence: str) -> str:
    """Several errors of the server mean the same; the page shows the number of one."""
    return re.sub(r"error \d+", "error", sentence)


@pytest.mark.parametrize("sentence", SEEN)
def test_what_the_page_shows_is_said(sentence: str) -> None:
    assert any(one.startswith(sentence) for one in SAID)


@pytest.mark.parametrize("sentence", sorted({*map(without_code, SAID)}))
def test_what_is_said_is_on_the_page(sentence: str) -> None:
    assert any(sentence.startswith(without_code(one)) for one in SEEN)
