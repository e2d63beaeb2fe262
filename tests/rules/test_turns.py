"""Acts that take turns: one row's lock lets one of them through."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from postmaster.db import db, transact
from postmaster.models import Turn
from postmaster.rules import turns
from postmaster.rules.turns import Queue
from tests.conftest import Prepared


def taken() -> dict[str, int]:
    """How many turns each queue has had."""
    db.session.remove()
    return {row.name: row.taken for row in db.session.scalars(select(Turn))}


@pytest.fixture
def impatient(context: None) -> Iterator[Session]:
    """A session of another process that does not wait for a lock."""
    with closing(db.engine.connect()) as connection:
        wait = {"sqlite": "PRAGMA busy_timeout = 0", "mysql": "SET innodb_lock_wait_timeout = 0"}
        connection.execute(text(wait[connection.dialect.name]))
        connection.rollback()
        with closing(Session(connection)) as session:
            yield session
        connection.invalidate()  # its impatience is not for whoever gets it next


def test_a_turn_counts_for_its_queue_only(context: None) -> None:
    before = taken()
    transact(turns.take, Queue.MAIL)
    transact(turns.take, Queue.MAIL)
    transact(turns.take, Queue.SETTINGS)
    after = taken()
    assert after[Queue.MAIL] - before.get(Queue.MAIL, 0) == 2
    assert after[Queue.SETTINGS] - before.get(Queue.SETTINGS, 0) == 1
    assert after.get(Queue.ADMINS, 0) == before.get(Queue.ADMINS, 0)


@pytest.mark.parametrize("queue", Queue)
def test_the_first_turn_of_all_makes_its_row(context: None, queue: Queue) -> None:
    db.session.query(Turn).delete()
    db.session.commit()
    transact(turns.take, queue)
    assert taken() == {queue: 1}
    transact(turns.take, queue)
    assert taken() == {queue: 2}


def test_a_turn_is_held_until_its_transaction_ends(context: None, impatient: Session) -> None:
    transact(turns.take, Queue.MAIL)
    turns.take(db.session(), Queue.MAIL)
    with pytest.raises(OperationalError, match=r"1205|locked"):
        turns.take(impatient, Queue.MAIL)
    impatient.rollback()
    db.session.commit()
    turns.take(impatient, Queue.MAIL)
    impatient.commit()


def test_a_turn_that_is_taken_back_lets_the_next_one_through(
    context: None, impatient: Session
) -> None:
    transact(turns.take, Queue.MAIL)
    before = taken()
    db.session.remove()
    turns.take(db.session(), Queue.MAIL)
    db.session.rollback()
    turns.take(impatient, Queue.MAIL)
    impatient.commit()
    assert taken()[Queue.MAIL] == before[Queue.MAIL] + 1


def test_one_queue_does_not_hold_up_another(prepared_mariadb: Prepared) -> None:
    """A server locks by row; SQLite lets one writer through in any case."""
    prepared_mariadb.reset()
    with prepared_mariadb.app.app_context():
        for queue in Queue:
            transact(turns.take, queue)
        turns.take(db.session(), Queue.MAIL)
        with db.engine.connect() as connection, Session(connection) as other:
            other.execute(text("SET innodb_lock_wait_timeout = 0"))
            turns.take(other, Queue.ADMINS)
            turns.take(other, Queue.SETTINGS)
            other.rollback()
            connection.invalidate()  # its impatience is not for whoever gets it next
        db.session.rollback()


def test_what_was_committed_before_a_turn_is_seen_in_it(context: None, impatient: Session) -> None:
    """An act takes its turn before it reads, so its snapshot is not older than its turn."""
    transact(turns.take, Queue.MAIL)
    turns.take(impatient, Queue.MAIL)
    seen = taken_in(impatient)
    impatient.commit()

    def act(session: Session) -> int:
        turns.take(session, Queue.MAIL)
        return taken_in(session)

    assert transact(act) == seen + 1


def taken_in(session: Session) -> int:
    return session.execute(select(Turn.taken).where(Turn.name == Queue.MAIL)).scalar_one()
