"""A deadlock and a lock wait are retried; what persists is a clear refusal."""

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from postmaster.db import after_commit, announce, db, explain, transact
from postmaster.errors import Unavailable
from postmaster.models import Domain, HistoryEntry
from postmaster.rules import domains
from postmaster.rules.actor import Actor
from tests.conftest import ADMIN, Prepared


@pytest.fixture
def shared(prepared_mariadb: Prepared) -> Iterator[Flask]:
    prepared_mariadb.reset()
    with prepared_mariadb.app.app_context(), db.engine.begin() as connection:
        connection.execute(text("INSERT INTO virtual_domains (id, name) VALUES (1, 'a'), (2, 'b')"))
    return prepared_mariadb.app


def lock(session: Session, number: int) -> None:
    session.execute(text("SELECT id FROM virtual_domains WHERE id = :n FOR UPDATE"), {"n": number})


def test_a_deadlock_is_retried_unseen(shared: Flask) -> None:
    """Two acts lock two rows in opposite order, each once the other has its first."""
    both_have_one = threading.Barrier(2)
    attempts: list[str] = []
    heard: list[object] = []
    after_commit(heard.append)
    failures: list[BaseException] = []

    def act(session: Session, actor: Actor, name: str, order: tuple[int, int]) -> None:
        first_try = attempts.count(name) == 0
        attempts.append(name)
        lock(session, order[0])
        if first_try:
            both_have_one.wait(30)
        lock(session, order[1])
        domains.create(session, actor, name=name)
        announce(session, name)

    def run(name: str, order: tuple[int, int]) -> None:
        try:
            with shared.app_context():
                transact(act, ADMIN, name, order)
        except BaseException as error:  # noqa: BLE001 -- shown by the test's own thread
            failures.append(error)

    threads = [
        threading.Thread(target=run, args=("one.example", (1, 2))),
        threading.Thread(target=run, args=("two.example", (2, 1))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(attempts) == 3, "InnoDB found a deadlock and one act ran again"
    names = [each for each in heard if isinstance(each, str)]  # the acts announce theirs too
    assert sorted(names) == ["one.example", "two.example"]
    with shared.app_context():
        for name in ("one.example", "two.example"):
            assert db.session.query(Domain).filter_by(name=name).count() == 1
            assert db.session.query(HistoryEntry).filter_by(object_name=name).count() == 1


def test_a_lock_that_stays_ends_in_a_clear_refusal(shared: Flask) -> None:
    tries = []

    def act(session: Session) -> None:
        tries.append(1)
        session.execute(text("SET innodb_lock_wait_timeout = 1"))
        lock(session, 1)

    with shared.app_context(), db.engine.connect() as holder:
        holder.execute(text("SELECT id FROM virtual_domains WHERE id = 1 FOR UPDATE"))
        with pytest.raises(OperationalError) as caught:
            transact(act)
        refusal = explain(caught.value)
    assert isinstance(refusal, Unavailable)
    assert "busy" in str(refusal)
    assert len(tries) > 1
