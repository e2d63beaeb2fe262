"""One transaction around one act."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from postmaster.db import after_commit, announce, db, transact
from postmaster.errors import Invalid
from postmaster.models import Alias, Domain, HistoryEntry
from postmaster.rules import domains
from postmaster.rules.actor import Actor
from tests.conftest import ADMIN
from tests.mariadb import MariaDB

Do = Callable[..., Any]


class Refused(Invalid):
    """A refusal that needs no words."""

    def __init__(self) -> None:
        super().__init__("No")


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What a listener was told, which listens no longer than the test."""
    monkeypatch.setattr(import_module("postmaster.db"), "_listeners", [])
    told: list[object] = []
    after_commit(told.append)
    return told


def names() -> list[str]:
    db.session.remove()
    return [row.name for row in db.session.query(Domain).order_by(Domain.name)]


def test_an_act_is_committed_and_then_announced(context: None, heard: list[object]) -> None:
    def act(session: Session, actor: Actor) -> str:
        domains.create(session, actor, name="example.com")
        announce(session, "done")
        assert heard == []
        return "result"

    assert transact(act, ADMIN) == "result"
    assert names() == ["example.com"]
    entry, done = heard
    assert isinstance(entry, HistoryEntry)
    assert (entry.object_name, done) == ("example.com", "done")


@pytest.mark.parametrize("error", [ValueError, Refused, KeyboardInterrupt, SystemExit])
def test_whatever_goes_wrong_all_of_it_is_rolled_back(
    context: None, heard: list[object], error: type[BaseException]
) -> None:
    def act(session: Session, actor: Actor) -> None:
        domains.create(session, actor, name="example.com")
        announce(session, "never")
        raise error

    with pytest.raises(error):
        transact(act, ADMIN)
    assert names() == []
    assert db.session.query(HistoryEntry).count() == 0
    transact(domains.create, ADMIN, name="example.org")
    assert [getattr(each, "object_name", each) for each in heard] == ["example.org"]


def test_rows_changed_by_hand_are_seen_at_once(do: Do) -> None:
    number = do(domains.create, name="example.com").id
    assert db.session.get_one(Domain, number).name == "example.com"
    with db.engine.begin() as by_hand:
        by_hand.execute(Domain.__table__.update().values(name="by-hand.example"))  # type: ignore[attr-defined]
    changed = do(domains.change, number, name="again.example")
    assert changed.name == "again.example"
    assert names() == ["again.example"]


def test_what_was_read_before_an_act_does_not_reach_into_it(context: None, do: Do) -> None:
    """A half change in the caller's session is neither committed nor seen."""
    number = do(domains.create, name="example.com").id
    left_behind = db.session.get_one(Domain, number)
    left_behind.name = "never.example"
    db.session.add(Domain(name="neither.example"))
    do(domains.create, name="example.org")
    assert names() == ["example.com", "example.org"]


def test_an_acts_result_can_be_read_after_its_transaction(do: Do) -> None:
    domain = do(domains.create, name="example.com")
    db.session.remove()
    assert (domain.name, domain.id > 0) == ("example.com", True)


def test_announcements_are_heard_in_order_by_everyone_and_once(
    context: None, heard: list[object]
) -> None:
    also: list[object] = []
    after_commit(also.append)
    after_commit(also.append)

    def act(session: Session) -> None:
        announce(session, 1)
        announce(session, 2)

    transact(act)
    assert heard == also == [1, 2]
    transact(lambda _session: None)
    assert heard == [1, 2]


def test_a_commit_that_fails_is_not_announced(context: None, heard: list[object]) -> None:
    """The row breaks its foreign key only at the flush that the commit does."""

    def act(session: Session) -> None:
        session.add(Alias(domain_id=4711, source="a@example.com", destination="b@example.com"))
        announce(session, "never")

    with pytest.raises(IntegrityError):
        transact(act)
    assert heard == []
    assert db.session.query(Alias).count() == 0


@pytest.mark.parametrize("app", ["mariadb"], indirect=True)
def test_a_connection_lost_after_the_last_statement_hurts_nobody(
    app: Flask, mariadb: MariaDB
) -> None:
    with app.app_context():
        number = db.session.scalar(text("SELECT CONNECTION_ID()"))
        mariadb.run("mysql", f"KILL {number}")
    with app.app_context():
        assert names() == []
