"""One transaction around one act."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from postmaster.db import after_commit, announce, db, transact
from postmaster.models import Domain
from postmaster.rules import domains
from postmaster.rules.actor import Actor
from tests.conftest import ADMIN

Do = Callable[..., Any]


@pytest.fixture
def heard() -> list[object]:
    """What the listeners were told."""
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
    assert heard == ["done"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
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
    transact(domains.create, ADMIN, name="example.org")
    assert heard == []


def test_rows_changed_by_hand_are_seen_at_once(do: Do) -> None:
    number = do(domains.create, name="example.com").id
    assert db.session.get_one(Domain, number).name == "example.com"
    with db.engine.begin() as by_hand:
        by_hand.execute(Domain.__table__.update().values(name="by-hand.example"))  # type: ignore[attr-defined]
    changed = do(domains.change, number, name="again.example")
    assert changed.name == "again.example"
    assert names() == ["again.example"]
