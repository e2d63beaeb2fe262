"""Every migration, up and down, while mail arrives: nothing is refused, and nothing is lost."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import GUIDE_SCHEMA, dispose, make_app
from tests.mail.server import MailServer
from tests.mail.traffic import Traffic
from tests.mariadb import MariaDB
from tests.migrations.conftest import OLD_REVISIONS, REVISIONS, Database

MESSAGES = 200
NAME = "migrated_with_mail"
PASSWORD = "password"
# Each recipient, and whose mailboxes here get the mail.
RECIPIENTS = {
    "ana@example.com": ["ana@example.com"],
    "team@example.com": ["ana@example.com", "bob@example.com"],
    "CARLA.mixed@example.com": ["carla.mixed@example.com"],
    "caught@example.org": ["dmitri@example.org"],
    "chain@example.com": ["ana@example.com", "bob@example.com"],
}
MAILBOXES = sorted({mailbox for mailboxes in RECIPIENTS.values() for mailbox in mailboxes})
OUTSIDE = ("team@example.com", "chain@example.com")


@pytest.fixture
def database(mariadb: MariaDB, tmp_path: Path) -> Iterator[Database]:
    """A database as the guides make it, which PostMaster has not seen."""
    app = make_app(mariadb.create_database(NAME), tmp_path)
    database = Database(app, lambda script: mariadb.run(NAME, script))
    database.load(GUIDE_SCHEMA)
    yield database
    dispose(app)


def steps(database: Database) -> Iterator[Callable[[], None]]:
    """``existingdb``, and back; every upgrade and back; ``upgradedb`` and back; and so on.

    Back is a downgrade for each revision, to the first, at which nothing of ours is left.
    """
    up: list[Callable[[], None]] = [partial(database.to, to) for to in REVISIONS[1:]]
    back: list[Callable[[], None]] = [partial(database.to, to) for to in REVISIONS[-2::-1]]
    yield database.adopt
    yield from back
    while True:
        yield from up
        yield from back
        yield database.upgrade
        yield from back


def test_mail_flows_through_every_migration(database: Database, mail_server: MailServer) -> None:
    mail_server.use(NAME)
    mail_server.forget()
    rows, tables = database.mail_rows(), database.mail_tables()
    ways = 3  # back, up, and back again: each migration has had its turn
    times: list[tuple[float, float]] = []
    with Traffic(mail_server, list(RECIPIENTS), MAILBOXES, PASSWORD) as traffic:
        for step in steps(database):
            began = time.monotonic()
            step()
            times.append((began, time.monotonic()))
            assert database.mail_rows() == rows
            at_first = database.revision() == OLD_REVISIONS[0]
            if at_first:
                assert database.mail_tables() == tables
            if (
                at_first
                and len(times) > ways * (len(REVISIONS) - 1)
                and len(traffic.messages) >= MESSAGES
            ):
                break
    # Mail really came all the time: during each step some, and in all steps together enough.
    overlapping = [traffic.during(*span) for span in times]
    assert all(overlapping)
    assert len({message.subject for some in overlapping for message in some}) >= MESSAGES
    assert [message for message in traffic.messages if not message.was_taken] == []
    expected: dict[str, list[str]] = {mailbox: [] for mailbox in MAILBOXES}
    for message in traffic.messages:
        ends = mail_server.wait_for(message.sent)
        assert {end.status for end in ends} == {"sent"}
        for mailbox in RECIPIENTS[message.recipient]:
            expected[mailbox].append(message.subject)
    for mailbox, subjects in expected.items():
        assert sorted(mail_server.inbox(mailbox, PASSWORD)) == sorted(subjects)
    outside = [message.subject for message in traffic.messages if message.recipient in OUTSIDE]
    assert sorted(m.subject for m in mail_server.sink.received()) == sorted(outside)
    assert all(traffic.sign_ins)
