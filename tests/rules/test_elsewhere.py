"""The rows of administrators whose password is kept elsewhere."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from postmaster.db import db, transact
from postmaster.directory.plan import Directory
from postmaster.errors import Conflict, RuleError
from postmaster.models import Admin, HistoryEntry
from postmaster.rules import admins, elsewhere, undo
from postmaster.rules.elsewhere import Person

IP = "192.0.2.1"

pytestmark = pytest.mark.usefixtures("context")


def admit(source: str, external_id: str, username: str, name: str = "Ana") -> Admin:
    admitted = transact(elsewhere.admitted, Person(source, external_id, username, name), IP)
    assert isinstance(admitted, Admin), admitted
    return admitted


def refusal(source: str, external_id: str, username: str) -> str:
    refused = transact(elsewhere.admitted, Person(source, external_id, username, "Ana"), IP)
    assert isinstance(refused, RuleError)
    return str(refused)


def test_accounts_of_one_name_stay_apart() -> None:
    """Letters of both cases differ in identifiers."""
    ids = [f"issuer#{letter}" for letter in "aAbc"]
    usernames = [admit("openid", one, "ana@host").username for one in ids]
    assert usernames == ["ana@host", *(f"ana@host (openid{mark})" for mark in ("", " 2", " 3"))]
    assert [admit("openid", one, "ana@host").username for one in ids] == usernames


def test_a_new_name_there_is_a_new_name_here() -> None:
    first = admit("ldap", "1", "ana@corp.example")
    assert admit("ldap", "1", "anna@corp.example", "Anna").id == first.id
    entry = db.session.scalars(select(HistoryEntry)).all()[-1]
    assert (entry.object_name, entry.action) == ("ana@corp.example", "change")
    assert entry.new == {"username": "anna@corp.example", "name": "Anna", "source": "ldap"}


def test_nobody_comes_into_a_row_by_a_name_that_can_be_chosen() -> None:
    db.session.add(Admin(username="ana@host", source="openid", active=True))
    db.session.commit()
    assert admit("openid", "issuer#a", "ana@host").username == "ana@host (openid)"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("A\x00na\n", "Ana"), ("", "ana@host"), ("x" * 51, "x" * 50), ("Größe 🔑", "Größe 🔑")],
)
def test_any_display_name_fits(name: str, shown: str) -> None:
    assert admit("openid", "issuer#a", "ana@host", name).name == shown


def test_a_user_name_that_does_not_fit_is_refused() -> None:
    assert "120" in refusal("ldap", "1", "x" * 121)
    assert len(db.session.scalars(select(Admin)).all()) == 1


def test_a_deleted_row_comes_back_as_the_same_account(do: Callable[..., Any]) -> None:
    made = admit("ldap", "1", "ana@corp.example").id
    do(admins.remove, made)
    newest = db.session.scalars(select(HistoryEntry).order_by(HistoryEntry.id.desc())).first()
    assert newest is not None
    do(undo.undo, newest.id, log_is_writable=lambda: True)
    assert admit("ldap", "1", "ana@corp.example").id == made
    assert "Another account was" in refusal("ldap", "2", "ana@corp.example")


def test_accents_are_other_letters() -> None:
    """MySQL finds o by ö; a row of PostMaster 1.x is only its own account's."""
    db.session.add(Admin(username="old", source="ldap", active=True))
    db.session.commit()
    person = Person("ldap", "1", "öld@corp.example", "Öld", old_usernames=("öld",))
    admitted = transact(elsewhere.admitted, person, IP)
    assert isinstance(admitted, Admin)
    assert admitted.username == "öld@corp.example"
    first = admit("ldap", "2", "muller@corp.example").id
    second = admit("ldap", "3", "müller@corp.example").id
    assert first != second
    assert admit("ldap", "3", "müller@corp.example").id == second


def test_a_deleted_row_does_not_come_back_beside_a_new_one(do: Callable[..., Any]) -> None:
    made = admit("openid", "issuer#1", "ana@host").id
    do(admins.remove, made)
    newest = db.session.scalars(select(HistoryEntry).order_by(HistoryEntry.id.desc())).first()
    assert newest is not None
    admit("ldap", "other", "somebody@host")  # SQLite would give the id away
    admit("openid", "issuer#1", "anna@host")
    with pytest.raises(Conflict):
        do(undo.undo, newest.id, log_is_writable=lambda: True)


@pytest.mark.parametrize(
    "typed", ["Alice", "alice@corp.example", "CORP\\alice", "\uff41lice", "\u24d0lice", " alice "]
)
def test_whom_a_typed_name_probably_means(typed: str) -> None:
    made = admit("ldap", "1", "alice@corp.example").id
    directory = Directory((), "corp.example", "Mail Admins")
    meant = elsewhere.meant(db.session(), directory, typed)
    assert meant is not None
    assert meant.id == made
    assert elsewhere.meant(db.session(), directory, "älice") is None
