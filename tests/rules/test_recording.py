"""What the database copies into the history is what would be written row by row."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from postmaster.db import db
from postmaster.models import Alias, HistoryEntry, HistorySecret, Note, Suspension, User
from postmaster.rules import aliases, domains, mail_tables, suspensions, undo, users
from postmaster.rules.history import Change
from postmaster.rules.suspensions import MARKER
from tests.rules.mail import HASH, by_hand, fill, newest, rows_now

Do = Callable[..., Any]
# Names whose order a collation sees otherwise than Python, and users in every state.
USERS = (
    (31, "b_c@one.example", HASH),
    (32, "bc@one.example", HASH),
    (33, "B.C@one.example", HASH),
    (34, "!away@one.example", MARKER),
    (35, "quiet@one.example", MARKER),
    (36, "lost@one.example", MARKER),
)
KEPT = ((34, "away@one.example", "kept 34"), (35, "Quiet@one.example", "kept 35"))
OTHERS = ((36, "other@one.example", "not its own"),)
SOURCES = ("b_c@one.example", "bc@one.example", "B.C@one.example", 'q"\\uote@one.example')


@pytest.fixture(autouse=True)
def filled(context: None) -> Iterator[None]:
    fill()
    by_hand(
        *(User(id=n, domain_id=1, email=email, password=hashed) for n, email, hashed in USERS),
        *(Suspension(user_id=n, email=email, password=kept) for n, email, kept in KEPT + OTHERS),
        *(Alias(domain_id=1, source=name, destination="far@away.example") for name in SOURCES),
        Note(kind="user", name="away@one.example", text="On leave"),
        Note(kind="alias", name="team@one.example", text="Everybody"),
        Note(kind="domain", name="one.example", text="The first"),
    )
    yield


def expected() -> list[Change]:
    """As one by one, in the order of the question."""
    session = db.session()
    mailboxes = list(session.scalars(select(User).where(User.domain_id == 1)))
    mailboxes.sort(key=lambda user: suspensions.address_of(user).lower())
    hashes = suspensions.hashes_of(session, mailboxes)
    own = list(session.scalars(select(Alias).where(Alias.domain_id == 1)))
    own.sort(key=lambda alias: (alias.source.lower(), alias.id))
    found = [users.as_removed(user, hashes[user.id]) for user in mailboxes]
    return found + [aliases.as_removed(alias) for alias in own]


def written(head_id: int) -> list[Change]:
    """What the history has of it, without the notes and what is elsewhere."""
    secrets = select(HistorySecret.password).where(HistorySecret.entry_id == HistoryEntry.id)
    found = select(HistoryEntry, secrets.scalar_subquery()).where(
        HistoryEntry.part_of == head_id, HistoryEntry.kind != "note"
    )
    return [
        Change(e.action, e.kind, e.object_id, e.object_name, e.old, e.new, hashed)  # type: ignore[arg-type]
        for e, hashed in db.session.execute(found.order_by(HistoryEntry.id))
        if e.old["domain_id"] == 1
    ]


def test_a_domain_is_recorded_as_row_by_row_and_comes_back(do: Do) -> None:
    before, then, notes = rows_now(), expected(), do(texts)
    do(domains.remove, 1)
    head = newest()
    assert written(head.id) == then
    assert do(texts) == {}
    do(undo.undo, head.id, log_is_writable=lambda: True)
    assert (rows_now(), do(texts)) == (before, notes)
    kept = db.session.execute(select(Suspension.user_id, Suspension.password))
    assert dict(list(kept)) == {34: "kept 34", 35: "kept 35"}


def texts(session: Any, _actor: object) -> dict[str, str]:
    return {note.name: note.text for note in session.scalars(select(Note))}


def test_a_note_that_something_elsewhere_has_too_stays(do: Do) -> None:
    """A row of the domain's name that came by hand into another one."""
    by_hand(Alias(domain_id=2, source="team@one.example", destination="eva@two.example"))
    do(domains.remove, 1)
    assert list(do(texts)) == ["team@one.example"]


def test_a_name_with_a_blank_at_its_end_is_found(context: None) -> None:
    by_hand(Alias(id=900, domain_id=1, source="blank@one.example ", destination="x@y.example"))
    tables = mail_tables.StoredTables(db.session())
    (row,) = tables.aliases({"blank@one.example "})["blank@one.example "]
    assert row.id == 900
