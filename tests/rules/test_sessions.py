"""Signed-in sessions: who a token belongs to, and when no longer."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from postmaster.db import db, transact
from postmaster.models import Admin, AdminSession
from postmaster.rules import admins, history, sessions
from postmaster.rules.actor import Actor

Do = Callable[..., Any]


@pytest.fixture
def bob(do: Do) -> int:
    """Another admin's id."""
    admin: Admin = do(admins.create, username="bob", password="password", name="Bob")
    return admin.id


def start(admin_id: int = 1, *, hours: int = 12, agent: str = "curl/8") -> str:
    return transact(sessions.start, admin_id, ip="192.0.2.1", agent=agent, hours=hours)


def find(token: str) -> sessions.SignedIn | None:
    db.session.remove()
    return sessions.find(db.session(), token)


def rows() -> list[AdminSession]:
    db.session.remove()
    return db.session.query(AdminSession).all()


def test_a_token_says_who_is_signed_in(bob: int) -> None:
    found = find(start(bob))
    assert found is not None
    assert (found.admin_id, found.username, found.name) == (bob, "bob", "Bob")
    assert [admins.is_default_password(each) for each in found.default_admin_hashes] == [True]


def test_each_session_has_a_token_that_nobody_guesses_or_reads(context: None) -> None:
    tokens = [start() for _ in range(5)]
    assert len(set(tokens)) == 5
    assert all(len(token) >= 43 for token in tokens), "256 bits"
    stored = {getattr(row, column.key) for row in rows() for column in row.__table__.columns}
    assert not stored & set(tokens)


@pytest.mark.parametrize(
    "token", ["", "x", "\0", "\ud800", "\N{PILE OF POO}" * 100, "' OR 1=1 --"], ids=ascii
)
def test_another_text_belongs_to_nobody(context: None, token: str) -> None:
    start()
    assert find(token) is None
    transact(sessions.end, token)
    assert len(rows()) == 1


def test_neither_the_hash_nor_another_spelling_of_a_token_is_one(context: None) -> None:
    token = start()
    for text in (rows()[0].token_hash, token.swapcase(), f"{token} ", token[:-1]):
        assert find(text) is None


def test_a_session_ends_at_its_time(context: None) -> None:
    token = start(hours=2)
    (row,) = rows()
    assert row.expires - row.started == timedelta(hours=2)
    db.session.execute(update(AdminSession).values(expires=history.now()))
    db.session.commit()
    assert find(token) is None


def test_a_new_session_clears_the_expired_ones_away(context: None) -> None:
    start(hours=0)
    start(hours=-1)
    kept = [start(), start()]
    assert len(rows()) == 2
    assert all(find(token) for token in kept)


def test_a_session_ends_alone(context: None) -> None:
    one, other = start(), start()
    transact(sessions.end, one)
    assert find(one) is None
    assert find(other) is not None


def test_all_sessions_of_one_admin_end_and_no_others(bob: int) -> None:
    mine, his = [start(), start()], [start(bob), start(bob)]
    transact(sessions.end_all, bob)
    assert [find(token) for token in his] == [None, None]
    assert all(find(token) for token in mine)


@pytest.mark.parametrize(
    "act",
    [
        lambda do, bob: do(admins.change, bob, password="another password"),
        lambda do, bob: do(admins.remove, bob),
    ],
    ids=["a new password", "the admin is deleted"],
)
def test_what_ends_an_admins_sessions(do: Do, bob: int, act: Callable[[Do, int], None]) -> None:
    mine, his = start(), start(bob)
    act(do, bob)
    assert find(his) is None
    assert find(mine) is not None


def test_another_name_does_not_end_a_session(do: Do, bob: int) -> None:
    token = start(bob)
    do(admins.change, bob, username="robert", name="Robert")
    found = find(token)
    assert found is not None
    assert (found.username, found.name) == ("robert", "Robert")


@pytest.mark.parametrize(("active", "counts"), [(False, False), (None, True), (True, True)])
def test_an_admin_who_is_deactivated_is_signed_in_no_more(
    bob: int, active: bool | None, counts: bool
) -> None:
    """A row of the first 1.x versions may have no value there: it is active."""
    token = start(bob)
    db.session.execute(update(Admin).where(Admin.id == bob).values(active=active))
    db.session.commit()
    assert (find(token) is not None) is counts


def test_a_long_name_of_a_browser_is_cut_to_its_column(context: None) -> None:
    token = start(agent="Mozilla " * 100)
    assert rows()[0].agent == ("Mozilla " * 100)[:200]
    assert find(token) is not None


def test_without_the_default_admin_there_is_no_default_password(do: Do, bob: int) -> None:
    token = start(bob)
    do(admins.remove, 1)
    found = find(token)
    assert found is not None
    assert not any(map(admins.is_default_password, found.default_admin_hashes))


def test_a_renamed_default_admin_still_has_the_default_password(do: Do, bob: int) -> None:
    token = start(bob)
    do(admins.change, 1, username="chief")
    found = find(token)
    assert found is not None
    assert any(map(admins.is_default_password, found.default_admin_hashes))
    do(admins.change, bob, username="admin")
    found = find(token)
    assert found is not None
    assert len(found.default_admin_hashes) == 2
    assert any(map(admins.is_default_password, found.default_admin_hashes))
    do(admins.change, 1, password="another one")
    found = find(token)
    assert found is not None
    assert not any(map(admins.is_default_password, found.default_admin_hashes))


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, (None, "local", False)),
        ({"language": "nl", "otp_active": True, "source": "ldap"}, ("nl", "ldap", True)),
        ({"otp_active": None, "source": None}, (None, None, False)),
    ],
)
def test_a_session_knows_what_the_page_needs(
    bob: int, columns: dict[str, Any], expected: tuple[str | None, str | None, bool]
) -> None:
    if columns:
        db.session.execute(update(Admin).where(Admin.id == bob).values(**columns))
        db.session.commit()
    found = find(start(bob))
    assert found is not None
    assert (found.language, found.source, found.two_factor) == expected


# --- one's own sessions ---------------------------------------------------------


def test_open_sessions_are_listed_the_newest_first(bob: int) -> None:
    old, new = start(agent="old"), start(agent="new")
    start(bob)
    start(hours=0, agent="expired")
    listed = sessions.of_admin(db.session(), 1, old)
    assert [(item.agent, item.is_this) for item in listed] == [("new", False), ("old", True)]
    assert listed[0].started >= listed[1].started
    assert listed[0].expires - listed[0].started == timedelta(hours=12)
    assert listed[0].ip == "192.0.2.1"
    assert not any(item.is_this for item in sessions.of_admin(db.session(), bob, new))


def test_ones_other_sessions_end_and_this_one_stays(do: Do, bob: int) -> None:
    mine, his = start(), start(bob)
    others = [start(), start()]
    start(hours=0)
    assert do(sessions.end_others, mine) == 2
    assert [find(token) for token in others] == [None, None]
    assert find(mine) is not None
    assert find(his) is not None
    assert do(sessions.end_others, mine) == 0


def test_the_operator_at_the_command_line_has_no_sessions_to_end(bob: int) -> None:
    tokens = [start(), start(bob)]
    operator = Actor(None, "root", "command")
    assert transact(sessions.end_others, operator, "") == 0
    assert all(find(token) for token in tokens)
